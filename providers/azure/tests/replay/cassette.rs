//! A recording of go-vcr, as far as it matters: what was asked and what came back.
//!
//! It is YAML as one program writes it, a field to a line at a fixed depth, so it is read as that
//! and not as YAML; a line that is not understood fails the test.

/// One question and its answer.
#[derive(Debug)]
pub(crate) struct Interaction {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) form: String,
    pub(crate) status: u16,
    pub(crate) answer: String,
}

/// The interactions, in the order they were recorded.
pub(crate) fn read(text: &str) -> Vec<Interaction> {
    let mut blocks = text.split("\n    - id: ");
    assert!(blocks.next().unwrap().contains("\nversion: 2\n"), "another version of cassette");
    let interactions: Vec<_> = blocks.map(interaction).collect();
    assert_eq!(interactions.len(), text.matches("\n      request:\n").count());
    interactions
}

fn interaction(block: &str) -> Interaction {
    let (request, response) = block.split_once("\n      response:\n").expect("a response");
    Interaction {
        method: field(request, "method"),
        url: field(request, "url"),
        form: field(request, "body"),
        status: field(response, "code").parse().unwrap(),
        answer: field(response, "body"),
    }
}

/// A field at the depth of a request's and a response's own.
fn field(part: &str, name: &str) -> String {
    let start = format!("        {name}: ");
    let mut lines = part.lines().filter_map(|line| line.strip_prefix(&start));
    let value = lines.next().unwrap_or_else(|| panic!("no `{name}`"));
    assert!(lines.next().is_none(), "two fields `{name}`");
    match value.as_bytes() {
        [b'\'', .., b'\''] => value[1..value.len() - 1].replace("''", "'"),
        b"\"\"" => String::new(),
        [b'\'' | b'"' | b'|' | b'>' | b'&' | b'*', ..] => {
            panic!("{name}: not one plain line: {value:.40}")
        }
        _ => value.to_owned(),
    }
}

#[test]
fn a_cassette_is_read_field_by_field() {
    let text = "---\nversion: 2\ninteractions:\n    - id: 0\n      request:\n        body: a=b\n        form:\n            body:\n                - x\n        url: https://x/\n        method: POST\n      response:\n        body: '{\"it''s\":1}'\n        code: 200\n";
    let [only] = &read(text)[..] else { panic!("not one") };
    assert_eq!((only.method.as_str(), only.url.as_str()), ("POST", "https://x/"));
    assert_eq!((only.form.as_str(), only.answer.as_str()), ("a=b", "{\"it's\":1}"));
    assert_eq!(only.status, 200);
}
