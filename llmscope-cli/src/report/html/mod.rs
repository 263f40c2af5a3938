//! The HTML report: one self-contained page with answers, charts with their numbers, machines, and methods.
//!
//! The page is complete without JavaScript: its charts are SVG images. An embedded script replaces them with interactive
//! charts for mouse, touch and keyboard. In print, the page shows the images.

mod answers;
mod assets;
mod change;
mod dispersion;
mod environment;
mod histogram;
mod island;
mod layout;
mod methods;
mod section;
mod sparkline;
mod studies;
mod verdicts;

pub(crate) use layout::page;
