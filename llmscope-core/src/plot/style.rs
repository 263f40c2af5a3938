//! The style that all pictures share.

pub(super) const MUTED: &str = r##"fill="#64748b""##;
pub(super) const HEADING: &str = r##"font-size="17" font-weight="600" fill="#0f172a""##;
pub(super) const GRID: &str = r##"stroke="#94a3b8" stroke-opacity="0.25""##;
/// A mark at a tick.
pub(super) const TICK: &str = r##"stroke="#94a3b8""##;

/// Color of the specification limits.
pub(super) const SPECIFICATION: &str = "#6d28d9";

/// Color of the center line.
pub(super) const CENTER: &str = "#1a7f37";
/// Color of the control limits.
pub(super) const LIMITS: &str = "#b42318";
/// Color of what became worse.
pub(super) const WORSE: &str = "#d1242f";
/// A measurement.
pub(super) const POINT: &str = r##"fill="#334155""##;
/// The normal curve of the within sigma.
pub(super) const WITHIN: &str = r##"fill="none" stroke="#d1242f" stroke-width="1.6""##;
/// The normal curve of the overall sigma.
pub(super) const OVERALL: &str = r##"fill="none" stroke="#0072b2" stroke-width="1.6" stroke-dasharray="6 4""##;

/// Height of a tall axis per tick.
pub(super) const TICK_HEIGHT: f64 = 46.0;
/// Width of a wide axis per tick.
pub(super) const TICK_WIDTH: f64 = 87.4;

/// The fewest ticks of a small axis, about.
const FEWEST_TICKS: f64 = 5.0;

/// The number of ticks of an axis.
pub(super) fn ticks(length: f64, per_tick: f64) -> f64 {
    (length / per_tick).max(FEWEST_TICKS)
}
