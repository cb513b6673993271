//! What the services of a machine are asked: alike but for their names for things.

use fleetkey_provider::{Endpoint, HttpRequest, Method, Retry};

use crate::server_id::ServerId;

/// A GET for a token for that server, in that version of the API; `more` says for whom.
pub(super) fn question(
    endpoint: &Endpoint,
    version: &str,
    server: &ServerId,
    more: Option<(&str, &str)>,
    (name, value): (&str, &str),
    retry: Retry,
) -> HttpRequest {
    let mut query = vec![("api-version", version), ("resource", server.resource())];
    query.extend(more);
    HttpRequest {
        method: Method::Get,
        endpoint: endpoint.with_query(&query),
        headers: vec![(name.into(), value.into())],
        body: Vec::new(),
        ca_bundle: None,
        retry,
    }
}
