//! The shape of a JSON row. The rows of a log differ in their values and in hardly anything else.
//!
//! Text that lies between the values of a previous row needs no parsing when it occurs again: one comparison shows that
//! names, punctuation and spaces are the same. Only the values are scanned.

use std::ops::Range;

use super::json_scan::{DEEPEST, Scan};

/// How to handle a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Skip it.
    Skip,
    /// Take it as the field at this index, unless it is an object.
    Take(usize),
    /// Look for requested fields inside it; take it as the field at this index if it is not an object.
    Enter(Option<usize>),
}

/// How to handle the values at paths such as `timings.prompt_ms`.
#[derive(Debug)]
pub(super) struct Paths {
    paths: Vec<(String, Action)>,
    /// The lengths that occur, as bits: most names of a row have none of them.
    lengths: u64,
}

impl Paths {
    /// Takes each of these names as the field at its index.
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
        let lengths = paths.iter().fold(0, |lengths, (path, _)| lengths | bit_of(path));
        Self { paths, lengths }
    }

    pub(super) fn action(&self, path: &str) -> Action {
        if self.lengths & bit_of(path) == 0 {
            return Action::Skip;
        }
        self.paths.iter().find(|(known, _)| known == path).map_or(Action::Skip, |(_, action)| *action)
    }
}

/// The bit of a path's length; long paths share one.
fn bit_of(path: &str) -> u64 {
    1 << path.len().min(63)
}

impl Action {
    /// The index of the field that takes a value which is not an object.
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
    /// The text after the last value.
    end: Box<str>,
}

/// The place of a value.
#[derive(Debug)]
struct Gap {
    /// The text before the value.
    before: Box<str>,
    action: Action,
}

impl Shape {
    /// The shape of a row; `None` if the row is not a plain object.
    pub(super) fn of(row: &str, paths: &Paths) -> Option<Self> {
        let (mut gaps, mut end) = (Vec::new(), 0);
        walk(row, paths, &mut |place: Range<usize>, action| {
            gaps.push(Gap { before: row[end..place.start].into(), action });
            end = place.end;
        })?;
        Some(Self { gaps, end: row[end..].into() })
    }

    /// Passes the requested values of the row at the beginning of `text` to `take` and returns the length of the row,
    /// including its line ending. `None` if the row has another shape or is not plain; `take` may then already have
    /// received some values.
    pub(super) fn values<'b>(&self, text: &'b str, mut take: impl FnMut(usize, &'b str)) -> Option<usize> {
        let mut scan = Scan::of(text);
        for gap in &self.gaps {
            scan.literally(&gap.before).then_some(())?;
            let value = scan.value()?;
            // An object in place of a plain value belongs to another shape.
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

/// Passes each value of a row that is not a non-empty object to `found`, with its range in the row and the action for
/// it. `None` if the row is not a plain object; `found` may then already have received some values.
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
