//! Where an authority's endpoints are: built for Entra's own hosts, discovered for others.

use fleetkey_provider::{Endpoint, Error, Host, HttpRequest, Method, Result, Retry, quoted, shown};
use serde::Deserialize;
use url::Url;

use super::{Client, Version, request_id};

/// The endpoints of one authority.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    /// Where tokens come from.
    pub(crate) token: Endpoint,
    /// The page on which a person signs in; `None` if the authority has none.
    pub(crate) authorize: Option<Endpoint>,
    /// Where codes for other devices come from; `None` if the authority has none.
    pub(crate) device: Option<Endpoint>,
}

/// What is read of an authority's description (OpenID Connect Discovery, section 3; RFC 8628,
/// section 4).
#[derive(Deserialize)]
#[allow(clippy::struct_field_names, reason = "the names of OpenID Connect")]
struct Described {
    token_endpoint: String,
    authorization_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
}

impl Endpoints {
    /// As Entra has them.
    pub(super) fn built(client: &Client) -> Self {
        let Client { authority, id: _, version } = client;
        let (folder, query): (_, &[_]) = match version {
            Version::V1 => ("oauth2", &[("api-version", "1.0")]),
            Version::V2 => ("oauth2/v2.0", &[]),
        };
        let at = |name: &str, query: &[(&str, &str)]| {
            authority.endpoint.at(&format!("{}/{folder}/{name}", authority.tenant), query)
        };
        Self {
            token: at("token", query),
            authorize: Some(at("authorize", &[])),
            device: Some(at("devicecode", query)),
        }
    }

    /// As the authority itself says. Its host is trusted, and no other becomes so by its word.
    pub(super) async fn discovered(client: &Client, host: &Host) -> Result<Self> {
        let authority = &client.authority;
        let folder = match client.version {
            Version::V1 => "",
            Version::V2 => "v2.0/",
        };
        let path = format!("{}/{folder}.well-known/openid-configuration", authority.tenant);
        let id = request_id(host)?;
        let request = HttpRequest {
            method: Method::Get,
            endpoint: authority.endpoint.at(&path, &[]),
            headers: vec![
                ("accept".into(), "application/json".into()),
                ("client-request-id".into(), id.clone()),
            ],
            body: Vec::new(),
            ca_bundle: None,
            retry: Retry::Safe(|_| false),
        };
        let note = format!("asking {} where its endpoints are (request id {id})", request.endpoint);
        host.notes.note(&note);
        let answer = host.http.send(&request).await?;
        let described: Option<Described> = match answer.status {
            200 => serde_json::from_slice(&answer.body).ok(),
            _ => None,
        };
        let Some(described) = described else {
            let what =
                format!("status {} from {} (request id {id})", answer.status, request.endpoint);
            return Err(Error::unavailable("the authority did not say where its endpoints are")
                .because(what)
                .next(format!("curl -sS {}", quoted(request.endpoint.as_str()))));
        };
        let Described { token_endpoint, authorization_endpoint, device_authorization_endpoint } =
            described;
        let own = |text: &str| own(text, &authority.endpoint, host);
        Ok(Self {
            token: own(&token_endpoint)?,
            authorize: authorization_endpoint.as_deref().map(own).transpose()?,
            device: device_authorization_endpoint.as_deref().map(own).transpose()?,
        })
    }
}

/// An endpoint on the authority's own host and port.
fn own(text: &str, authority: &Endpoint, host: &Host) -> Result<Endpoint> {
    let refused = || {
        Error::refused("the authority sends its clients elsewhere").because(format!(
            "{} names `{}` as an endpoint of its own",
            authority.origin(),
            shown(text)
        ))
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    if url.origin() != authority.url().origin() {
        return Err(refused());
    }
    // the authority's host was trusted to begin with, so what is refused here is a query and the like
    Endpoint::configured(text, "what the authority says", |_| true, host).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Kind, testing::StaticTrust};

    use super::*;
    use crate::testing::{TENANT, World, client, now};

    fn stranger(version: Version) -> (World, Client, Host) {
        let world = World::default();
        let trust = StaticTrust { hosts: vec!["login.own.example".into()], strict: false };
        let host = Host { trust: Box::new(trust), ..world.host() };
        let mut client = client();
        client.version = version;
        client.authority.is_known = false;
        client.authority.endpoint =
            Endpoint::configured("https://login.own.example", "a test", |_| false, &host).unwrap();
        (world, client, host)
    }

    #[test]
    fn known_endpoints_are_built() {
        let mut client = client();
        let base = format!("https://login.microsoftonline.com/{TENANT}");
        let Endpoints { token, authorize, device } = Endpoints::built(&client);
        assert_eq!(token.as_str(), format!("{base}/oauth2/v2.0/token"));
        assert_eq!(authorize.unwrap().as_str(), format!("{base}/oauth2/v2.0/authorize"));
        assert_eq!(device.unwrap().as_str(), format!("{base}/oauth2/v2.0/devicecode"));
        client.version = Version::V1;
        let Endpoints { token, authorize, device } = Endpoints::built(&client);
        assert_eq!(token.as_str(), format!("{base}/oauth2/token?api-version=1.0"));
        assert_eq!(authorize.unwrap().as_str(), format!("{base}/oauth2/authorize"));
        assert_eq!(device.unwrap().as_str(), format!("{base}/oauth2/devicecode?api-version=1.0"));
    }

    #[test]
    fn a_stranger_is_asked_and_believed_about_itself_alone() {
        for (version, path) in [(Version::V1, ""), (Version::V2, "v2.0/")] {
            let (world, client, host) = stranger(version);
            world.http.answer(
                200,
                &[],
                r#"{"token_endpoint":"https://login.own.example/t","x":1}"#,
            );
            let found = now(client.endpoints(&host)).unwrap();
            assert_eq!(found.token.as_str(), "https://login.own.example/t");
            assert!(found.device.is_none() && found.authorize.is_none());
            let asked = world.http.requests()[0].endpoint.as_str().to_owned();
            let id = ("client-request-id".into(), "00010203-0405-4607-8809-0a0b0c0d0e0f".into());
            assert!(world.http.requests()[0].headers.contains(&id));
            let own = format!("https://login.own.example/{TENANT}/");
            assert_eq!(asked, format!("{own}{path}.well-known/openid-configuration"));
        }
    }

    #[test]
    fn no_other_host_becomes_trusted() {
        for bad in [
            "https://evil.example/t",
            "http://login.own.example/t",
            "https://login.own.example:8443/t",
            "https://login.own.example@evil.example/t",
            "https://me@login.own.example/t",
            "https://login.own.example/t?x=1",
            "https://login.microsoftonline.com/t",
            "//evil.example",
            "",
        ] {
            for body in [
                serde_json::json!({ "token_endpoint": bad }),
                serde_json::json!({ "token_endpoint": "https://login.own.example/t",
                    "authorization_endpoint": bad }),
                serde_json::json!({ "token_endpoint": "https://login.own.example/t",
                    "device_authorization_endpoint": bad }),
            ] {
                let (world, client, host) = stranger(Version::V2);
                world.http.answer(200, &[], &body.to_string());
                let error = now(client.endpoints(&host)).unwrap_err();
                assert_eq!(error.kind(), Kind::Refused, "{body}: {error}");
            }
        }
    }

    #[test]
    fn what_describes_nothing_is_unavailable() {
        for (status, body) in [(200, "<html>"), (200, "{}"), (404, "{}"), (302, ""), (200, "")] {
            let (world, client, host) = stranger(Version::V2);
            world.http.answer(status, &[], body);
            let error = now(client.endpoints(&host)).unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable, "{error}");
            assert!(
                error.to_string().ends_with("(request id 00010203-0405-4607-8809-0a0b0c0d0e0f)")
            );
            assert!(error.next_line().unwrap().starts_with("curl -sS https://login.own.example/"));
        }
    }
}
