//! Fitted distributions, the transformation of Box and Cox, and performance from percentiles.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::SpecificationLimits;
use llmscope_core::capability::{NonNormal, PercentilePerformance, Supported, performance};
use llmscope_core::stats::{BoxCox, Distribution, Fit, Sorted};
use proptest::prelude::*;

#[allow(dead_code, reason = "other tests use the rest")]
mod golden;

use golden::{assert_close, numbers, parsed};

/// Samples with their maximum likelihood fits; the `source` field describes their computation.
const FITS: &str = include_str!("reference/distribution_fits.json");
/// Indices of exactly known distributions.
const KNOWN: &str = include_str!("reference/nonnormal_capability_known_distributions.json");

fn parameters(distribution: &Distribution) -> [f64; 2] {
    match *distribution {
        Distribution::Normal { mean, sigma } => [mean, sigma],
        Distribution::Lognormal { mu, sigma } => [mu, sigma],
        Distribution::Weibull { shape, scale } | Distribution::Gamma { shape, scale } => [shape, scale],
        _ => panic!("{distribution}"),
    }
}

#[test]
fn fits_by_maximum_likelihood() {
    let reference = parsed(FITS);
    for case in reference["cases"].as_array().unwrap() {
        let fits = Fit::all(&Sorted::of(&numbers(&case["data"])));
        let expected = case["fits"].as_object().unwrap();
        assert_eq!(fits.len(), expected.len(), "{}", case["name"]);
        assert!(fits.windows(2).all(|pair| pair[0].aic <= pair[1].aic));
        for fit in fits {
            let name = fit.distribution.name();
            let expected = &expected[&name.to_lowercase()];
            let what = |part: &str| format!("{} {name} {part}", case["name"]);
            // Values around 74 that vary by hundredths have 11 digits of variation.
            let tolerance = if case["name"] == "narrow" { 2e-9 } else { 1e-12 };
            for (i, parameter) in parameters(&fit.distribution).into_iter().enumerate() {
                assert_close(&what("parameter"), parameter, &expected["parameters"][i], tolerance);
            }
            assert_close(&what("likelihood"), fit.log_likelihood, &expected["log_likelihood"], tolerance);
            assert_close(&what("A²"), fit.anderson_darling.unwrap(), &expected["anderson_darling"], 10.0 * tolerance);
            for (p, expected) in
                [0.00135, 0.5, 1.0 - 0.00135].into_iter().zip(expected["quantiles"].as_array().unwrap())
            {
                assert_close(&what("quantile"), fit.distribution.quantile(p).unwrap(), expected, tolerance);
            }
            assert!((fit.aic - (4.0 - 2.0 * fit.log_likelihood)).abs() < 1e-9);
        }
        if case["box_cox_lambda"].is_string() {
            let box_cox = BoxCox::of(&Sorted::of(&numbers(&case["data"]))).unwrap();
            assert_close("lambda", box_cox.lambda, &case["box_cox_lambda"], 1e-6);
        }
    }
}

#[test]
fn the_data_support_what_they_were_drawn_from() {
    let limits = SpecificationLimits::new(None, Some(1.0), None).unwrap();
    let found = |name: &str| {
        let reference = parsed(FITS);
        let case = reference["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap().clone();
        NonNormal::of(&Sorted::of(&numbers(&case["data"])), &limits).unwrap()
    };
    assert_eq!(found("lognormal").supported, Supported::Lognormal);
    assert_eq!(found("weibull").supported, Supported::Weibull);
    assert_eq!(found("gamma").supported, Supported::Gamma);
    // None of the distributions fits an exponential that begins at 0.3, and 200 values are too few for percentiles.
    let shifted = found("shifted");
    assert!(matches!(shifted.supported, Supported::None | Supported::BoxCox), "{:?}", shifted.supported);
    assert!(shifted.fits.iter().all(|fit| !fit.fits) && shifted.empirical.is_none());
    let lognormal = found("lognormal");
    let best = lognormal.fits[0];
    assert_eq!(lognormal.supported_ppk(), Some(best.performance.ppk));
    let (_, above) = best.fit.distribution.tails(1.0);
    assert_eq!(best.expected_ppm, 1e6 * above);
}

#[test]
fn percentile_indices_of_known_distributions() {
    let reference = parsed(KNOWN);
    let mut tried = 0;
    for case in reference["cases"].as_array().unwrap() {
        let name = case["dist"].as_str().unwrap();
        let number = |key: &str| {
            let rest = name.split_once(&format!("{key}="))?.1;
            rest.split(' ').next()?.parse::<f64>().ok()
        };
        let distribution = match name.split(' ').next().unwrap() {
            "lognormal" => Distribution::Lognormal { mu: number("mu").unwrap(), sigma: number("sigma").unwrap() },
            "weibull" => Distribution::Weibull { shape: number("shape").unwrap(), scale: number("scale").unwrap() },
            "gamma" => Distribution::Gamma { shape: number("shape").unwrap(), scale: number("scale").unwrap() },
            _ => continue,
        };
        tried += 1;
        let (lower, upper) = (case["lsl"].as_f64(), case["usl"].as_f64());
        let of = |lower, upper| {
            PercentilePerformance::of(&distribution, &SpecificationLimits::new(lower, upper, None).unwrap()).unwrap()
        };
        let both = of(lower, upper);
        for i in 0..3 {
            assert_close(name, both.percentiles[i], &case["q"][i], 1e-12);
        }
        assert_close(name, both.pp.unwrap(), &case["iso_pp"], 1e-12);
        assert_close(name, of(None, upper).ppk, &case["iso_ppu"], 1e-12);
        assert_close(name, of(lower, None).ppk, &case["iso_ppl"], 1e-12);
        assert_eq!(both.ppk, of(None, upper).ppk.min(of(lower, None).ppk));
        assert_eq!(of(None, upper).pp, None);
        let outside = distribution.tails(lower.unwrap()).0 + distribution.tails(upper.unwrap()).1;
        assert_close(name, 1e6 * outside, &case["ppm"], 1e-11);
    }
    assert!(tried >= 5, "only {tried}");
}

#[test]
fn a_normal_sample_keeps_its_indices() {
    // Normal scores: as normal as a sample can be.
    let values: Vec<f64> = (1..=1000)
        .map(|i| 10.0 + llmscope_core::stats::special::normal_quantile((f64::from(i) - 0.5) / 1000.0).unwrap())
        .collect();
    let limits = SpecificationLimits::new(Some(6.0), Some(14.0), None).unwrap();
    let (sorted, normal) = (Sorted::of(&values), performance(&values, &limits, 0.95).unwrap());
    let found = NonNormal::of(&sorted, &limits).unwrap();
    assert_eq!(found.supported, Supported::Normal);
    assert!((found.supported_ppk().unwrap() / normal.ppk - 1.0).abs() < 1e-5);
    let box_cox = found.box_cox.unwrap();
    assert!((box_cox.box_cox.lambda - 1.0).abs() < 0.05 && (box_cox.ppk / normal.ppk - 1.0).abs() < 0.01);
    assert!((found.empirical.unwrap().ppk / normal.ppk - 1.0).abs() < 0.06);
}

#[test]
fn where_nothing_can_be_fitted() {
    let limits = SpecificationLimits::new(Some(0.0), Some(5.0), None).unwrap();
    let of = |values: &[f64]| NonNormal::of(&Sorted::of(values), &limits);
    assert_eq!(of(&[1.0; 20]), None);
    assert_eq!(of(&[1.0, 2.0, 3.0]), None);
    // A zero excludes distributions of positive values.
    let with_zero: Vec<f64> = (0..20).map(f64::from).collect();
    let found = of(&with_zero).unwrap();
    assert_eq!((found.fits.len(), found.box_cox), (1, None));
    // A lower limit of 0 excludes no positive value; by percentiles, it still has a distance.
    let positive: Vec<f64> = (1..40).map(|i| f64::from(i) * 0.1).collect();
    assert!(of(&positive).unwrap().box_cox.is_some());
}

proptest! {
    #[test]
    fn whatever_the_values_no_number_is_lost(
        values in prop::collection::vec(prop_oneof![1e-9..1e9_f64, 0.9..1.1_f64, Just(1.0)], 8..60),
        upper in 1e-6..1e6_f64,
    ) {
        let limits = SpecificationLimits::new(None, Some(upper), None).unwrap();
        let Some(found) = NonNormal::of(&Sorted::of(&values), &limits) else { return Ok(()) };
        let text = serde_json::to_string(&found).unwrap();
        prop_assert!(!text.contains("null"), "{}", text);
        let read: NonNormal = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &found);
        for fit in &found.fits {
            let [low, median, high] = fit.performance.percentiles;
            prop_assert!(low < median && median < high);
            prop_assert!((0.0..=1e6 + 1e-6).contains(&fit.expected_ppm));
        }
    }

    /// The fit is the maximum of its family: other parameters are less likely.
    #[test]
    fn other_parameters_are_less_likely(values in prop::collection::vec(0.05..20.0_f64, 8..80), change in 0.9..1.1_f64) {
        let density = |fit: &Distribution, x: f64| {
            let h = x * 1e-5;
            let (below, above) = (fit.tails(x - h), fit.tails(x + h));
            // From the smaller tails, which limits cancellation.
            let mass = if above.0 < 0.5 { above.0 - below.0 } else { below.1 - above.1 };
            (mass / (2.0 * h)).ln()
        };
        for fit in Fit::all(&Sorted::of(&values)) {
            let other = match fit.distribution {
                Distribution::Weibull { shape, scale } => Distribution::Weibull { shape: shape * change, scale },
                Distribution::Gamma { shape, scale } => Distribution::Gamma { shape, scale: scale * change },
                _ => continue,
            };
            let likelihood = |of: &Distribution| values.iter().map(|&x| density(of, x)).sum::<f64>();
            prop_assert!((likelihood(&fit.distribution) - fit.log_likelihood).abs() < 1e-4 * values.len() as f64);
            prop_assert!(likelihood(&other) <= likelihood(&fit.distribution) + 1e-5 * values.len() as f64);
        }
    }
}
