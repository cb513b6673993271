//! A cluster's judgement of a token: what the authentication webhook of AKS, or of Azure Arc, asks of it.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;

use super::directory::{AKS_SERVER, Directory};
use super::jwt::Jwt;
use super::pop;

/// Somebody who got in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AksGuest {
    /// The user name of a member of the tenant, the object id of anybody else.
    pub name: String,
    /// Their object id.
    pub oid: String,
    /// The tenant of the token.
    pub tid: String,
    /// The application that got it.
    pub appid: String,
    /// Object ids of groups.
    pub groups: Vec<String>,
}

/// The rule that a token broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AksRejection {
    /// No bearer token at all.
    Anonymous,
    /// Not three parts of base64url with JSON in them.
    Malformed,
    /// Not RS256.
    Algorithm,
    /// A key that Entra does not have.
    UnknownKey,
    /// Not signed by the key it names.
    Signature,
    /// Of another tenant, or of no tenant.
    Issuer(String),
    /// For another server.
    Audience(String),
    /// For this server under its old name, which only legacy clusters know.
    LegacyAudience,
    /// Good later.
    NotYetValid,
    /// Good no more.
    Expired,
    /// Without `oid` or `appid`.
    Nobody,
    /// A token in an envelope, where a plain one is wanted.
    Envelope,
    /// A plain token, where one in an envelope is wanted.
    NoEnvelope,
    /// An envelope with something wrong.
    BadEnvelope(String),
}

impl fmt::Display for AksRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("no bearer token"),
            Self::Malformed => f.write_str("token is no JWT"),
            Self::Algorithm => f.write_str("token is not signed with RS256"),
            Self::UnknownKey => f.write_str("token names an unknown key"),
            Self::Signature => f.write_str("token has a wrong signature"),
            Self::Issuer(issuer) => write!(f, "token is of another issuer: \"{issuer}\""),
            Self::Audience(audience) => write!(f, "token is for another server: \"{audience}\""),
            Self::LegacyAudience => f.write_str("token is for \"spn:\" this server"),
            Self::NotYetValid => f.write_str("token is not valid yet"),
            Self::Expired => f.write_str("token has expired"),
            Self::Nobody => f.write_str("token does not say whose it is"),
            Self::Envelope => f.write_str("token is in an envelope, and this cluster opens none"),
            Self::NoEnvelope => {
                f.write_str("token is not bound to a key, and this cluster wants that")
            }
            Self::BadEnvelope(why) => write!(f, "token is in a wrong envelope: {why}"),
        }
    }
}

/// What a cluster wants.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) tenant: String,
    pub(crate) server_id: String,
    pub(crate) legacy: bool,
    pub(crate) pop_host: Option<String>,
}

impl Rules {
    pub(crate) fn new(tenant: &str) -> Self {
        let server_id = AKS_SERVER.to_owned();
        Self { tenant: tenant.to_owned(), server_id, legacy: false, pop_host: None }
    }
}

/// Nonces of envelopes, each with the envelope it came in. Clients show one envelope many times; two envelopes with one
/// nonce are a mistake.
#[derive(Debug, Default)]
pub(crate) struct Nonces(HashMap<String, String>);

/// The whole judgement. A nonce is remembered, so the same one in another envelope is refused.
pub(crate) fn verify(
    text: &str,
    rules: &Rules,
    nonces: &mut Nonces,
    directory: &Directory,
    now: Timestamp,
) -> Result<AksGuest, AksRejection> {
    let token = Jwt::parse(text).ok_or(AksRejection::Malformed)?;
    let envelope = token.header("typ").is_some_and(|typ| typ.eq_ignore_ascii_case("pop"));
    let Some(host) = &rules.pop_host else {
        return if envelope {
            Err(AksRejection::Envelope)
        } else {
            access(&token, rules, directory, now)
        };
    };
    if !envelope {
        return Err(AksRejection::NoEnvelope);
    }
    let wrong = |why: &str| AksRejection::BadEnvelope(why.to_owned());
    let opened = pop::open(&token, text, now).map_err(wrong)?;
    if opened.host != *host {
        return Err(wrong("u is another host"));
    }
    let inner = Jwt::parse(&opened.access_token).ok_or(AksRejection::Malformed)?;
    let guest = access(&inner, rules, directory, now)?;
    if inner.claims["cnf"]["kid"] != *opened.thumbprint {
        return Err(wrong("the token within is bound to another key"));
    }
    let seen = nonces.0.entry(opened.nonce).or_insert_with(|| text.to_owned());
    if seen != text {
        return Err(wrong("its nonce came in another envelope before"));
    }
    Ok(guest)
}

/// The access token itself.
fn access(
    token: &Jwt<'_>,
    rules: &Rules,
    directory: &Directory,
    now: Timestamp,
) -> Result<AksGuest, AksRejection> {
    if token.header("alg") != Some("RS256") {
        return Err(AksRejection::Algorithm);
    }
    if !directory.keys.named_by(token) {
        return Err(AksRejection::UnknownKey);
    }
    if !directory.keys.signed(token) {
        return Err(AksRejection::Signature);
    }
    let text = |name: &str| token.claim(name).map(str::to_owned);
    let issuer = text("iss").unwrap_or_default();
    if issuer != format!("https://sts.windows.net/{}/", rules.tenant) {
        return Err(AksRejection::Issuer(issuer));
    }
    let audience = text("aud").unwrap_or_default();
    if audience.strip_prefix("spn:") == Some(&rules.server_id) {
        if !rules.legacy {
            return Err(AksRejection::LegacyAudience);
        }
    } else if audience != rules.server_id {
        return Err(AksRejection::Audience(audience));
    }
    if token.moment("nbf").is_none_or(|from| now.as_second() < from) {
        return Err(AksRejection::NotYetValid);
    }
    if token.moment("exp").is_none_or(|until| now.as_second() >= until) {
        return Err(AksRejection::Expired);
    }
    let (Some(oid), Some(appid)) = (text("oid"), text("appid")) else {
        return Err(AksRejection::Nobody);
    };
    let groups = token.claims["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(AksGuest {
        name: text("upn").unwrap_or_else(|| oid.clone()),
        oid,
        tid: text("tid").unwrap_or_default(),
        appid,
        groups: groups.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect(),
    })
}
