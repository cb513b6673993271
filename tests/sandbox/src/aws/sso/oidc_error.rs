//! How the OIDC service of Identity Center says no: an OAuth error in the body, an exception's name in a header.

use serde_json::json;

use crate::http::Response;
use crate::random;

/// A refusal by its OAuth name. Statuses and exceptions are those of the service's model as botocore 1.43 ships it.
pub(crate) fn oidc_error(error: &str, description: &str) -> Response {
    let (status, kind) = match error {
        "access_denied" => (400, "AccessDeniedException"),
        "authorization_pending" => (400, "AuthorizationPendingException"),
        "expired_token" => (400, "ExpiredTokenException"),
        "invalid_client" => (401, "InvalidClientException"),
        "invalid_client_metadata" => (400, "InvalidClientMetadataException"),
        "invalid_grant" => (400, "InvalidGrantException"),
        "invalid_redirect_uri" => (400, "InvalidRedirectUriException"),
        "invalid_scope" => (400, "InvalidScopeException"),
        "slow_down" => (400, "SlowDownException"),
        "unauthorized_client" => (400, "UnauthorizedClientException"),
        "unsupported_grant_type" => (400, "UnsupportedGrantTypeException"),
        "server_error" => (500, "InternalServerException"),
        _ => (400, "InvalidRequestException"),
    };
    let body = json!({ "error": error, "error_description": description });
    let mut response = Response::json(status, &body);
    response.headers.push(("x-amzn-ErrorType".to_owned(), kind.to_owned()));
    response.headers.push(("x-amzn-RequestId".to_owned(), random::uuid()));
    response.error = Some(error.to_owned());
    response
}
