//! The capability indices as a table.

use super::frame::Frame;
use super::style::{GRID, MUTED};
use super::svg::{Anchor, Picture};
use crate::analysis::index;
use crate::capability::Interval;
use crate::quantity::number;

const LINE: f64 = 23.0;
/// The right edges of both columns, as shares of the width.
const COLUMNS: [f64; 2] = [0.68, 1.0];
/// Fewer parts per million are not a statement about any real distribution.
const NEGLIGIBLE: f64 = 0.01;
const STRONG: &str = r##"font-weight="600" fill="#0f172a""##;

/// One row for each statistic, one column for each sigma.
pub(super) struct IndexTable {
    pub(super) rows: Vec<Row>,
}

/// A statistic of the within and of the overall sigma.
pub(super) struct Row {
    name: &'static str,
    within: Option<String>,
    overall: Option<String>,
}

impl Row {
    pub(super) fn new(name: &'static str, within: Option<String>, overall: Option<String>) -> Self {
        Self { name, within, overall }
    }

    /// Indices with their intervals.
    pub(super) fn of_indices(
        name: &'static str,
        within: Option<(f64, Option<Interval>)>,
        overall: Option<(f64, Option<Interval>)>,
    ) -> Self {
        let text = |(value, interval)| index(value, interval);
        Self::new(name, within.map(text), overall.map(text))
    }

    /// Parts per million.
    pub(super) fn of_ppm(name: &'static str, within: Option<f64>, overall: Option<f64>) -> Self {
        let text = |ppm: f64| if ppm > 0.0 && ppm < NEGLIGIBLE { format!("< {NEGLIGIBLE}") } else { number(ppm) };
        Self::new(name, within.map(text), overall.map(text))
    }

    pub(super) fn has_values(&self) -> bool {
        self.within.is_some() || self.overall.is_some()
    }
}

impl IndexTable {
    pub(super) fn draw(&self, picture: &mut Picture, frame: Frame) {
        let column = |share: f64| frame.left + share * frame.width();
        picture.text((frame.left, frame.top - 8.0), Anchor::Start, MUTED, "capability");
        for (share, name) in COLUMNS.into_iter().zip(["within", "overall"]) {
            picture.text((column(share), frame.top - 8.0), Anchor::End, MUTED, name);
        }
        for (index, row) in self.rows.iter().enumerate() {
            let top = frame.top + LINE * crate::cast::float(index);
            picture.path([(frame.left, top), (frame.right, top)], false, GRID);
            picture.text((frame.left, top + 16.0), Anchor::Start, "", row.name);
            for (share, text) in COLUMNS.into_iter().zip([&row.within, &row.overall]) {
                picture.text((column(share), top + 16.0), Anchor::End, STRONG, text.as_deref().unwrap_or("–"));
            }
        }
    }
}
