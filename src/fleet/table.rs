//! Rows and columns on a terminal, each row in a colour of its own.
//!
//! Where a terminal is narrow, the columns give way that may, the widest first; times and numbers never do.

use crate::row;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its heading.
    pub(crate) name: &'static str,
    /// What it may be narrowed to; nothing if it may not.
    pub(crate) least: Option<usize>,
}

/// How a row is meant, which a colour says once more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tone {
    /// All is well.
    Plain,
    /// Somebody will have to do something.
    Due,
    /// Something is wrong.
    Wrong,
}

impl Column {
    /// One that may be narrowed to so many characters.
    pub(crate) const fn wide(name: &'static str, least: usize) -> Self {
        Self { name, least: Some(least) }
    }

    /// One that stays as wide as it is.
    pub(crate) const fn fixed(name: &'static str) -> Self {
        Self { name, least: None }
    }
}

/// The rows below their heading. `width` is that of the terminal, if there is one.
pub(crate) fn table(
    columns: &[Column],
    rows: &[(Tone, Vec<String>)],
    width: Option<usize>,
    coloured: bool,
) -> String {
    let heading: Vec<String> = columns.iter().map(|column| column.name.to_owned()).collect();
    let all = std::iter::once(&heading).chain(rows.iter().map(|(_, row)| row));
    let mut widths = row::widths(columns.len(), all);
    if let Some(width) = width {
        row::fit(&mut widths, |column| columns[column].least, width);
    }
    let mut text = paint(&row::line(&heading, &widths, cut), coloured.then_some(BOLD));
    for (tone, row) in rows {
        let colour = match tone {
            Tone::Plain => None,
            Tone::Due => Some(MAGENTA),
            Tone::Wrong => Some(RED),
        };
        text += &paint(&row::line(row, &widths, cut), colour.filter(|_| coloured));
    }
    text
}

/// Both ends of a cell: names begin alike, or end alike.
fn cut(cell: &str, width: usize) -> String {
    let length = cell.chars().count();
    let end = width.saturating_sub(1) / 2;
    let start = width.saturating_sub(1) - end;
    cell.chars().take(start).chain(['…']).chain(cell.chars().skip(length - end)).collect()
}

fn paint(line: &str, colour: Option<&str>) -> String {
    match colour {
        Some(colour) => format!("\u{1b}[{colour}m{line}\u{1b}[0m\n"),
        None => format!("{line}\n"),
    }
}

const BOLD: &str = "1";
const RED: &str = "31";
/// Yellow is the ground of light terminals, nearly, and blue of dark ones.
const MAGENTA: &str = "35";

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] = [Column::wide("NAME", 6), Column::fixed("UNTIL")];

    fn rows() -> Vec<(Tone, Vec<String>)> {
        let row = |name: &str, until: &str| vec![name.to_owned(), until.to_owned()];
        vec![(Tone::Plain, row("short", "8 h")), (Tone::Wrong, row("a longer name", "59 min 1 s"))]
    }

    #[test]
    fn what_may_give_way_does_and_nothing_else() {
        let text = "NAME           UNTIL\nshort          8 h\na longer name  59 min 1 s\n";
        assert_eq!(table(&COLUMNS, &rows(), None, false), text);
        let text = "NAME      UNTIL\nshort     8 h\na lo…ame  59 min 1 s\n";
        assert_eq!(table(&COLUMNS, &rows(), Some(20), false), text);
        let text = "NAME    UNTIL\nshort   8 h\na l…me  59 min 1 s\n";
        assert_eq!(table(&COLUMNS, &rows(), Some(1), false), text);
    }

    #[test]
    fn colours_change_no_column() {
        let text = table(&COLUMNS, &rows(), None, true);
        assert!(text.starts_with("\u{1b}[1mNAME           UNTIL\u{1b}[0m\n"), "{text:?}");
        assert!(text.contains("\n\u{1b}[31ma longer name"), "{text:?}");
        let plain = ["\u{1b}[1m", "\u{1b}[31m", "\u{1b}[0m"];
        let plain = plain.iter().fold(text, |text, code| text.replace(code, ""));
        assert_eq!(plain, table(&COLUMNS, &rows(), None, false));
    }
}
