//! The shape of a row of JSON: rows of a log differ in their values, and hardly in anything else.
//!
//! Text that stood between the values of an earlier row needs no parsing when it comes again: a comparison tells that
//! names, punctuation and spaces are the same. Only the values are looked at.

use std::ops::Range;

use super::json_scan::{DEEPEST, Scan};

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// It is passed over.
    Skip,
    /// It is taken as the field at this place, unless it is an object.
    Take(usize),
    /// Fields inside it may be wanted, and itself at this place if it is no object.
    Enter(Option<usize>),
}

/// What is done with the values at paths such as `timings.prompt_ms`.
#[derive(Debug)]
pub(super) struct Paths(Vec<(String, Action)>);

impl Paths {
    /// Each of these is taken, as the field at its place.
    pub(super) fn of(names: &[String]) -> Self {
        let mut paths: Vec<_> = names.iter().cloned().zip((0..).map(Action::Take)).collect();
        for name in names {
            for (dot, _) in name.match_indices('.') {
                let above = &name[..dot];
                match paths.iter_mut().find(|(path, _)| path == above) {
                    Some((_, action)) => *action = Action::Enter(action.field()),
                    None => paths.push((above.to_owned(), Action::Enter(None))),
                }
            }
        }
        Self(paths)
    }

    pub(super) fn action(&self, path: &str) -> Action {
        self.0.iter().find(|(known, _)| known == path).map_or(Action::Skip, |(_, action)| *action)
    }
}

impl Action {
    /// The field that a value is taken as which is no object.
    pub(super) fn field(self) -> Option<usize> {
        match self {
            Self::Skip => None,
            Self::Take(field) => Some(field),
            Self::Enter(field) => field,
        }
    }
}

/// A row without its values.
#[derive(Debug)]
pub(super) struct Shape {
    gaps: Vec<Gap>,
    /// What follows the last value.
    end: Box<str>,
}

/// Where a value stands.
#[derive(Debug)]
struct Gap {
    /// What comes before it.
    before: Box<str>,
    action: Action,
}

impl Shape {
    /// The shape of a row. `None` for what is no plain object.
    pub(super) fn of(row: &str, paths: &Paths) -> Option<Self> {
        let (mut gaps, mut end) = (Vec::new(), 0);
        walk(row, paths, &mut |place: Range<usize>, action| {
            gaps.push(Gap { before: row[end..place.start].into(), action });
            end = place.end;
        })?;
        Some(Self { gaps, end: row[end..].into() })
    }

    /// Gives the values that are wanted of the row at the beginning of `text` to `take`, and says how long the row is,
    /// with the end of its line. `None` if it is of another shape, or not plain; some values may have been given then.
    pub(super) fn values<'b>(&self, text: &'b str, mut take: impl FnMut(usize, &'b str)) -> Option<usize> {
        let mut scan = Scan::of(text);
        for gap in &self.gaps {
            scan.literally(&gap.before).then_some(())?;
            let value = scan.value()?;
            // An object where a value stood is looked into in another shape.
            if gap.action != Action::Skip && value.starts_with('{') {
                return None;
            }
            if let Some(field) = gap.action.field() {
                take(field, value);
            }
        }
        scan.literally(&self.end).then_some(())?;
        let end_of_line = match scan.rest() {
            [] => 0,
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return None,
        };
        Some(scan.at() + end_of_line)
    }
}

/// Gives each value of a row that is not an object of others to `found`, with its place in the row and what is to be done
/// with it. `None` for what is no plain object; some values may have been given then.
pub(super) fn walk(row: &str, paths: &Paths, found: &mut impl FnMut(Range<usize>, Action)) -> Option<()> {
    let mut scan = Scan::of(row);
    walk_object(&mut scan, &mut String::new(), DEEPEST, paths, found)?;
    scan.is_at_end().then_some(())
}

fn walk_object(
    scan: &mut Scan<'_>,
    path: &mut String,
    depth: usize,
    paths: &Paths,
    found: &mut impl FnMut(Range<usize>, Action),
) -> Option<()> {
    let deeper = depth.checked_sub(1)?;
    let above = path.len();
    scan.all(b'{', b'}', |scan| {
        path.truncate(above);
        path.push_str(scan.name()?);
        let action = paths.action(path);
        scan.space();
        if scan.peek()? == b'{' {
            path.push('.');
            return walk_object(scan, path, deeper, paths, found);
        }
        let start = scan.at();
        scan.value()?;
        found(start..scan.at(), action);
        Some(())
    })
}
