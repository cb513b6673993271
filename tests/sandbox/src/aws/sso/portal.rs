//! The SSO portal: a person's access token against the credentials of a role that was granted to them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{assignments, role_arn};
use crate::aws::accounts::Identity;
use crate::http::{Request, Response};
use crate::random;
use crate::route::Route;
use crate::server::Handler;
use crate::world::World;

pub(crate) struct PortalService(pub(crate) Arc<World>);

impl Handler for PortalService {
    fn service(&self) -> String {
        "sso".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        match request.path() {
            "/federation/credentials" => Route::SsoCredentials,
            "/logout" => Route::SsoLogout,
            "/assignment/accounts" => Route::SsoAccounts,
            "/assignment/roles" => Route::SsoRoles,
            _ => Route::Sso,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let now = self.0.clock.now();
        let token = request.header("x-amz-sso_bearer_token").unwrap_or_default();
        let Some(user) = self.0.portal.bearer(token, now) else {
            return portal_error(
                401,
                "UnauthorizedException",
                "Session token not found or invalid",
            );
        };
        match (request.method.as_str(), request.path()) {
            ("GET", "/federation/credentials") => {}
            ("GET", "/assignment/accounts") => {
                return assignments::accounts(request, &self.0, user);
            }
            ("GET", "/assignment/roles") => return assignments::roles(request, &self.0, user),
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
        let names = [account.as_str(), &role];
        let denied = self.0.control_plane.denies(Route::SsoCredentials, &names);
        if denied || !self.0.portal.granted(&user, &account, &role) {
            return Response {
                caller: Some(user),
                ..portal_error(403, "ForbiddenException", "No access")
            };
        }
        let identity = Identity::assumed(&role_arn(&account, &role), &user);
        let expires = self.0.accounts.end(now, Duration::from_hours(1));
        let credentials = self.0.accounts.issue(identity, expires, false);
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
