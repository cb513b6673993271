//! A token of somebody else's that stands for an application: workload identity federation, which is
//! RFC 7523 with an issuer that Entra was told to trust.
//!
//! A variable can point the file anywhere, to a private key or a password for instance. So only what
//! can be nothing but such a token is sent: a JWT that says who issued it and whom it is about.

use fleetkey_provider::{Host, Result, SecretString};
use jiff::Timestamp;
use serde_json::Value;

use super::{Granted, Wanted};
use crate::{
    assertion, claims,
    entra::{AGAIN, Client},
};

/// What an application has to be told to trust by default, in every issuer's documentation.
pub(super) const AUDIENCE: &str = "api://AzureADTokenExchange";

/// A token, and what it says of itself. It is not verified: Entra will.
#[derive(Clone, Debug)]
pub(super) struct Federated {
    token: SecretString,
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) end: Option<Timestamp>,
}

impl Federated {
    /// From text; `None` if that can be anything but such a token.
    pub(super) fn read(token: &str) -> Option<Self> {
        let claims = claims::payload(token)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        // a number of seconds beyond all times is no end
        #[allow(clippy::cast_possible_truncation, reason = "as a time it is whole seconds anyway")]
        let end = claims.get("exp").and_then(Value::as_f64).map(|end| end as i64);
        Some(Self {
            token: token.into(),
            issuer: text("iss")?,
            subject: text("sub")?,
            end: end.and_then(|end| Timestamp::from_second(end).ok()),
        })
    }

    /// Exchanges it, in one POST. It may be sent again: whoever issues such tokens means them to be
    /// used for as long as they are good.
    pub(super) async fn exchange(
        &self,
        client: &Client,
        wanted: &Wanted,
        host: &Host,
    ) -> Result<Granted> {
        use fleetkey_provider::ExposeSecret;
        let form = assertion::form(self.token.expose_secret());
        let tokens = client.token(form, wanted, AGAIN, host).await?;
        Ok(Granted { access_token: tokens.access_token })
    }
}
