//! How the Resource Manager says no: a code and a message, and for tokens a header that says where to get a better one.

use serde_json::json;

use crate::http::Response;
use crate::random;

/// A refusal.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Response {
    let body = json!({ "error": { "code": code, "message": message } });
    let mut response = dressed(Response::json(status, &body));
    response.headers.push(("x-ms-failure-cause".to_owned(), "gateway".to_owned()));
    response.error = Some(code.to_owned());
    response
}

/// The token is no good here; `authority` is the URL of a tenant whose tokens would be.
pub(super) fn unauthorized(code: &str, message: &str, authority: &str) -> Response {
    let mut response = error(401, code, message);
    let challenge = format!(
        "Bearer authorization_uri=\"{authority}\", error=\"invalid_token\", error_description=\"{message}\""
    );
    response.headers.push(("WWW-Authenticate".to_owned(), challenge));
    response
}

/// There is no such cluster in a resource group, which is there.
pub(super) fn no_resource(group: &str, name: &str) -> Response {
    let message = format!(
        "The Resource 'Microsoft.ContainerService/managedClusters/{name}' under resource group '{group}' was not found. \
         For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    );
    error(404, "ResourceNotFound", &message)
}

/// An answer with the headers that every answer has.
pub(super) fn dressed(mut response: Response) -> Response {
    for (name, value) in &mut response.headers {
        if name == "Content-Type" {
            "application/json; charset=utf-8".clone_into(value);
        }
    }
    for (name, value) in [
        ("Cache-Control", "no-cache".to_owned()),
        ("x-ms-request-id", random::uuid()),
        ("x-ms-correlation-request-id", random::uuid()),
    ] {
        response.headers.push((name.to_owned(), value));
    }
    response
}
