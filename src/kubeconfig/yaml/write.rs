//! Values as YAML, in the manner of what they are put beside.

use std::borrow::Cow;

use serde_json::Value;

use super::tree::Style;

/// A scalar in that style, or in the next best one that can say it.
pub(crate) fn scalar(text: &str, style: Style) -> Cow<'_, str> {
    match style {
        Style::Plain if is_plain(text) => text.into(),
        Style::Single if !text.chars().any(char::is_control) => {
            format!("'{}'", text.replace('\'', "''")).into()
        }
        _ => Value::from(text).to_string().into(),
    }
}

/// A value on one line; it is JSON, too.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pair = |(key, value): (&String, &Value)| {
                format!("{}: {}", Value::from(key.as_str()), flow(value))
            };
            format!("{{{}}}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        simple => simple.to_string(),
    }
}

/// A value over lines, as clients write it: its first line begins where it is put, the others at that
/// column. Without a line end behind it.
pub(crate) fn block(value: &Value, column: usize, line_end: &str) -> String {
    let next = format!("{line_end}{}", " ".repeat(column));
    match value {
        Value::Array(items) if !items.is_empty() => {
            let item = |item| format!("- {}", block(item, column + 2, line_end));
            items.iter().map(item).collect::<Vec<_>>().join(&next)
        }
        Value::Object(map) if !map.is_empty() => {
            let pair = |(key, value): (&String, _)| pair(key, value, column, line_end);
            map.iter().map(pair).collect::<Vec<_>>().join(&next)
        }
        Value::String(text) => scalar(text, Style::Plain).into_owned(),
        simple => flow(simple),
    }
}

/// A key and its value.
fn pair(key: &str, value: &Value, column: usize, line_end: &str) -> String {
    let key = scalar(key, Style::Plain);
    let below = |column: usize| {
        format!("{key}:{line_end}{}{}", " ".repeat(column), block(value, column, line_end))
    };
    match value {
        Value::Array(items) if !items.is_empty() => below(column),
        Value::Object(map) if !map.is_empty() => below(column + 2),
        simple => format!("{key}: {}", block(simple, column, line_end)),
    }
}

/// Whether text is itself, without quotes, to every reader of YAML, of versions 1.1 and 1.2.
fn is_plain(text: &str) -> bool {
    const WORDS: &[&str] =
        &["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    let first = text.bytes().next();
    let begins = match first {
        Some(b'-') => text.len() > 2 && text.as_bytes()[1] == b'-' && text != "---",
        Some(b'0'..=b'9') => is_uuid(text),
        Some(byte) => byte.is_ascii_alphabetic() || byte == b'/' || byte == b'_',
        None => false,
    };
    begins
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:@+=".contains(&byte))
        && !text.ends_with(':')
}

/// Such as tenants and applications have for names: no number and no date looks like one.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::parse, *};

    #[test]
    fn quotes_are_kept_and_put_where_they_are_needed() {
        for (text, style, written) in [
            ("mars", Style::Plain, "mars"),
            ("--region", Style::Plain, "--region"),
            (
                "6dae42f8-4368-4678-94ff-3960e28e3630",
                Style::Plain,
                "6dae42f8-4368-4678-94ff-3960e28e3630",
            ),
            ("id:of:a::111122223333:role/r", Style::Plain, "id:of:a::111122223333:role/r"),
            ("111122223333", Style::Plain, "\"111122223333\""),
            ("2026-01-02", Style::Plain, "\"2026-01-02\""),
            ("no", Style::Plain, "\"no\""),
            ("", Style::Plain, "\"\""),
            ("- x", Style::Plain, "\"- x\""),
            ("-", Style::Plain, "\"-\""),
            ("a: b", Style::Plain, "\"a: b\""),
            ("a #b", Style::Plain, "\"a #b\""),
            ("u=x, y", Style::Plain, "\"u=x, y\""),
            ("it's", Style::Single, "'it''s'"),
            ("a\nb", Style::Single, "\"a\\nb\""),
            ("x", Style::Double, "\"x\""),
            ("x", Style::Block, "\"x\""),
        ] {
            assert_eq!(scalar(text, style), written);
        }
    }

    #[test]
    fn what_is_written_means_what_it_was() {
        let value = json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "args": ["get-token", "- x", "é\u{1b}", "", "~", "0x1f"],
            "env": [{"name": "A", "value": "b: c"}, {"name": "B", "value": "12:30:45"}],
            "null": null, "none": [], "nothing": {}, "provideClusterInfo": true,
            "deep": {"er": [["a"], [{"b": "c"}]]},
        });
        for line_end in ["\n", "\r\n"] {
            for text in [flow(&value), block(&value, 0, line_end)] {
                let tree = parse(&text).unwrap();
                assert_eq!(tree.value(tree.root().unwrap()).unwrap(), value, "{text}");
            }
        }
        let indented = format!("a:\n      {}\n", block(&value, 6, "\n"));
        let tree = parse(&indented).unwrap();
        let a = tree.get(tree.root().unwrap(), "a").unwrap();
        assert_eq!(tree.value(a).unwrap(), value);
    }
}
