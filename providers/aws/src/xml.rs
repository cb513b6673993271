//! What the query protocol answers: documents of a few elements, of which fewer still are read.
//!
//! Elements nobody knows are passed over, since AWS adds some now and then; an element that is
//! missing, empty or of another shape makes the whole answer one that was not understood.

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use fleetkey_provider::HttpResponse;

use crate::errors::Said;

/// The text at this path, the first name being the root's; `None` if it is not there or is empty.
pub(crate) fn text(body: &[u8], path: &[&str]) -> Option<String> {
    let (root, rest) = path.split_first()?;
    let mut document = Document::try_from(body).ok()?;
    let element = document.root_element().ok()?;
    if element.start_el().matches(root) { inside(element, rest) } else { None }
}

/// The code and the message of an answer that is an error.
pub(crate) fn error(answer: &HttpResponse) -> Option<Said> {
    let code = text(&answer.body, &["ErrorResponse", "Error", "Code"])?;
    let message = text(&answer.body, &["ErrorResponse", "Error", "Message"]).unwrap_or_default();
    Some(Said { code, message })
}

fn inside(mut element: ScopedDecoder<'_, '_>, path: &[&str]) -> Option<String> {
    let Some((name, rest)) = path.split_first() else {
        let text = try_data(&mut element).ok()?;
        let text = text.trim();
        return (!text.is_empty()).then(|| text.to_owned());
    };
    while let Some(child) = element.next_tag() {
        if child.start_el().matches(name) {
            return inside(child, rest);
        }
    }
    None
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
