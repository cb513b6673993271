//! Who asks: the access token of a request, and what the Resource Manager wants of one.

use super::error::unauthorized;
use super::subscription::Subscription;
use crate::entra::jwt::Jwt;
use crate::http::{Request, Response};
use crate::world::World;

/// Whoever a token is of.
pub(super) struct Bearer {
    pub(super) tenant: String,
    /// The user name of a person, the client id of anything else.
    pub(super) name: String,
    pub(super) oid: String,
    pub(super) appid: String,
}

impl Bearer {
    /// The bearer of a good token: of this Entra, for this service, good now. Whoever asks without one is told which
    /// tenant a subscription is of.
    pub(super) fn read(
        request: &Request,
        subscription: Option<&Subscription>,
        world: &World,
    ) -> Result<Self, Response> {
        let tenant = subscription.map_or("common", |subscription| subscription.tenant.as_str());
        let authority = format!("{}/{tenant}", world.entra.url());
        let no = |code: &str, message: &str| unauthorized(code, message, &authority);
        let Some(header) = request.header("authorization") else {
            let message = "Authentication failed. The 'Authorization' header is missing.";
            return Err(no("AuthenticationFailed", message));
        };
        let (scheme, text) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") || text.is_empty() {
            let message = "Authentication failed. The 'Authorization' header is provided in an invalid format.";
            return Err(no("AuthenticationFailedInvalidHeader", message));
        }
        let invalid = || no("InvalidAuthenticationToken", "The access token is invalid.");
        let token = Jwt::parse(text).ok_or_else(invalid)?;
        if !world.entra.keys.named_by(&token) || !world.entra.keys.signed(&token) {
            return Err(invalid());
        }
        let text = |name: &str| token.claim(name).map(str::to_owned);
        let audience = text("aud").ok_or_else(invalid)?;
        if !AUDIENCES.contains(&audience.as_str()) {
            let message = format!(
                "The access token has been obtained for wrong audience or resource '{audience}'. It should exactly match \
                 with one of the allowed audiences '{}'.",
                AUDIENCES.join("','")
            );
            return Err(no("InvalidAuthenticationTokenAudience", &message));
        }
        let now = world.clock.now();
        if token.moment("nbf").is_none_or(|from| now.as_second() < from) {
            return Err(invalid());
        }
        if token.moment("exp").is_none_or(|until| now.as_second() >= until) {
            let message = format!(
                "The access token expiry UTC time is earlier than current UTC time '{now}'."
            );
            return Err(no("ExpiredAuthenticationToken", &message));
        }
        let (Some(tenant), Some(oid), Some(appid)) = (text("tid"), text("oid"), text("appid"))
        else {
            return Err(invalid());
        };
        let issuer = format!("https://sts.windows.net/{tenant}/");
        if text("iss").as_ref() != Some(&issuer) {
            return Err(invalid());
        }
        if let Some(subscription) = subscription.filter(|known| known.tenant != tenant) {
            let message = format!(
                "The access token is from the wrong issuer '{issuer}'. It must match the tenant \
                 'https://sts.windows.net/{}/' associated with this subscription. Please use the authority (URL) \
                 '{authority}' to get the token.",
                subscription.tenant
            );
            return Err(no("InvalidAuthenticationTokenTenant", &message));
        }
        let name = text("unique_name").unwrap_or_else(|| appid.clone());
        Ok(Self { tenant, name, oid, appid })
    }

    /// Whether somebody is meant: by user name, object id or client id.
    pub(super) fn is(&self, whom: &str) -> bool {
        [&self.name, &self.oid, &self.appid].iter().any(|name| name.eq_ignore_ascii_case(whom))
    }
}

/// Letter by letter.
const AUDIENCES: [&str; 4] = [
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
];
