//! Rows of a table, lined up: how wide the columns are, and what is written below each other. What becomes of a
//! cell that is too long is each table's own affair.

/// As wide as the widest words of each column; counted in characters.
pub(crate) fn widths<'r>(
    columns: usize,
    rows: impl IntoIterator<Item = &'r Vec<String>>,
) -> Vec<usize> {
    let mut widths = vec![0; columns];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

/// Makes the widest columns narrower until all of them are no wider than that, or none can give way. `least`
/// says what a column may be narrowed to; nothing if it may not.
pub(crate) fn fit(widths: &mut [usize], least: impl Fn(usize) -> Option<usize>, width: usize) {
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let may = widths.iter_mut().enumerate().filter_map(|(column, width)| {
            let least = least(column)?;
            (*width > least).then_some(width)
        });
        let Some(widest) = may.max() else { return };
        *widest -= 1;
    }
}

/// A row, without the end of its line. `cut` makes a cell that is too long so short.
pub(crate) fn line(row: &[String], widths: &[usize], cut: fn(&str, usize) -> String) -> String {
    let mut line = String::new();
    for (cell, width) in row.iter().zip(widths) {
        let is_long = cell.chars().count() > *width;
        let cell = if is_long { cut(cell, *width) } else { cell.clone() };
        let rest = width - cell.chars().count().min(*width);
        line = line + &cell + &" ".repeat(rest) + GAP;
    }
    line.truncate(line.trim_end().len());
    line
}

const GAP: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_give_way_does_widest_first_and_the_rest_is_lined_up() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["é", "long enough", "longest of all"]), row(["", "b", ""])];
        let mut widths = widths(3, &rows);
        assert_eq!(widths, [1, 11, 14]);
        fit(&mut widths, |column| [None, Some(10), Some(5)][column], 24);
        assert_eq!(widths, [1, 10, 9]);
        let cut = |cell: &str, width: usize| cell.chars().take(width).collect();
        assert_eq!(line(&rows[0], &widths, cut), "é  long enoug  longest o");
        assert_eq!(line(&rows[1], &widths, cut), "   b");
        fit(&mut widths, |column| [None, Some(10), Some(5)][column], 0);
        assert_eq!(widths, [1, 10, 5]);
    }
}
