//! The SSO portal: a person's access token against the credentials of a role that was granted to them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::aws::accounts::Identity;
use crate::aws::sigv4::digest;
use crate::http::{Request, Response};
use crate::random;
use crate::route::Route;
use crate::server::Handler;
use crate::world::World;

/// A signed-in person, as `aws sso login` leaves one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoSession {
    /// Who signed in.
    pub user: String,
    /// The bearer of the session.
    pub access_token: String,
    /// When it ends, by the sandbox's clock.
    pub expires: Timestamp,
    /// The start URL of the sandbox's portal.
    pub start_url: String,
    /// The region of the portal.
    pub region: String,
}

/// Sessions and grants.
#[derive(Default)]
pub(crate) struct Portal(Mutex<State>);

#[derive(Default)]
struct State {
    sessions: HashMap<String, SsoSession>,
    grants: HashSet<(String, String, String)>,
}

impl Portal {
    pub(crate) fn sign_in(&self, user: &str, now: Timestamp) -> SsoSession {
        let session = SsoSession {
            user: user.to_owned(),
            access_token: format!("aoa{}", random::base64(240)),
            expires: now.saturating_add(SignedDuration::from_hours(8)).unwrap_or(Timestamp::MAX),
            start_url: "https://sandbox.awsapps.com/start".to_owned(),
            region: "us-east-1".to_owned(),
        };
        self.state().sessions.insert(session.access_token.clone(), session.clone());
        session
    }

    pub(crate) fn grant(&self, user: &str, account: &str, role: &str) {
        self.state().grants.insert((user.to_owned(), account.to_owned(), role.to_owned()));
    }

    fn user(&self, token: &str, now: Timestamp) -> Option<String> {
        let state = self.state();
        state
            .sessions
            .get(token)
            .filter(|session| session.expires > now)
            .map(|session| session.user.clone())
    }

    fn granted(&self, user: &str, account: &str, role: &str) -> bool {
        self.state().grants.contains(&(user.to_owned(), account.to_owned(), role.to_owned()))
    }

    fn sign_out(&self, token: &str) {
        self.state().sessions.remove(token);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct PortalService(pub(crate) Arc<World>);

impl Handler for PortalService {
    fn service(&self) -> String {
        "sso".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        if request.path() == "/federation/credentials" { Route::SsoCredentials } else { Route::Sso }
    }

    fn answer(&self, request: &Request) -> Response {
        let now = self.0.clock.now();
        let token = request.header("x-amz-sso_bearer_token").unwrap_or_default();
        let Some(user) = self.0.portal.user(token, now) else {
            return portal_error(
                401,
                "UnauthorizedException",
                "Session token not found or invalid",
            );
        };
        match (request.method.as_str(), request.path()) {
            ("GET", "/federation/credentials") => {}
            ("POST", "/logout") => {
                self.0.portal.sign_out(token);
                return Response {
                    caller: Some(user),
                    ..Response::new(200, "application/json", "")
                };
            }
            _ => return portal_error(404, "ResourceNotFoundException", "No such operation"),
        }
        let (Some(account), Some(role)) =
            (request.parameter("account_id"), request.parameter("role_name"))
        else {
            return portal_error(
                400,
                "InvalidRequestException",
                "account_id and role_name are required",
            );
        };
        if !self.0.portal.granted(&user, &account, &role) {
            return Response {
                caller: Some(user),
                ..portal_error(403, "ForbiddenException", "No access")
            };
        }
        let arn = format!(
            "arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{role}_{}",
            &digest(format!("{account}/{role}").as_bytes())[..16]
        );
        let expires = self.0.accounts.end(now, Duration::from_hours(1));
        let credentials = self.0.accounts.issue(Identity::assumed(&arn, &user), expires, false);
        let body = json!({ "roleCredentials": {
            "accessKeyId": credentials.access_key_id,
            "secretAccessKey": credentials.secret_access_key,
            "sessionToken": credentials.session_token,
            "expiration": credentials.expires.as_millisecond(),
        }});
        Response { caller: Some(user), ..Response::json(200, &body) }
    }
}

/// How the portal says no.
pub(crate) fn portal_error(status: u16, kind: &str, message: &str) -> Response {
    let body =
        json!({ "message": message, "__type": format!("com.amazonaws.switchboard.portal#{kind}") });
    let mut response = Response::json(status, &body);
    response.headers.push(("x-amzn-ErrorType".to_owned(), kind.to_owned()));
    response.headers.push(("x-amzn-RequestId".to_owned(), random::uuid()));
    response.error = Some(kind.to_owned());
    response
}
