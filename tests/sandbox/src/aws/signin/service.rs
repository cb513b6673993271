//! The listener of AWS Sign-In, in all regions.

use std::sync::Arc;

use super::{CONFIRMATION, authorize, token};
use crate::http::{Request, Response};
use crate::route::Route;
use crate::server::Handler;
use crate::world::World;

pub(crate) struct SignInService(pub(crate) Arc<World>);

impl Handler for SignInService {
    fn service(&self) -> String {
        "signin".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        match request.path() {
            "/v1/token" => Route::SignInToken,
            "/v1/authorize" => Route::SignInAuthorize,
            _ => Route::SignIn,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        match (request.method.as_str(), request.path()) {
            ("POST", "/v1/token") => token::create(request, &self.0),
            ("GET", "/v1/authorize") => authorize::page(request, &self.0),
            ("POST", "/v1/login") => authorize::sign_in(request, &self.0),
            ("GET", CONFIRMATION) => authorize::confirmation(request),
            _ => Response::new(404, "text/plain", "There is no such page"),
        }
    }
}
