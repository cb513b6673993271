//! The headers that sign a request (SigV4).

use std::time::SystemTime;

use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use fleetkey_provider::{Endpoint, Error, Method, Result};
use jiff::Timestamp;

use crate::keys::Keys;

/// What is signed.
pub(crate) struct Signable<'a> {
    /// The service, as it stands in signatures.
    pub(crate) service: &'static str,
    /// The region to sign for.
    pub(crate) region: &'a str,
    /// GET, POST or PUT.
    pub(crate) method: Method,
    /// Where to.
    pub(crate) endpoint: &'a Endpoint,
    /// The headers that go along.
    pub(crate) headers: &'a [(String, String)],
    /// The body.
    pub(crate) body: &'a [u8],
}

/// The headers that sign it at that time.
pub(crate) fn sign_with(
    keys: &Keys,
    signable: &Signable<'_>,
    now: Timestamp,
) -> Result<Vec<(String, String)>> {
    let Signable { service, region, method, endpoint, headers, body } = *signable;
    let failed =
        || Error::failed(format!("a request to {} could not be signed", service.to_uppercase()));
    let identity = keys.to_aws().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::from(now))
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| failed())?
        .into();
    let method = match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
    };
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request =
        SignableRequest::new(method, endpoint.url().as_str(), headers, SignableBody::Bytes(body))
            .map_err(|_| failed())?;
    let (instructions, _) = sign(request, &parameters).map_err(|_| failed())?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
