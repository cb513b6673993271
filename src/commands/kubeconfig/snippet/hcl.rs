//! Terraform's language, as far as a snippet needs it, in the form that `terraform fmt` leaves alone.

/// What stands between braces.
#[derive(Clone, Debug, Default)]
pub(super) struct Body(Vec<Item>);

#[derive(Clone, Debug)]
enum Item {
    /// `name = value`, on one line or more.
    Attribute(String, String),
    /// `name { … }`, or `name = { … }`.
    Nested(String, Body),
}

impl Body {
    /// A name, and an expression on one line.
    pub(super) fn set(&mut self, name: &str, expression: impl Into<String>) {
        self.0.push(Item::Attribute(name.to_owned(), expression.into()));
    }

    /// What stands before braces, with its ` =` if it has one, and what is between them.
    pub(super) fn nest(&mut self, head: &str, body: Self) {
        self.0.push(Item::Nested(head.to_owned(), body));
    }

    /// A list of texts: each flag with its value on a line.
    pub(super) fn list(&mut self, name: &str, words: &[String]) {
        let mut lines = Vec::new();
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let mut line = string(word);
            if let Some(value) = words.next_if(|next| !next.starts_with('-')) {
                line = format!("{line}, {}", string(value));
            }
            lines.push(format!("{line},"));
        }
        self.set(name, format!("[\n{}\n]", lines.join("\n")));
    }

    /// The text of it, each line so far in.
    pub(super) fn render(&self, column: usize, out: &mut String) {
        let margin = " ".repeat(column);
        let mut items = self.0.as_slice();
        while let Some((item, rest)) = items.split_first() {
            let stretch: Vec<_> = items.iter().map_while(Item::on_one_line).collect();
            if stretch.is_empty() {
                item.render(column, out);
                items = rest;
                continue;
            }
            let width = stretch.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            for (name, value) in &stretch {
                out.extend([format!("{margin}{name:width$} = {value}\n")]);
            }
            items = &items[stretch.len()..];
        }
    }
}

impl Item {
    fn on_one_line(&self) -> Option<(&str, &str)> {
        match self {
            Self::Attribute(name, value) if !value.contains('\n') => Some((name, value)),
            _ => None,
        }
    }

    fn render(&self, column: usize, out: &mut String) {
        let margin = " ".repeat(column);
        match self {
            Self::Attribute(name, value) => {
                let lines: Vec<&str> = value.lines().collect();
                let last = lines.len().saturating_sub(1);
                for (at, line) in lines.iter().enumerate() {
                    let line = match at {
                        0 => format!("{name} = {line}"),
                        _ if at == last => (*line).to_owned(),
                        _ => format!("  {line}"),
                    };
                    out.extend([margin.as_str(), &line, "\n"]);
                }
            }
            Self::Nested(head, body) => {
                out.extend([margin.as_str(), head, " {\n"]);
                body.render(column + 2, out);
                out.extend([margin.as_str(), "}\n"]);
            }
        }
    }
}

/// A text in quotes, in which nothing is computed.
pub(super) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            // `${` and `%{` begin a template
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            c if c.is_control() || is_unseen(c) => {
                out.extend([format!("\\u{:04x}", u32::from(c))]);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key of an object: bare where it may be.
pub(super) fn key(name: &str) -> String {
    let is_bare = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_bare { name.to_owned() } else { string(name) }
}

/// Characters that turn text around, or are not seen at all.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_computed() {
        for (text, expected) in [
            ("plain", r#""plain""#),
            (r#"a"b\c"#, r#""a\"b\\c""#),
            ("${var.x} $${y} $x {", r#""$${var.x} $$${y} $x {""#),
            ("%{if} 5%", r#""%%{if} 5%""#),
            ("a\nb\tc\r\u{1b}\u{202e}", r#""a\nb\tc\r\u001b\u202e""#),
        ] {
            assert_eq!(string(text), expected);
        }
        assert_eq!([key("AZ_x1"), key("1a"), key("a.b")], ["AZ_x1", "\"1a\"", "\"a.b\""]);
    }

    #[test]
    fn neighbours_are_aligned_and_what_takes_lines_is_not() {
        let mut inner = Body::default();
        inner.set("a", "1");
        inner.set("long", "2");
        let words = ["get-token", "mars", "--a", "b", "--c", "--d=e"].map(str::to_owned);
        inner.list("args", &words);
        let mut body = Body::default();
        body.nest("exec", inner);
        let mut out = String::new();
        body.render(2, &mut out);
        assert_eq!(
            out,
            "  exec {\n    a    = 1\n    long = 2\n    args = [\n      \"get-token\", \"mars\",\n      \
             \"--a\", \"b\",\n      \"--c\",\n      \"--d=e\",\n    ]\n  }\n"
        );
    }
}
