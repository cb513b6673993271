//! Sentences on a terminal: a line that does not fit is broken between words, and not within one.
//!
//! What stands in backticks is to be typed or looked for, and stays together while it fits. A word that
//! is longer than the line, an address as a rule, has its own and is left to the terminal, which gives it
//! back in one piece to whoever copies it. So is the line after one that ends in `type:`.

/// The text, for that many columns; as it is where nobody knows how many there are.
pub(crate) fn wrapped(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns.filter(|columns| *columns >= NARROWEST) else {
        return text.to_owned();
    };
    let mut is_to_be_typed = false;
    let line = |line: &str| {
        let as_it_is = std::mem::replace(&mut is_to_be_typed, line.trim_end().ends_with("type:"));
        if as_it_is { line.to_owned() } else { broken(line, columns) }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// One line, in as many as it takes; the later ones stand two blanks further in.
fn broken(line: &str, columns: usize) -> String {
    let text = line.trim_end_matches('\n');
    if width(text) <= columns {
        return line.to_owned();
    }
    let words = text.trim_start_matches(' ');
    let start = text.len() - words.len();
    let indent = " ".repeat(start + INDENT);
    let mut done = " ".repeat(start);
    let mut used = start;
    for (at, word) in parts(words, columns.saturating_sub(indent.len())).into_iter().enumerate() {
        if at > 0 && used + 1 + width(word) > columns {
            done.push('\n');
            done += &indent;
            used = indent.len();
        } else if at > 0 {
            done.push(' ');
            used += 1;
        }
        done += word;
        used += width(word);
    }
    done + &line[text.len()..]
}

/// Words, and what stands in backticks as one if it fits into that many columns.
fn parts(text: &str, columns: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('`', None) => quote = Some(at),
            ('`', Some(_)) => quote = None,
            (' ', None) => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            (' ', Some(from)) => {
                let end = text[from + 1..].find('`').map(|end| from + end + 2);
                // never closed, or too long: words like any other
                if end.is_none_or(|end| width(&text[from..end]) > columns) {
                    parts.push(&text[start..at]);
                    start = at + 1;
                }
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// How many columns it takes; a colour takes none.
fn width(text: &str) -> usize {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().chars().count();
    parts.fold(first, |sum, part| {
        sum + part.split_once('m').map_or(part, |(_, rest)| rest).chars().count()
    })
}

/// With fewer columns there is no good place to break.
const NARROWEST: usize = 30;
const INDENT: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_later_ones_stand_further_in() {
        let text = "short\n  why: one two three four five six seven eight nine\nlast line of it";
        let expected =
            "short\n  why: one two three four five\n    six seven eight nine\nlast line of it";
        assert_eq!(wrapped(text, Some(32)), expected);
        assert_eq!(wrapped(text, None), text);
        assert_eq!(wrapped(text, Some(10)), text, "nothing good comes of that");
        assert_eq!(wrapped(text, Some(80)), text);
    }

    #[test]
    fn what_is_to_be_typed_stays_together_and_an_address_has_its_own_line() {
        let text = "next to it type `fleetkey login --all` or open https://a.example/a-page-that-is-long now";
        let expected = "next to it type\n  `fleetkey login --all` or open\n  \
                        https://a.example/a-page-that-is-long\n  now";
        assert_eq!(wrapped(text, Some(32)), expected);
    }

    #[test]
    fn a_quote_that_is_too_long_or_never_closed_is_words_like_others() {
        let quoted = "in `aaaa bbbb cccc dddd eeee ffff gggg hhhh` it is";
        assert_eq!(
            wrapped(quoted, Some(30)),
            "in `aaaa bbbb cccc dddd eeee\n  ffff gggg hhhh` it is"
        );
        let open = "in ` aaaa bbbb cccc dddd eeee ffff gggg";
        assert_eq!(wrapped(open, Some(30)), "in ` aaaa bbbb cccc dddd eeee\n  ffff gggg");
    }

    #[test]
    fn what_follows_type_is_left_in_one_piece() {
        let text = "it did not; type:\nfleetkey login --all --kubeconfig /a/long/path\n";
        assert_eq!(wrapped(text, Some(30)), text);
    }

    #[test]
    fn a_colour_takes_no_room() {
        let row = "\u{1b}[31mone two three four five six\u{1b}[0m";
        assert_eq!(wrapped(row, Some(30)), row);
    }

    #[test]
    fn nothing_is_lost() {
        for text in ["", "\n", " ", "a  b", "`", "` `", &"é ".repeat(99), &"x".repeat(99)] {
            for columns in 30..50 {
                let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert_eq!(squeezed(&wrapped(text, Some(columns))), squeezed(text));
            }
        }
    }
}
