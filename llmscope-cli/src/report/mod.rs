//! Writes reports as a terminal table, Markdown, CSV and HTML. The core computes all numbers.

pub(crate) mod csv;
pub(crate) mod html;
pub(crate) mod markdown;
pub(crate) mod table;
