//! The change of the level, under the chart.

use llmscope_core::Analysis;
use llmscope_core::plot::ChangeMark;

/// `↑ +119 % since 11:42:49`, with the arrow under the first of the `columns` of the chart after the change, and whether the
/// change is for the worse. Near the right end, the label is left of the arrow. `None` without such a change.
pub(super) fn change_mark(analysis: &Analysis, columns: usize, is_utf8: bool) -> Option<(String, bool)> {
    let mark = ChangeMark::of(analysis)?;
    let points = analysis.drawing.as_ref()?.chart.points.len();
    let arrow = if is_utf8 { "↑" } else { "^" };
    Some((placed(mark.point * columns / points.max(1), columns, arrow, &mark.label()), mark.is_worse))
}

fn placed(column: usize, columns: usize, arrow: &str, label: &str) -> String {
    let length = label.chars().count() + 1;
    if column + length < columns || column < length {
        return format!("{}{arrow} {label}", " ".repeat(column));
    }
    format!("{}{label} {arrow}", " ".repeat(column - length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrow_stays_under_its_column() {
        let column = |text: &str| text.chars().position(|c| c == '^');
        for at in 0..40 {
            let text = placed(at, 40, "^", "+119 % since x");
            assert_eq!(column(&text), Some(at), "{text}");
        }
        assert_eq!(placed(3, 40, "^", "+1 %"), "   ^ +1 %");
        assert_eq!(placed(39, 40, "^", "+1 %"), format!("{}+1 % ^", " ".repeat(34)));
    }
}
