//! The OIDC service of Identity Center: registers programs, and gives tokens for codes and refresh tokens.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::codes::Brought;
use super::directory::{Client, DEVICE_LIFETIME, Issued, Refused};
use super::oidc_request::{Begin, Create, Register, read};
use super::{SCOPE, START_URL, authorize, oidc_error};
use crate::http::{Request, Response};
use crate::route::Route;
use crate::server::Handler;
use crate::world::World;

pub(crate) struct OidcService(pub(crate) Arc<World>);

impl Handler for OidcService {
    fn service(&self) -> String {
        "sso-oidc".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        match request.path() {
            "/token" => Route::SsoToken,
            "/client/register" => Route::SsoRegister,
            "/device_authorization" => Route::SsoDevice,
            "/authorize" => Route::SsoAuthorize,
            _ => Route::SsoOidc,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let (portal, now) = (&self.0.portal, self.0.clock.now());
        match (request.method.as_str(), request.path()) {
            ("GET", "/authorize") => return authorize::page(portal, request, now),
            ("POST", "/login") => return authorize::sign_in(portal, request, now),
            _ => {}
        }
        let answer = match (request.method.as_str(), request.target.as_str()) {
            ("POST", "/token") => self.create_token(request),
            ("POST", "/client/register") => self.register(request),
            ("POST", "/device_authorization") => self.start(request),
            _ => Err(oidc_error("invalid_request", "There is no such operation")),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }
}

impl OidcService {
    fn register(&self, request: &Request) -> Result<Response, Response> {
        let Register { client_name, client_type, scopes, grant_types, redirect_uris, issuer_url } =
            read(request)?;
        let code_flow = grant_types.iter().any(|kind| kind == "authorization_code");
        if client_name.is_empty() || client_type != "public" {
            return Err(oidc_error(
                "invalid_client_metadata",
                "Only public clients have a place here",
            ));
        }
        if let Some(kind) = grant_types.iter().find(|kind| !GRANTS.contains(&kind.as_str())) {
            let words = format!("Unknown grant type {kind}");
            return Err(oidc_error("unsupported_grant_type", &words));
        }
        if code_flow == redirect_uris.is_empty() {
            return Err(oidc_error("invalid_request", "redirectUris go with authorization_code"));
        }
        if code_flow && !issuer_url.as_deref().is_some_and(is_start_url) {
            return Err(oidc_error("invalid_request", "Invalid issuerUrl provided"));
        }
        // a program has no secret that it could keep, so its page leads to where it runs, on any port
        if let Some(uri) = redirect_uris.iter().find(|uri| !uri.starts_with(LOOPBACK)) {
            let words = format!("{uri} is not on loopback");
            return Err(oidc_error("invalid_redirect_uri", &words));
        }
        if let Some(scope) = scopes.iter().find(|scope| *scope != SCOPE) {
            return Err(oidc_error("invalid_scope", &format!("Unknown scope {scope}")));
        }
        let now = self.0.clock.now();
        let expires = now.saturating_add(REGISTRATION).unwrap_or(Timestamp::MAX);
        let client = self.0.portal.register(expires, scopes, redirect_uris);
        Ok(Response::json(
            200,
            &json!({
                "clientId": client.id, "clientSecret": client.secret,
                "clientIdIssuedAt": now.as_second(), "clientSecretExpiresAt": expires.as_second(),
            }),
        ))
    }

    fn start(&self, request: &Request) -> Result<Response, Response> {
        let Begin { client_id, client_secret, start_url } = read(request)?;
        let client = self.client(&client_id, &client_secret)?;
        if !client.redirect_uris.is_empty() {
            return Err(oidc_error("unauthorized_client", words("unauthorized_client")));
        }
        if !is_start_url(&start_url) {
            return Err(oidc_error("invalid_request", "Invalid start URL provided"));
        }
        let device = self.0.portal.device(&client, self.0.clock.now());
        let page = format!("{START_URL}/#/device");
        Ok(Response::json(
            200,
            &json!({
                "deviceCode": device.code, "userCode": device.user_code, "verificationUri": page,
                "verificationUriComplete": format!("{page}?user_code={}", device.user_code),
                "expiresIn": DEVICE_LIFETIME.as_secs(), "interval": self.0.portal.interval().as_secs(),
            }),
        ))
    }

    fn create_token(&self, request: &Request) -> Result<Response, Response> {
        let Create {
            client_id,
            client_secret,
            grant_type,
            refresh_token,
            device_code,
            code,
            redirect_uri,
            code_verifier,
        } = read(request)?;
        let client = self.client(&client_id, &client_secret)?;
        let (portal, now) = (&self.0.portal, self.0.clock.now());
        let of_code = code.zip(redirect_uri).zip(code_verifier);
        let issued = match (grant_type.as_str(), refresh_token, device_code, of_code) {
            ("refresh_token", Some(token), None, None) => portal.refresh(&client, &token, now),
            (DEVICE_GRANT, None, Some(code), None) => portal.redeem_device(&client, &code, now),
            ("authorization_code", None, None, Some(((code, redirect_uri), verifier))) => {
                let (code, redirect_uri, verifier) = (&*code, &*redirect_uri, &*verifier);
                portal.redeem_code(&client, &Brought { code, redirect_uri, verifier }, now)
            }
            (grant, ..) if GRANTS.contains(&grant) => Err(Refused("invalid_request")),
            _ => Err(Refused("unsupported_grant_type")),
        };
        let Issued { user, access_token, expires_in, refresh_token } =
            issued.map_err(|Refused(error)| oidc_error(error, words(error)))?;
        let mut body = json!({
            "accessToken": access_token, "expiresIn": expires_in.as_secs(), "tokenType": "Bearer",
        });
        if let Some(token) = refresh_token {
            body["refreshToken"] = token.into();
        }
        Ok(Response { caller: Some(user), ..Response::json(200, &body) })
    }

    /// One that is unknown, has another secret, or was registered too long ago is all the same to the service.
    fn client(&self, id: &str, secret: &str) -> Result<Client, Response> {
        let client = self.0.portal.client(id, secret, self.0.clock.now());
        client.ok_or_else(|| oidc_error("invalid_client", words("invalid_client")))
    }
}

/// What the service says beside an error.
fn words(error: &str) -> &'static str {
    match error {
        "access_denied" => "The person said no",
        "authorization_pending" => "The request is still waiting for the person",
        "expired_token" => "The device code has ended",
        "invalid_client" => "Invalid client provided",
        "invalid_grant" => "Invalid refresh token or code provided",
        "slow_down" => "Asked too soon",
        "unauthorized_client" => "The client is not registered for this",
        "unsupported_grant_type" => "No such grant type",
        _ => "Invalid request",
    }
}

fn is_start_url(url: &str) -> bool {
    url.trim_end_matches(['/', '#']) == START_URL
}

const GRANTS: [&str; 3] = ["authorization_code", "refresh_token", DEVICE_GRANT];
const LOOPBACK: &str = "http://127.0.0.1/";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const REGISTRATION: SignedDuration = SignedDuration::from_hours(90 * 24);
