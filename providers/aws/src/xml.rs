//! What the query protocol answers: documents of a few elements, of which fewer still are read.
//!
//! Elements nobody knows are passed over, since AWS adds some now and then; an element that is
//! missing, empty or of another shape makes the whole answer one that was not understood.

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use fleetkey_provider::HttpResponse;

use crate::errors::Said;

/// The text at this path, the first name being the root's; `None` if it is not there or is empty.
pub(crate) fn text(body: &[u8], path: &[&str]) -> Option<String> {
    from_root(body, path, &mut words)
}

/// The text of the element `name` in each `item` of the list at this path; `None` if there is no such
/// list, or an item without one.
pub(crate) fn texts(body: &[u8], path: &[&str], item: &str, name: &str) -> Option<Vec<String>> {
    from_root(body, path, &mut |mut list| {
        let mut found = Vec::new();
        while let Some(child) = list.next_tag() {
            if child.start_el().matches(item) {
                found.push(inside(child, &[name], &mut words)?);
            }
        }
        Some(found)
    })
}

/// The code and the message of an answer that is an error; `at` is where they stand.
pub(crate) fn said(answer: &HttpResponse, at: &[&str]) -> Option<Said> {
    let of = |name| text(&answer.body, &[at, &[name]].concat());
    Some(Said { code: of("Code")?, message: of("Message").unwrap_or_default() })
}

/// Reads an element.
type Read<'r, T> = &'r mut dyn FnMut(ScopedDecoder<'_, '_>) -> Option<T>;

fn from_root<T>(body: &[u8], path: &[&str], read: Read<'_, T>) -> Option<T> {
    let (root, rest) = path.split_first()?;
    let mut document = Document::try_from(body).ok()?;
    let element = document.root_element().ok()?;
    if element.start_el().matches(root) { inside(element, rest, read) } else { None }
}

fn inside<T>(mut element: ScopedDecoder<'_, '_>, path: &[&str], read: Read<'_, T>) -> Option<T> {
    let Some((name, rest)) = path.split_first() else { return read(element) };
    while let Some(child) = element.next_tag() {
        if child.start_el().matches(name) {
            return inside(child, rest, read);
        }
    }
    None
}

fn words(mut element: ScopedDecoder<'_, '_>) -> Option<String> {
    let text = try_data(&mut element).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(body: &str, path: &[&str]) -> Option<String> {
        text(body.as_bytes(), path)
    }

    #[test]
    fn the_path_is_followed_past_strangers() {
        let body = "<R xmlns='x'><New><C>no</C></New><A><B> yes &amp; so </B></A></R>";
        assert_eq!(at(body, &["R", "A", "B"]).as_deref(), Some("yes & so"));
        assert_eq!(at(body, &["R", "A", "C"]), None);
        assert_eq!(at(body, &["X", "A", "B"]), None);
    }

    #[test]
    fn a_list_is_read_item_by_item() {
        let list = |body: &str| texts(body.as_bytes(), &["R", "L"], "item", "n");
        let body = "<R><X/><L><item><o>1</o><n>a</n></item><new/><item><n>b</n></item></L></R>";
        assert_eq!(list(body), Some(vec!["a".into(), "b".into()]));
        assert_eq!(list("<R><L/></R>"), Some(vec![]));
        for body in ["<R><L><item><o/></item></L></R>", "<R/>", "<R><L><item><n>a</n>", ""] {
            assert!(list(body).is_none_or(|found| found.len() == 1), "{body}");
        }
    }

    #[test]
    fn what_is_no_such_document_holds_nothing() {
        for body in [
            "",
            "{}",
            "<html><body>sign in to the network</body></html>",
            "<R><A><B></B></A></R>",
            "<R><A><B/></A></R>",
            "<R><A><B><C>deep</C></B></A></R>",
            "<R><A>",
            "<R>&#xFFFFFFFF;</R>",
            "</R>",
            "\u{0}",
        ] {
            assert_eq!(at(body, &["R", "A", "B"]), None, "{body}");
        }
        assert_eq!(text(b"\xff\xfe<R/>", &["R"]), None);
    }
}
