//! How EKS says no: an exception's name in a header, a message in the body.

use serde_json::json;

use crate::aws::sts::error::StsError;
use crate::http::Response;
use crate::random;

/// A refusal of the service itself.
pub(crate) fn error(status: u16, kind: &str, message: &str) -> Response {
    let mut response = Response::json(status, &json!({ "message": message }));
    response.headers.push(("x-amzn-ErrorType".to_owned(), kind.to_owned()));
    response.headers.push(("x-amzn-RequestId".to_owned(), random::uuid()));
    response.error = Some(kind.to_owned());
    response
}

/// A refusal of what stands before it and looks at signatures. Its names of exceptions have a tail that clients must cut
/// off.
pub(super) fn unauthenticated(refusal: &StsError) -> Response {
    let StsError { status, code, message } = refusal;
    let kind = match code.as_str() {
        "InvalidClientTokenId" => "UnrecognizedClientException",
        "SignatureDoesNotMatch" => "InvalidSignatureException",
        "ExpiredToken" => "ExpiredTokenException",
        "IncompleteSignature" => "IncompleteSignatureException",
        "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
        other => other,
    };
    let mut response = error(*status, kind, message);
    for (name, value) in &mut response.headers {
        if name == "x-amzn-ErrorType" {
            value.push_str(":http://internal.amazon.com/coral/com.amazon.coral.service/");
        }
    }
    response
}
