//! What all metadata services share: a question is a resource and, at most, an identity; the answer is a token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::azure::identities::{Asked, ManagedIdentity};
use crate::entra::{Access, Caller};
use crate::http::Request;
use crate::world::World;

/// What was asked, once it was asked properly.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) resource: String,
    pub(crate) asked: Asked,
}

/// How one service wants to be asked.
pub(crate) struct Manner {
    /// The API versions it knows; none is a service that wants no version.
    pub(crate) versions: &'static [&'static str],
    /// Its parameters that name an identity.
    pub(crate) identity: &'static [(&'static str, Kind)],
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Client,
    Object,
    Resource,
}

impl Manner {
    /// Real services ignore parameters that they do not know, and hand out a token of the wrong identity to whoever
    /// misspelt one; this one refuses.
    pub(crate) fn read(&self, request: &Request) -> Result<Question, String> {
        let (mut version, mut resource, mut asked) = (None, None, Asked::Any);
        for (name, value) in request.parameters() {
            let kind = self.identity.iter().find(|(known, _)| *known == name);
            match (name.as_str(), kind) {
                ("api-version", _) if version.is_none() && !self.versions.is_empty() => {
                    version = Some(value);
                }
                ("resource", _) if resource.is_none() => resource = Some(value),
                (_, Some((_, kind))) if asked == Asked::Any && !value.is_empty() => {
                    asked = match kind {
                        Kind::Client => Asked::Client(value),
                        Kind::Object => Asked::Object(value),
                        Kind::Resource => Asked::Resource(value),
                    };
                }
                _ => return Err(format!("Query variable '{name}' is not expected")),
            }
        }
        match version {
            None if !self.versions.is_empty() => {
                return Err("Required query variable 'api-version' is missing".to_owned());
            }
            Some(version) if !self.versions.contains(&version.as_str()) => {
                return Err(format!("The api-version '{version}' is not supported"));
            }
            _ => {}
        }
        let resource = resource.filter(|resource| !resource.is_empty());
        let resource = resource.ok_or("Required query variable 'resource' is missing")?;
        // A scope is not a resource: `/.default` is for Entra's second version.
        if resource.ends_with("/.default") {
            return Err(format!("The resource '{resource}' was not found"));
        }
        Ok(Question { resource, asked })
    }
}

/// Whether the header that no browser and no redirect sends is there.
pub(crate) fn meant(request: &Request) -> bool {
    request.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        && request.header("x-forwarded-for").is_none()
}

/// A token that was handed out.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) starts: i64,
    pub(crate) ends: i64,
}

impl Issued {
    /// To a managed identity.
    pub(crate) fn to_identity(
        world: &World,
        identity: &ManagedIdentity,
        resource: &str,
    ) -> Result<Self, String> {
        let ManagedIdentity { tenant, client_id, object_id, resource_id: _ } = identity;
        Self::to(world, tenant, &Caller::app(client_id, object_id), resource)
    }

    /// To a person, through an application.
    pub(crate) fn to_person(
        world: &World,
        tenant: &str,
        username: &str,
        client_id: &str,
        resource: &str,
    ) -> Result<Self, String> {
        if world.entra.state().person(username).is_none() {
            return Err(format!("Entra does not know '{username}'"));
        }
        Self::to(world, tenant, &Caller::person(username, client_id), resource)
    }

    fn to(world: &World, tenant: &str, caller: &Caller, resource: &str) -> Result<Self, String> {
        if !world.entra.state().has_server(tenant, resource) {
            return Err(format!(
                "AADSTS500011: The resource principal named {resource} was not found in the tenant named {tenant}."
            ));
        }
        // 2: proven by an assertion, as managed identities are behind the scenes; 0: a person's program proves nothing.
        let proof = if matches!(caller, Caller::App { .. }) { "2" } else { "0" };
        let access = Access { tenant, audience: resource, proof, confirmation: None };
        let access_token = world.entra.access_token(&access, caller, world.clock.now());
        let payload = access_token.split('.').nth(1).unwrap_or_default();
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|error| error.to_string())?;
        let claims = serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
        let Times { nbf, exp } = claims;
        Ok(Self { access_token, starts: nbf, ends: exp })
    }

    /// The answer of the services that say all there is to say, every number a string.
    pub(crate) fn document(
        &self,
        client_id: Option<&str>,
        resource: &str,
        now: Timestamp,
    ) -> Value {
        let Self { access_token, starts, ends } = self;
        let left = (ends - now.as_second()).to_string();
        let mut document = json!({
            "access_token": access_token, "expires_in": left, "expires_on": ends.to_string(),
            "ext_expires_in": left, "not_before": starts.to_string(),
            "resource": resource, "token_type": "Bearer",
        });
        if let Some(client_id) = client_id {
            document["client_id"] = client_id.into();
        }
        document
    }
}

#[derive(Deserialize)]
struct Times {
    nbf: i64,
    exp: i64,
}
