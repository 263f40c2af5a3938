//! EWMA, CUSUM and moving average charts of logarithms.
//!
//! Reference values: NumPy 2.4.6 on the same values, with the formulas of the documentation.

mod noise;

use llmscope_core::analysis::{Origin, Series};
use llmscope_core::{Analysis, ChartKind, Plan, PowerTransform, Transform, Unit, analyze};
use noise::slower;

/// Limits of the logarithms of the first 60 values.
fn on_logarithms(chart: ChartKind) -> Analysis {
    let (chart, origin) = (Some(chart), Origin::FirstPoints(0..60));
    let plan = Plan { chart, origin, transform: Transform::Log, points: true, ..Plan::default() };
    analyze(&Series::of_numbers("ttft_s", slower()), &plan).expect("positive values")
}

#[track_caller]
fn assert_close(value: f64, expected: f64) {
    assert!((value / expected - 1.0).abs() < 1e-9, "{value}, not {expected}");
}

fn at(analysis: &Analysis, point: usize) -> f64 {
    analysis.points.as_ref().expect("requested")[point].x
}

#[test]
fn an_ewma_is_a_geometric_average_in_the_unit_of_the_metric() {
    let analysis = on_logarithms(ChartKind::Ewma);
    assert_eq!(analysis.transform, Some(PowerTransform::LOG));
    let expected = [(0, 0.304_521_070_328_533_3), (110, 0.428_022_948_090_539_37), (199, 0.474_515_221_601_299_6)];
    for (point, expected) in expected {
        assert_close(at(&analysis, point), expected);
    }
    let limits = analysis.limits.as_ref().unwrap();
    assert_close(limits.lower.at(0), 0.283_040_846_449_178_3);
    assert_close(limits.upper.at(199), 0.332_579_906_473_838_2);
    assert!(!analysis.patterns.violations.is_empty());
}

#[test]
fn a_moving_average_is_a_geometric_mean_in_the_unit_of_the_metric() {
    let analysis = on_logarithms(ChartKind::MovingAverage);
    assert_close(at(&analysis, 0), 0.320_346_469_283_683_04);
    assert_close(at(&analysis, 110), 0.445_802_495_380_265);
}

#[test]
fn a_cusum_of_logarithms_estimates_the_mean_of_the_measurements() {
    let analysis = on_logarithms(ChartKind::Cusum);
    let shift = analysis.patterns.shifts[0];
    assert_eq!((shift.began, shift.signal), (98, 101));
    // The arithmetic mean; the geometric one is 0.3936.
    assert_close(shift.mean, 0.403_214_539_644_900_5);
    assert_close(at(&analysis, 101), 0.875_604_989_557_772_3);
    let text = analysis.to_string();
    let shifted = &slower()[98..=shift.last];
    #[allow(clippy::cast_precision_loss, reason = "a small count")]
    let mean = shifted.iter().sum::<f64>() / shifted.len() as f64;
    assert_close(shift.level, mean);
    let expected = format!("from 98 to {} about {:.1} ms (signal at 101)", shift.last, mean * 1e3);
    assert!(text.contains(&expected), "{text}");
    assert_eq!(analysis.plotted_unit(), Unit::One, "sums of logarithms have no unit");
}

#[test]
fn frozen_limits_keep_the_scale() {
    for chart in [ChartKind::Ewma, ChartKind::Cusum, ChartKind::MovingAverage] {
        let first = on_logarithms(chart);
        let baseline = first.baseline().expect("a chart");
        assert_eq!(baseline.standards.transform, Some(PowerTransform::LOG));
        let origin = Origin::Baseline(vec![baseline]);
        let plan = Plan { chart: Some(chart), origin, points: true, ..Plan::default() };
        let again = analyze(&Series::of_numbers("ttft_s", slower()), &plan).unwrap();
        assert_eq!((&again.points, &again.limits), (&first.points, &first.limits), "{chart}");
    }
}
