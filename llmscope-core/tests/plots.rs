//! Drawings: valid markup for any names, every violation in the legend, bounded size, the same in both formats.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::analysis::{Measure, Selection, Series};
use llmscope_core::plot::{self, Mark};
use llmscope_core::{Analysis, Plan, analyze, ingest};

fn series(text: &str, columns: &[&str]) -> Series {
    let log = ingest::read("log.csv", text.as_bytes(), None).unwrap();
    let measures = columns.iter().map(|name| Measure::Column((*name).to_owned())).collect();
    Selection { measures, by: Some(vec!["model".to_owned()]), ..Selection::default() }.series(&[log]).unwrap().remove(0)
}

/// `count` points with little variation, and a spike at each of `spikes`.
fn analysis(model: &str, count: usize, spikes: &[usize]) -> Analysis {
    let value = |i: usize| if spikes.contains(&i) { 9.0 } else { 1.0 + (i * 4 % 11) as f64 * 0.01 };
    let rows: String = (0..count).map(|i| format!("\"{model}\",{}\n", value(i))).collect();
    let plan = Plan { rules: "1".parse().unwrap(), ..Plan::default() };
    analyze(&series(&format!("model,latency_s\n{rows}"), &["latency_s"]), &plan).unwrap()
}

#[test]
fn a_drawing_shows_limits_and_names_every_violation() {
    let svg = plot::svg(&analysis("small", 60, &[20, 40]));
    for part in ["UCL ", "CL 1.", "LCL ", "nelson-1: 1 point beyond 3σ, at 20, 40", "out of control", "<title>small"] {
        assert!(svg.contains(part), "{part}");
    }
}

#[test]
fn names_cannot_break_the_markup() {
    let svg = plot::svg(&analysis("<script>alert(1)</script>&\u{7}", 30, &[]));
    assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;") && !svg.contains('\u{7}'));
}

#[test]
fn many_points_make_no_large_drawing_and_hide_no_violation() {
    let large = analysis("small", 100_000, &[77_777]);
    let svg = plot::svg(&large);
    assert!(svg.len() < 100_000, "{} bytes", svg.len());
    assert!(svg.contains("at 77777"));
    assert_eq!(svg.matches("r=\"4.0\"").count(), 1, "one ring");
}

#[test]
fn too_few_points_are_said_in_the_picture() {
    assert!(plot::svg(&analysis("small", 3, &[])).contains("not enough data"));
}

#[test]
fn the_terminal_shows_every_signal() {
    let analysis = analysis("small", 5_000, &[2_500]);
    let (cells, rows) = plot::terminal(analysis.drawing.as_ref().unwrap(), 60, 9);
    assert_eq!((cells.len(), cells[0].len()), (9, 60));
    assert_eq!(cells.concat().iter().filter(|&&mark| mark == Mark::Above).count(), 1);
    assert!(rows[0] <= rows[1] && rows[1] <= rows[2]);
}

#[cfg(feature = "png")]
#[test]
fn the_png_has_text_in_it_without_any_system_font() {
    let svg = plot::svg(&analysis("small", 60, &[20]));
    let png = plot::png(&svg).unwrap();
    let wordless = plot::png(&svg.replace("fill=\"#0f172a\"", "fill=\"#ffffff\"")).unwrap();
    assert_eq!(&png[..4], b"\x89PNG");
    assert_eq!(u32::from_be_bytes(png[16..20].try_into().unwrap()), 2200);
    assert_ne!(png, wordless, "the heading is drawn with the font inside");
    assert!(plot::png("no picture").is_err());
}
