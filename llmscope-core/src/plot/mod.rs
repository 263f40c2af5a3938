//! Pictures of an analysis: the same drawing as SVG and as PNG, and a small one for the terminal.

mod axis;
mod drawing;
#[cfg(feature = "png")]
mod png;
mod svg;
mod terminal;

pub use axis::Axis;
pub use drawing::{svg, svg_of, verdict_color};
#[cfg(feature = "png")]
pub use png::png;
pub use svg::escaped;
pub use terminal::{Mark, terminal};
