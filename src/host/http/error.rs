//! What a lost connection is called, in words for a person.

use fleetkey_provider::{Error, HttpRequest, quoted, shown};

/// The request got no whole answer. Says which host, and what the deepest layer said.
pub(super) fn unavailable(request: &HttpRequest, error: &reqwest::Error) -> Error {
    let host = request.endpoint.origin();
    let deepest = deepest(error);
    let message = if error.is_timeout() {
        format!("`{host}` did not answer in time")
    } else if error.is_connect() && is_about_trust(&deepest) {
        format!("the certificate of `{host}` is not believed")
    } else if error.is_connect() {
        format!("`{host}` cannot be reached")
    } else if error.is_body() || error.is_decode() {
        format!("the answer of `{host}` broke off")
    } else {
        format!("the request to `{host}` failed")
    };
    let told = Error::unavailable(message).because(deepest).next(probe(request));
    // a connection comes before the first byte of a request, and what fails before that was not sent
    if error.is_connect() { told.unsent() } else { told }
}

/// The answer was longer than anything a cloud says.
pub(super) fn too_large(request: &HttpRequest) -> Error {
    let longest = request.endpoint.longest_answer() >> 20;
    Error::unavailable(format!("`{}` answered more than {longest} MiB", request.endpoint.origin()))
        .because("no cloud's answer is that long; something else may be answering")
        .next(probe(request))
}

/// The innermost message of an error, which is the one that says something; its layers repeat the
/// URL, and a URL may carry a secret.
pub(super) fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    if inner.is::<reqwest::Error>() {
        return "no more is known".into();
    }
    shown(&inner.to_string())
}

fn is_about_trust(text: &str) -> bool {
    ["certificate", "Certificate", "UnknownIssuer", "NotValidForName"]
        .iter()
        .any(|word| text.contains(word))
}

/// What shows a person the same without us.
fn probe(request: &HttpRequest) -> String {
    format!("curl -sS -o /dev/null -w '%{{http_code}}\\n' {}", quoted(&request.endpoint.origin()))
}
