//! Reads Markdown tables, as tools print them for display.

/// The rows of pipe tables with their 1-based lines: trimmed cells, including headers, without delimiter rows.
pub(super) fn rows(text: &str) -> impl Iterator<Item = (u64, Vec<String>)> + '_ {
    (1..)
        .zip(text.lines())
        .filter_map(|(number, line)| Some((number, cells(line)?)))
        .filter(|(_, cells)| !is_ruler(cells))
}

/// The cells of a line if it is a row of a table. A pipe after a backslash is part of the text.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let bars = inner.match_indices('|').map(|(at, _)| at).filter(|&at| !inner[..at].ends_with('\\'));
    let (mut cells, mut begins) = (Vec::new(), 0);
    for end in bars.chain([inner.len()]) {
        cells.push(inner[begins..end].trim().replace("\\|", "|"));
        begins = (end + 1).min(inner.len());
    }
    Some(cells)
}

/// True for the delimiter row between header and body.
fn is_ruler(cells: &[String]) -> bool {
    cells.iter().all(|cell| cell.contains('-') && cell.chars().all(|c| c == '-' || c == ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_trimmed_and_rulers_left_out() {
        let text = "log\n\n| a | b \\| c |\n|:--|---:|\n| 1 |  |\n";
        let rows: Vec<_> = rows(text).collect();
        assert_eq!(rows, [(3, vec!["a".to_owned(), "b | c".to_owned()]), (5, vec!["1".to_owned(), String::new()])]);
    }
}
