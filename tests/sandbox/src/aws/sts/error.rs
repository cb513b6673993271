//! How STS says no.

use std::fmt;

use crate::http::Response;
use crate::random;

/// A refusal: status, code and message of the original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StsError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl StsError {
    pub(crate) fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned() }
    }

    pub(crate) fn access_denied(caller: &str, action: &str, on: &str) -> Self {
        let message =
            format!("User: {caller} is not authorized to perform: sts:{action} on resource: {on}");
        Self::new(403, "AccessDenied", &message)
    }

    pub(crate) fn validation(message: &str) -> Self {
        Self::new(400, "ValidationError", message)
    }

    /// One member of a request that breaks one constraint.
    pub(crate) fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        let message = format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        );
        Self::validation(&message)
    }

    pub(crate) fn response(&self) -> Response {
        let Self { status, code, message } = self;
        let side = if *status < 500 { "Sender" } else { "Receiver" };
        let (message, id) = (escape(message), random::uuid());
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>{side}</Type>\n    \
             <Code>{code}</Code>\n    <Message>{message}</Message>\n  </Error>\n  <RequestId>{id}</RequestId>\n</ErrorResponse>\n"
        );
        let mut response = Response::new(*status, "text/xml", body);
        response.headers.push(("x-amzn-RequestId".to_owned(), id));
        response.error = Some(code.clone());
        response
    }
}

impl fmt::Display for StsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Text as XML wants it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
