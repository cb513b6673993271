//! The listener: which path is which service.

use std::sync::Arc;

use super::directory::Directory;
use super::{authorize, discovery, token_endpoint};
use crate::http::{Request, Response};
use crate::route::Route;
use crate::server::Handler;
use crate::world::World;

pub(crate) struct Authority(pub(crate) Arc<World>);

/// What a path asks, and of which tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page<'a> {
    Instance,
    Configuration { v2: bool },
    Keys,
    Realm(&'a str),
    Authorize,
    SignIn,
    DeviceCode { v2: bool },
    Token { v2: bool },
    Unknown,
}

impl Handler for Authority {
    fn service(&self) -> String {
        "entra".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        match page(request).1 {
            Page::Instance | Page::Configuration { .. } | Page::Keys => Route::EntraDiscovery,
            Page::Realm(_) => Route::EntraRealm,
            Page::Authorize => Route::EntraAuthorize,
            Page::DeviceCode { .. } => Route::EntraDeviceCode,
            Page::Token { .. } => Route::EntraToken,
            Page::SignIn | Page::Unknown => Route::Entra,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let directory: &Directory = &self.0.entra;
        let now = self.0.clock.now();
        let (tenant, page) = page(request);
        match page {
            Page::Instance => discovery::instance(directory, request, now),
            Page::Configuration { v2 } => {
                discovery::configuration(directory, tenant, v2, request, now)
            }
            Page::Keys => discovery::keys(directory, tenant, request, now),
            Page::Realm(user) => discovery::realm(directory, user, request, now),
            Page::Authorize => authorize::page(directory, tenant, request, now),
            Page::SignIn => authorize::sign_in(directory, request, now),
            Page::DeviceCode { v2 } => {
                token_endpoint::device_code(directory, tenant, v2, request, now)
            }
            Page::Token { v2 } => token_endpoint::token(directory, tenant, v2, request, now),
            Page::Unknown => Response::new(404, "text/html; charset=utf-8", "<h1>Not found</h1>\n"),
        }
    }
}

/// The first part of the path, and what the rest means. A doubled slash is not forgiven.
fn page(request: &Request) -> (&str, Page<'_>) {
    let path = request.path().strip_prefix('/').unwrap_or_default();
    let (tenant, rest) = path.split_once('/').unwrap_or((path, ""));
    let page = match rest {
        "discovery/instance" if tenant == "common" => Page::Instance,
        "v2.0/.well-known/openid-configuration" => Page::Configuration { v2: true },
        ".well-known/openid-configuration" => Page::Configuration { v2: false },
        "discovery/v2.0/keys" | "discovery/keys" => Page::Keys,
        "oauth2/v2.0/authorize" => Page::Authorize,
        "login" => Page::SignIn,
        "oauth2/v2.0/devicecode" => Page::DeviceCode { v2: true },
        "oauth2/devicecode" => Page::DeviceCode { v2: false },
        "oauth2/v2.0/token" => Page::Token { v2: true },
        "oauth2/token" => Page::Token { v2: false },
        rest => match rest.split_once('/') {
            Some((realm, user))
                if realm.eq_ignore_ascii_case("userrealm") && tenant == "common" =>
            {
                Page::Realm(user)
            }
            _ => Page::Unknown,
        },
    };
    (tenant, page)
}
