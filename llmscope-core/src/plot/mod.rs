//! Pictures of an analysis, of a gate and of several loads: the same drawing as SVG and as PNG, and a small one for the terminal.

mod axis;
mod broken_rule;
mod change_mark;
mod control_panel;
mod drawing;
mod frame;
mod gate_picture;
mod histogram_panel;
mod imr;
mod index_table;
mod load_picture;
#[cfg(feature = "png")]
mod png;
mod probability_panel;
mod recent_panel;
mod sixpack;
mod style;
mod svg;
mod terminal;

pub use axis::Axis;
pub use change_mark::ChangeMark;
pub use drawing::{svg, svg_of, verdict_color};
pub use gate_picture::gate_svg;
pub use imr::{Imr, Labels};
pub use load_picture::{LoadStep, knee, load_svg};
#[cfg(feature = "png")]
pub use png::png;
pub use sixpack::{Sixpack, SixpackPlan};
pub use svg::escaped;
pub use terminal::{Mark, terminal};
