//! Rows and columns on a terminal, or for a program that reads lines.

/// The rows below their heading, as wide as their widest words. Where a terminal is that wide and no
/// wider, the widest columns give way; what does not fit ends in `…`. The last two columns are read most,
/// and give way last.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let heading: Vec<String> = heading.iter().map(|&word| word.to_owned()).collect();
    let all = || std::iter::once(&heading).chain(rows);
    let mut widths = vec![0; heading.len()];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    if let Some(width) = width {
        fit(&mut widths, width);
    }
    all().map(|row| line(row, &widths)).collect()
}

/// Makes the widest columns narrower until all of them fit, or none can be.
fn fit(widths: &mut [usize], width: usize) {
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let Some(widest) = widths.iter_mut().max() else { return };
        if *widest <= NARROWEST {
            return;
        }
        *widest -= 1;
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in row.iter().zip(widths) {
        let length = cell.chars().count();
        let cell: String = if length > *width {
            cell.chars().take(width.saturating_sub(1)).chain(['…']).collect()
        } else {
            cell.clone()
        };
        let rest = width - cell.chars().count().min(*width);
        line = line + &cell + &" ".repeat(rest) + GAP;
    }
    line.truncate(line.trim_end().len());
    line + "\n"
}

const GAP: &str = "  ";
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
