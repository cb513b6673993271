//! How a made kubeconfig is written: block or flow, quoted or not, with comments between.

use super::{Dice, Made};

/// Writes values in the manner of one file, with comments between.
pub(super) struct Writer {
    /// Lists stand further in than their keys.
    pub(super) wide: bool,
    pub(super) step: usize,
    pub(super) line_end: &'static str,
    pub(super) comments: Vec<String>,
    pub(super) flow_only: bool,
    pub(super) dice: Dice,
}

impl Writer {
    pub(super) fn write(&mut self, made: &Made, column: usize, out: &mut String) {
        if self.flow_only {
            self.flow(made, column, out);
        } else {
            self.block(made, column, out);
        }
    }

    fn block(&mut self, made: &Made, column: usize, out: &mut String) {
        match made {
            Made::Map(pairs) if !pairs.is_empty() => {
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        self.new_line(column, out);
                    }
                    *out += key;
                    out.push(':');
                    self.value(value, column, out);
                }
            }
            Made::List(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.new_line(column, out);
                    }
                    *out += "- ";
                    match item {
                        Made::Map(_) if self.dice.once_in(9) => self.flow(item, column, out),
                        item => self.block(item, column + 2, out),
                    }
                }
            }
            simple => self.simple(simple, column, out),
        }
    }

    /// What follows a key.
    fn value(&mut self, value: &Made, column: usize, out: &mut String) {
        let (anchor, value) = match value {
            Made::Anchored(name, value) => (Some(name), &**value),
            value => (None, value),
        };
        if let Some(anchor) = anchor {
            *out += " &";
            *out += anchor;
        }
        match value {
            Made::Map(pairs) if !pairs.is_empty() && !self.dice.once_in(9) => {
                self.new_line(column + self.step, out);
                self.block(value, column + self.step, out);
            }
            Made::List(items) if !items.is_empty() && !self.dice.once_in(6) => {
                let column = if self.wide { column + self.step } else { column };
                self.new_line(column, out);
                self.block(value, column, out);
            }
            Made::Text(text) if text.contains('\n') => {
                *out += " |-";
                for line in text.split('\n') {
                    *out += self.line_end;
                    *out += &" ".repeat(column + self.step);
                    *out += line;
                }
            }
            value => {
                out.push(' ');
                self.simple(value, column, out);
            }
        }
    }

    /// What stands on one line.
    fn simple(&mut self, made: &Made, column: usize, out: &mut String) {
        match made {
            Made::Text(text) => *out += &self.scalar(text),
            Made::Alias(name) if out.contains(&format!("&{name}")) => {
                out.push('*');
                *out += name;
            }
            // there is none of that name
            Made::Alias(_) => *out += "{}",
            Made::Anchored(_, value) => self.simple(value, column, out),
            other => self.flow(other, column, out),
        }
    }

    fn flow(&mut self, made: &Made, column: usize, out: &mut String) {
        let pretty = self.flow_only;
        let set_off = |out: &mut String, column: usize, line_end: &str| {
            if pretty {
                *out += line_end;
                *out += &" ".repeat(column);
            }
        };
        let deeper = column + 4;
        match made {
            Made::Map(pairs) => {
                out.push('{');
                for (index, (key, value)) in pairs.iter().enumerate() {
                    *out += if index == 0 {
                        ""
                    } else if pretty {
                        ","
                    } else {
                        ", "
                    };
                    set_off(out, deeper, self.line_end);
                    let key = if pretty { format!("{key:?}") } else { key.clone() };
                    *out += &key;
                    *out += ": ";
                    self.flow(value, deeper, out);
                }
                if !pairs.is_empty() {
                    set_off(out, column, self.line_end);
                }
                out.push('}');
            }
            Made::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    *out += if index == 0 {
                        ""
                    } else if pretty {
                        ","
                    } else {
                        ", "
                    };
                    set_off(out, deeper, self.line_end);
                    self.flow(item, deeper, out);
                }
                if !items.is_empty() {
                    set_off(out, column, self.line_end);
                }
                out.push(']');
            }
            Made::Text(text) if pretty && (text == "true" || text == "false") => *out += text,
            Made::Text(text) => *out += &serde_json::Value::from(text.as_str()).to_string(),
            other => self.simple(other, column, out),
        }
    }

    /// Another line, perhaps behind a comment, perhaps after some.
    fn new_line(&mut self, column: usize, out: &mut String) {
        // within a block scalar nothing is a comment
        let is_text = out
            .rsplit('\n')
            .next()
            .is_some_and(|line| !line.contains(": ") && !line.trim_start().starts_with('-'))
            && out.contains("|-");
        if !is_text && self.dice.once_in(8) {
            let comment = self.comment();
            *out += "   ";
            *out += &comment;
        }
        *out += self.line_end;
        while !is_text && self.dice.once_in(9) {
            *out += &" ".repeat(column);
            let comment = self.comment();
            *out += &comment;
            *out += self.line_end;
        }
        if !is_text && self.dice.once_in(30) {
            *out += self.line_end;
        }
        *out += &" ".repeat(column);
    }

    fn comment(&mut self) -> String {
        let kind = self.dice.one_of(&["note", "a: b", "- x", "\"quoted\"", "ünï {", "*a &b"]);
        let comment = format!("# c{:04} {kind}", self.comments.len());
        self.comments.push(comment.clone());
        comment
    }

    fn scalar(&mut self, text: &str) -> String {
        let plain = !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=~".contains(c))
            && !text.starts_with(['-', '~', '='])
            && text != "no"
            && text.parse::<f64>().is_err();
        let flag = text.starts_with("--")
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-=._".contains(c));
        match self.dice.below(4) {
            0 if !text.contains('\n') => format!("'{}'", text.replace('\'', "''")),
            1 => serde_json::Value::from(text).to_string(),
            _ if text == "true" || text == "false" => text.to_owned(),
            _ if plain || flag => text.to_owned(),
            _ => serde_json::Value::from(text).to_string(),
        }
    }
}
