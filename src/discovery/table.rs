//! Rows and columns on a terminal, or for a program that reads lines.

use crate::row;

/// The rows below their heading, as wide as their widest words. Where a terminal is that wide and no
/// wider, the widest columns give way; what does not fit ends in `…`. The last two columns are read most,
/// and give way last.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let heading: Vec<String> = heading.iter().map(|&word| word.to_owned()).collect();
    let all = || std::iter::once(&heading).chain(rows);
    let mut widths = row::widths(heading.len(), all());
    if let Some(width) = width {
        row::fit(&mut widths, |_| Some(NARROWEST), width);
    }
    all().map(|row| row::line(row, &widths, cut) + "\n").collect()
}

/// The beginning of a cell.
fn cut(cell: &str, width: usize) -> String {
    cell.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

const NARROWEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        [["a", "a name that is long"], ["bc", ""]].map(|row| row.map(str::to_owned).into()).into()
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let text = "X   NAME\na   a name that is long\nbc\n";
        assert_eq!(table(&["X", "NAME"], &rows(), None), text);
        assert_eq!(table(&["X", "NAME"], &rows(), Some(80)), text);
    }

    #[test]
    fn what_does_not_fit_ends_in_dots_and_nothing_becomes_unreadable() {
        let text = "X   NAME\na   a name that…\nbc\n";
        assert_eq!(table(&["X", "NAME"], &rows(), Some(16)), text);
        assert_eq!(table(&["X", "NAME"], &rows(), Some(1)), "X   NAME\na   a name …\nbc\n");
    }
}
