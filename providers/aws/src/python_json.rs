//! JSON, byte for byte as Python's `json.dumps` writes it: what lies in the folders of the AWS CLI was
//! written by that, and names of files there are hashes of it.
//!
//! Only ASCII comes out (`ensure_ascii`), and `, ` and `: ` stand between things; in the minified form
//! `,` and `:` do.

use std::io::{Result, Write};

use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

/// `json.dumps(value)`.
pub(crate) fn dumps(value: &impl Serialize) -> Vec<u8> {
    write(value, Python { comma: b", ", colon: b": " })
}

/// `json.dumps(value, separators=(",", ":"))`.
pub(crate) fn minified(value: &impl Serialize) -> Vec<u8> {
    write(value, Python { comma: b",", colon: b":" })
}

fn write(value: &impl Serialize, python: Python) -> Vec<u8> {
    let mut bytes = Vec::new();
    // texts and numbers into memory: there is nothing that could fail
    drop(value.serialize(&mut Serializer::with_formatter(&mut bytes, python)));
    bytes
}

struct Python {
    comma: &'static [u8],
    colon: &'static [u8],
}

impl Python {
    fn between<W: ?Sized + Write>(&self, writer: &mut W, first: bool) -> Result<()> {
        if first { Ok(()) } else { writer.write_all(self.comma) }
    }
}

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> Result<()> {
        self.between(writer, first)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> Result<()> {
        self.between(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> Result<()> {
        writer.write_all(self.colon)
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> Result<()> {
        for c in fragment.chars() {
            // all but what can be seen is escaped, the last of ASCII too
            if (' '..='~').contains(&c) {
                writer.write_all(&[c as u8])?;
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_are_those_of_python() {
        // python3 -c 'import json; print(json.dumps({"a": "é\"\\/\n\t\x1b\x7f😀", "b": [1, 2.5, None, True], "c": {}}))'
        let value = json!({
            "a": "é\"\\/\n\t\u{1b}\u{7f}😀",
            "b": [1, 2.5, null, true],
            "c": {},
        });
        let expected = concat!(
            r#"{"a": "\u00e9\"\\/\n\t\u001b\u007f\ud83d\ude00", "#,
            r#""b": [1, 2.5, null, true], "c": {}}"#
        );
        assert_eq!(String::from_utf8(dumps(&value)).unwrap(), expected);
        assert_eq!(minified(&json!({"a": [1, "b"], "c": 2})), br#"{"a":[1,"b"],"c":2}"#);
    }
}
