//! Errors of AWS's REST services: a code in a header or in the body, and a message there.

use fleetkey_provider::HttpResponse;
use serde_json::{Map, Value};

use super::Said;

/// The error of an answer that names a code.
pub(crate) fn said(answer: &HttpResponse) -> Option<Said> {
    let (code, message) = code_and_message(answer)?;
    Some(Said { code: code?, message })
}

/// The code, if there is one, and the message; `None` if the body is no JSON object: some proxy's.
pub(crate) fn code_and_message(answer: &HttpResponse) -> Option<(Option<String>, String)> {
    let body: Map<String, Value> = serde_json::from_slice(&answer.body).ok()?;
    let text = |name: &str| {
        body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, v)| v.as_str())
    };
    let code = answer
        .header("x-amzn-errortype")
        .or_else(|| text("__type"))
        .and_then(|code| code.split(':').next())
        .and_then(|code| code.rsplit('#').next())
        .map(str::to_owned);
    Some((code, text("message").unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(header: Option<&str>, body: &str) -> Option<(String, String)> {
        let headers = header.map(|kind| ("x-amzn-errortype".to_owned(), kind.to_owned()));
        let headers = headers.into_iter().collect();
        let answer = HttpResponse { status: 400, headers, body: body.as_bytes().to_vec() };
        said(&answer).map(|Said { code, message }| (code, message))
    }

    #[test]
    fn the_code_is_found_wherever_it_stands() {
        let expected = Some(("AccessDeniedException".to_owned(), "no".to_owned()));
        for (header, body) in [
            (Some("AccessDeniedException"), r#"{"message":"no"}"#),
            (Some("AccessDeniedException:http://x/"), r#"{"Message":"no"}"#),
            (None, r#"{"__type":"com.amazon#AccessDeniedException","message":"no"}"#),
        ] {
            assert_eq!(found(header, body), expected);
        }
        assert_eq!(found(None, r#"{"message":"no"}"#), None);
        assert_eq!(found(Some("X"), "<html/>"), None);
    }
}
