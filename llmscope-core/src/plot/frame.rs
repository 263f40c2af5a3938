//! The rectangle of a panel inside a picture, and its axes.

use super::axis::Axis;
use super::style::{GRID, MUTED, TICK, TICK_HEIGHT, TICK_WIDTH, ticks};
use super::svg::{Anchor, Picture};

/// A rectangle in the units of the picture; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Frame {
    pub(super) fn width(self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(self) -> f64 {
        self.bottom - self.top
    }

    /// An axis of values: lines across the frame, with labels on the left.
    pub(super) fn draw_values(self, picture: &mut Picture, y: &Axis) {
        let (values, decimals) = y.ticks(ticks(self.height(), TICK_HEIGHT));
        for tick in values {
            let y = y.at(tick);
            picture.path([(self.left, y), (self.right, y)], false, GRID);
            picture.text((self.left - 8.0, y + 4.0), Anchor::End, MUTED, &format!("{tick:.decimals$}"));
        }
    }

    /// An axis of time below the frame, with about `wanted` labels of whole positions; `what` names a position.
    pub(super) fn draw_positions(self, picture: &mut Picture, x: &Axis, wanted: f64, what: &str) {
        for tick in x.ticks(wanted).0.into_iter().filter(|tick| tick.fract() == 0.0) {
            self.draw_tick_below(picture, x.at(tick), &format!("{tick}"));
        }
        self.draw_title_below(picture, &format!("{what}, in time order"));
    }

    /// An axis of values below the frame: marks with their labels.
    pub(super) fn draw_values_below(self, picture: &mut Picture, x: &Axis) {
        let (values, decimals) = x.ticks(ticks(self.width(), TICK_WIDTH));
        for tick in values {
            self.draw_tick_below(picture, x.at(tick), &format!("{tick:.decimals$}"));
        }
    }

    /// A mark with its label below the frame.
    pub(super) fn draw_tick_below(self, picture: &mut Picture, x: f64, label: &str) {
        picture.path([(x, self.bottom), (x, self.bottom + 4.0)], false, TICK);
        self.draw_label_below(picture, x, label);
    }

    /// A label below the frame.
    pub(super) fn draw_label_below(self, picture: &mut Picture, x: f64, label: &str) {
        picture.text((x, self.bottom + 18.0), Anchor::Middle, MUTED, label);
    }

    /// The title of the axis below the frame.
    pub(super) fn draw_title_below(self, picture: &mut Picture, title: &str) {
        picture.text((self.right, self.bottom + 36.0), Anchor::End, MUTED, title);
    }
}
