//! Entra ID on the wire: which request goes where, and what comes back.
//!
//! Endpoints are built, not discovered: a known authority costs one POST and nothing else. Requests
//! and answers are those of the Microsoft identity platform's OAuth 2.0 pages and RFC 6749.

mod answer;
mod authorize;
mod client;
mod device_code;
mod endpoints;
mod form;
mod request_id;

pub(crate) use self::{
    answer::Tokens,
    authorize::Page,
    client::{AGAIN, Client, Failure, Purpose, Version},
    device_code::DeviceCode,
    endpoints::Endpoints,
    form::Form,
    request_id::request_id,
};
