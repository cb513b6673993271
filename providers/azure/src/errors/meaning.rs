//! What a refusal means for what was sent: whether to send it again, and whether it is worth keeping.

use fleetkey_provider::HttpResponse;

use super::{Said, row::Row, table::LATER};

impl Said {
    /// Whether the same request may go better later.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.status, 429 | 500..)
            || LATER.words.contains(&self.error.as_str())
            || self.codes.iter().any(|code| LATER.codes.contains(code))
    }

    /// Whether the refresh token that was sent is of no more use. What is wrong with a person or one
    /// server is no reason to forget a session that serves others, and neither is what is not known.
    pub(crate) fn is_dead_grant(&self) -> bool {
        let bare = self.codes.is_empty() && self.suberror.is_none();
        Row::is_dead(self) || (bare && self.error == "invalid_grant" && !self.is_transient())
    }

    /// Whether it was the device that was refused: one that is not managed, or a sign-in that is not
    /// bound to it. A broker of the system may do better.
    pub(crate) fn is_of_the_device(&self) -> bool {
        const CODES: [u32; 5] = [53000, 53001, 53003, 530_003, 530_084];
        self.codes.iter().any(|code| CODES.contains(code))
    }
}

/// What the host asks of an answer before it sends the same again.
pub(crate) fn is_transient(answer: &HttpResponse) -> bool {
    Said::read(answer).is_some_and(|said| said.is_transient())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Said> {
        Said::read(&HttpResponse { status: 400, headers: Vec::new(), body: body.into() })
    }

    #[test]
    fn a_grant_is_dead_only_if_that_is_what_was_said() {
        for (body, dead) in [
            (r#"{"error":"invalid_grant","error_codes":[50173]}"#, true),
            (
                r#"{"error":"interaction_required","error_codes":[70043],"suberror":"bad_token"}"#,
                true,
            ),
            (r#"{"error":"invalid_grant","error_codes":[1234567],"suberror":"bad_token"}"#, true),
            (r#"{"error":"invalid_grant"}"#, true),
            (r#"{"error":"invalid_grant","error_codes":[50076],"suberror":"basic_action"}"#, false),
            (r#"{"error":"invalid_grant","error_codes":[1234567]}"#, false),
            (
                r#"{"error":"invalid_grant","error_codes":[65001],"suberror":"consent_required"}"#,
                false,
            ),
            (r#"{"error":"invalid_grant","suberror":"basic_action"}"#, false),
            (r#"{"error":"temporarily_unavailable","error_codes":[50173]}"#, false),
            (r#"{"error":"invalid_client","error_codes":[7000215]}"#, false),
        ] {
            assert_eq!(read(body).unwrap().is_dead_grant(), dead, "{body}");
        }
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        let with = |status, body: &str| {
            is_transient(&HttpResponse { status, headers: Vec::new(), body: body.into() })
        };
        for (status, body) in [
            (400, r#"{"error":"invalid_grant","error_codes":[90033]}"#),
            (400, r#"{"error":"temporarily_unavailable"}"#),
            (429, r#"{"error":"invalid_request"}"#),
            (503, r#"{"error":"x"}"#),
        ] {
            assert!(with(status, body), "{body}");
        }
        for (status, body) in [
            (400, r#"{"error":"invalid_grant","error_codes":[50126]}"#),
            (401, r#"{"error":"invalid_client"}"#),
            (400, r#"{"error":"invalid_client","error_codes":[50196]}"#),
            (400, "<html>"),
            (400, ""),
        ] {
            assert!(!with(status, body), "{body}");
        }
    }

    #[test]
    fn a_refused_device_is_told_from_other_refusals() {
        for (code, is_it) in [
            (53000, true),
            (53001, true),
            (53003, true),
            (530_003, true),
            (530_084, true),
            (50076, false),
            (53004, false),
            (50173, false),
        ] {
            let body = format!(r#"{{"error":"interaction_required","error_codes":[{code}]}}"#);
            assert_eq!(read(&body).unwrap().is_of_the_device(), is_it, "{code}");
        }
    }
}
