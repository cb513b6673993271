//! What Entra hands out once it is satisfied: access tokens as an API server gets them, and id tokens.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::directory::{Directory, State, permission};
use crate::random;

/// Whom a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// An application, or a managed identity, by itself.
    App {
        /// Its client id.
        client_id: String,
        /// The object id of its service principal.
        oid: String,
    },
    /// A person, through an application.
    Person {
        /// Who.
        username: String,
        /// Through which application.
        client_id: String,
    },
}

impl Caller {
    /// An application by itself.
    pub fn app(client_id: &str, oid: &str) -> Self {
        Self::App { client_id: client_id.to_owned(), oid: oid.to_owned() }
    }

    /// A person through an application.
    pub fn person(username: &str, client_id: &str) -> Self {
        Self::Person { username: username.to_owned(), client_id: client_id.to_owned() }
    }

    /// The name that the log shows.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::App { client_id, .. } => client_id,
            Self::Person { username, .. } => username,
        }
    }
}

/// What an access token says besides who.
#[derive(Clone, Debug)]
pub(crate) struct Access<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) audience: &'a str,
    /// How the application proved itself: `0` not, `1` by a secret, `2` by an assertion.
    pub(crate) proof: &'a str,
    /// The key it is bound to.
    pub(crate) confirmation: Option<Value>,
}

impl Directory {
    /// How long access tokens last from now on.
    pub(crate) fn lifetime(&self) -> Duration {
        self.state().lifetime.unwrap_or(LIFETIME)
    }

    /// An access token of version 1, as AKS gets them whatever endpoint was asked.
    pub(crate) fn access_token(
        &self,
        access: &Access<'_>,
        caller: &Caller,
        now: Timestamp,
    ) -> String {
        let Access { tenant, audience, proof, confirmation } = access;
        // Entra dates tokens five minutes back, for servers whose clocks are slow.
        let issued = now.as_second() - 300;
        let lifetime = i64::try_from(self.lifetime().as_secs()).unwrap_or(i64::MAX / 2);
        let mut claims = json!({
            "aud": audience,
            "iss": format!("https://sts.windows.net/{tenant}/"),
            "iat": issued,
            "nbf": issued,
            "exp": now.as_second() + lifetime,
            "aio": random::base64(30),
        });
        if let Some(confirmation) = confirmation {
            claims["cnf"] = confirmation.clone();
        }
        self.state().describe(&mut claims, caller, tenant, proof);
        claims["tid"] = (*tenant).into();
        claims["uti"] = random::base64(16).replace(['+', '/'], "_").trim_end_matches('=').into();
        claims["ver"] = "1.0".into();
        // An empty token is refused wherever it is shown.
        self.keys.sign(&claims).unwrap_or_default()
    }

    /// An id token of version 2 for a client.
    pub(crate) fn id_token(
        &self,
        tenant: &str,
        username: &str,
        client_id: &str,
        now: Timestamp,
    ) -> String {
        let oid = self.state().object_id(username, tenant);
        let claims = json!({
            "aud": client_id,
            "iss": format!("{}/{tenant}/v2.0", self.url()),
            "iat": now.as_second() - 300,
            "nbf": now.as_second() - 300,
            "exp": now.as_second() + 3600,
            "name": name_of(username),
            "oid": oid,
            "preferred_username": username,
            "sub": subject(client_id, &oid),
            "tid": tenant,
            "ver": "2.0",
        });
        self.keys.sign(&claims).unwrap_or_default()
    }
}

impl State {
    fn describe(&mut self, claims: &mut Value, caller: &Caller, tenant: &str, proof: &str) {
        claims["appidacr"] = proof.into();
        match caller {
            Caller::App { client_id, oid } => {
                claims["appid"] = client_id.as_str().into();
                claims["idp"] = format!("https://sts.windows.net/{tenant}/").into();
                claims["idtyp"] = "app".into();
                claims["oid"] = oid.as_str().into();
                claims["sub"] = oid.as_str().into();
            }
            Caller::Person { username, client_id } => {
                let oid = self.object_id(username, tenant);
                let person = self.person(username);
                let groups =
                    person.as_ref().map(|person| person.groups.clone()).unwrap_or_default();
                claims["acr"] = "1".into();
                claims["amr"] = json!(["pwd"]);
                claims["appid"] = client_id.as_str().into();
                if !groups.is_empty() {
                    claims["groups"] = groups.into();
                }
                claims["name"] = name_of(username).into();
                claims["sub"] = subject(client_id, &oid).into();
                claims["oid"] = oid.into();
                claims["scp"] = permission(claims["aud"].as_str().unwrap_or_default()).into();
                claims["unique_name"] = username.as_str().into();
                // A guest has no name of this tenant's own.
                match person.filter(|person| person.home() != tenant) {
                    Some(guest) => {
                        claims["idp"] = format!("https://sts.windows.net/{}/", guest.home()).into();
                    }
                    None => claims["upn"] = username.as_str().into(),
                }
            }
        }
    }
}

fn name_of(username: &str) -> &str {
    username.split('@').next().unwrap_or(username)
}

/// A person's name for one application alone.
fn subject(client_id: &str, oid: &str) -> String {
    use base64::Engine;
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        format!("{client_id}/{oid}").as_bytes(),
    );
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}

/// Entra picks one between 60 and 90 minutes.
const LIFETIME: Duration = Duration::from_mins(75);
