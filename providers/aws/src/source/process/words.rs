//! The words of a command line, split as botocore splits them: no shell has a part in it.
//!
//! On Linux and macOS by the rules of a POSIX shell's words, as Python's `shlex` has them; on Windows
//! by those by which programs there take their own command line apart. A variable, a `~`, a pipe or a
//! semicolon means nothing.

/// The words, by the rules of this system; in place of them, what is wrong.
pub(super) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    if cfg!(windows) { windows(line) } else { posix(line) }
}

fn posix(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    // a pair of quotes with nothing between them is a word too
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => {
                let next = rest.next().ok_or("it ends in a backslash")?;
                word.get_or_insert_default().push(next);
            }
            '\'' | '"' => quoted(c, &mut rest, word.get_or_insert_default())?,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The rest of a quoted part. A backslash means something only in double quotes, before itself and
/// before a quote.
fn quoted(
    quote: char,
    rest: &mut impl Iterator<Item = char>,
    word: &mut String,
) -> Result<(), &'static str> {
    while let Some(c) = rest.next() {
        if c == quote {
            return Ok(());
        }
        if c == '\\' && quote == '"' {
            match rest.next().ok_or(UNCLOSED)? {
                next @ ('"' | '\\') => word.push(next),
                next => word.extend([c, next]),
            }
        } else {
            word.push(c);
        }
    }
    Err(UNCLOSED)
}

/// Two backslashes before a quote are one, one makes the quote a letter, and elsewhere they are
/// themselves (Microsoft, "Parsing C++ command-line arguments").
fn windows(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let (mut is_quoted, mut backslashes) = (false, 0);
    for c in line.chars() {
        if c == '\\' {
            backslashes += 1;
            continue;
        }
        let kept = if c == '"' { backslashes / 2 } else { backslashes };
        if kept > 0 {
            word.get_or_insert_default().push_str(&"\\".repeat(kept));
        }
        let is_escaped = backslashes % 2 == 1;
        backslashes = 0;
        match c {
            '"' if is_escaped => word.get_or_insert_default().push(c),
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' | '\t' if !is_quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    if is_quoted {
        return Err(UNCLOSED);
    }
    if backslashes > 0 {
        word.get_or_insert_default().push_str(&"\\".repeat(backslashes));
    }
    words.extend(word);
    Ok(words)
}

const UNCLOSED: &str = "a quote in it is not closed";

#[cfg(test)]
mod tests {
    use super::*;

    // What botocore 1.43 makes of each; `None` where it refuses.
    #[rustfmt::skip]
    const POSIX: &[(&str, Option<&[&str]>)] = &[
        ("", Some(&[])),
        ("a", Some(&["a"])),
        ("a b", Some(&["a", "b"])),
        (" a  b\t", Some(&["a", "b"])),
        ("/opt/x --y \"a b\" c", Some(&["/opt/x", "--y", "a b", "c"])),
        ("a 'b c' d", Some(&["a", "b c", "d"])),
        ("a '' b", Some(&["a", "", "b"])),
        ("a \"\" b", Some(&["a", "", "b"])),
        ("a\\ b c", Some(&["a b", "c"])),
        ("a \"b\\\"c\"", Some(&["a", "b\"c"])),
        ("a \"b\\$c\"", Some(&["a", "b\\$c"])),
        ("a 'b\\c'", Some(&["a", "b\\c"])),
        ("a\"b\"c", Some(&["abc"])),
        ("a 'b", None),
        ("a \"b", None),
        ("a\\", None),
        ("\"a\\", None),
        ("a;b | c && $(d) `e` ~ $HOME", Some(&["a;b", "|", "c", "&&", "$(d)", "`e`", "~", "$HOME"])),
        ("C:\\x\\y.exe a", Some(&["C:xy.exe", "a"])),
        ("\"C:\\Program Files\\x.exe\" -p \"a b\"", Some(&["C:\\Program Files\\x.exe", "-p", "a b"])),
        ("a \\\"b\\\" c", Some(&["a", "\"b\"", "c"])),
        ("a \\\\\"b c\" d", Some(&["a", "\\b c", "d"])),
        ("a \\\\\\\"b c", Some(&["a", "\\\"b", "c"])),
        ("a\\\\b", Some(&["a\\b"])),
        ("a \"b\\\\\"", Some(&["a", "b\\"])),
        ("a # b", Some(&["a", "#", "b"])),
        ("\"a b\"c\"d e\"", Some(&["a bcd e"])),
        ("a\nb", Some(&["a", "b"])),
        ("é \"ü x\"", Some(&["é", "ü x"])),
        ("\"\"", Some(&[""])),
        ("\"", None),
        ("a \"b\\\\\\\" c\" d", Some(&["a", "b\\\" c", "d"])),
        ("a\\\tb", Some(&["a\tb"])),
    ];

    #[rustfmt::skip]
    const WINDOWS: &[(&str, Option<&[&str]>)] = &[
        ("", Some(&[])),
        ("a", Some(&["a"])),
        ("a b", Some(&["a", "b"])),
        (" a  b\t", Some(&["a", "b"])),
        ("/opt/x --y \"a b\" c", Some(&["/opt/x", "--y", "a b", "c"])),
        ("a 'b c' d", Some(&["a", "'b", "c'", "d"])),
        ("a '' b", Some(&["a", "''", "b"])),
        ("a \"\" b", Some(&["a", "", "b"])),
        ("a\\ b c", Some(&["a\\", "b", "c"])),
        ("a \"b\\\"c\"", Some(&["a", "b\"c"])),
        ("a \"b\\$c\"", Some(&["a", "b\\$c"])),
        ("a 'b\\c'", Some(&["a", "'b\\c'"])),
        ("a\"b\"c", Some(&["abc"])),
        ("a 'b", Some(&["a", "'b"])),
        ("a \"b", None),
        ("a\\", Some(&["a\\"])),
        ("\"a\\", None),
        ("a;b | c && $(d) `e` ~ $HOME", Some(&["a;b", "|", "c", "&&", "$(d)", "`e`", "~", "$HOME"])),
        ("C:\\x\\y.exe a", Some(&["C:\\x\\y.exe", "a"])),
        ("\"C:\\Program Files\\x.exe\" -p \"a b\"", Some(&["C:\\Program Files\\x.exe", "-p", "a b"])),
        ("a \\\"b\\\" c", Some(&["a", "\"b\"", "c"])),
        ("a \\\\\"b c\" d", Some(&["a", "\\b c", "d"])),
        ("a \\\\\\\"b c", Some(&["a", "\\\"b", "c"])),
        ("a\\\\b", Some(&["a\\\\b"])),
        ("a \"b\\\\\"", Some(&["a", "b\\"])),
        ("a # b", Some(&["a", "#", "b"])),
        ("\"a b\"c\"d e\"", Some(&["a bcd e"])),
        ("a\nb", Some(&["a\nb"])),
        ("é \"ü x\"", Some(&["é", "ü x"])),
        ("\"\"", Some(&[""])),
        ("\"", None),
        ("a \"b\\\\\\\" c\" d", Some(&["a", "b\\\" c", "d"])),
        ("a\\\tb", Some(&["a\\", "b"])),
    ];

    #[test]
    fn words_are_what_botocore_makes_of_them() {
        for (line, expected) in POSIX {
            let words = posix(line).ok();
            assert_eq!(
                words,
                expected.map(|words| words.iter().map(ToString::to_string).collect()),
                "{line}"
            );
        }
        for (line, expected) in WINDOWS {
            let words = windows(line).ok();
            assert_eq!(
                words,
                expected.map(|words| words.iter().map(ToString::to_string).collect()),
                "{line}"
            );
        }
    }
}
