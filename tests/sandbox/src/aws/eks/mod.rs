//! EKS: which clusters an account has in a region, and how one of them is reached. One listener is all regions: which
//! one is meant stands in the signature.

pub(crate) mod clusters;
pub(crate) mod error;

use std::sync::Arc;

use serde_json::json;

use self::error::{error, unauthenticated};
use crate::aws::authentication::{Caller, authenticate};
use crate::aws::sts::error::StsError;
use crate::http::{Request, Response};
use crate::paging::{Page, page};
use crate::route::Route;
use crate::server::Handler;
use crate::world::World;

pub(crate) struct Eks(pub(crate) Arc<World>);

impl Handler for Eks {
    fn service(&self) -> String {
        "eks".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        match (request.method.as_str(), request.path().strip_prefix("/clusters")) {
            ("GET", Some("" | "/")) => Route::EksList,
            ("GET", Some(name)) if name.starts_with('/') && !name[1..].contains('/') => {
                Route::EksDescribe
            }
            _ => Route::Eks,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let caller = match self.caller(request) {
            Ok(caller) => caller,
            Err(refusal) => return unauthenticated(&refusal),
        };
        let answer = match self.0.control_plane.throttles(&caller.region) {
            Some(throttle) => {
                Err(throttle.tell(error(429, "TooManyRequestsException", "Too Many Requests")))
            }
            None => match self.route(request) {
                Route::EksList => self.list(request, &caller),
                Route::EksDescribe => self.describe(request, &caller),
                _ => Err(error(404, "UnknownOperationException", "There is no such operation")),
            },
        };
        Response { caller: Some(caller.identity.arn), ..answer.unwrap_or_else(|refusal| refusal) }
    }
}

impl Eks {
    /// Keys of an account are unknown where it may not be.
    fn caller(&self, request: &Request) -> Result<Caller, StsError> {
        let caller = authenticate(request, "eks", &self.0.accounts, self.0.clock.now())?;
        if self.0.regions.admit(&caller.identity.account, &caller.region) {
            return Ok(caller);
        }
        let message = "The security token included in the request is invalid.";
        Err(StsError::new(403, "InvalidClientTokenId", message))
    }

    fn list(&self, request: &Request, caller: &Caller) -> Result<Response, Response> {
        let Caller { identity, region, .. } = caller;
        self.allowed(Route::EksList, "ListClusters", "*", caller)?;
        let (mut size, mut token) = (LONGEST, None);
        for (name, value) in request.parameters() {
            match name.as_str() {
                "maxResults" => {
                    let asked = value.parse().ok().filter(|asked| (1..=LONGEST).contains(asked));
                    size = asked.ok_or_else(|| invalid("maxResults must be from 1 to 100"))?;
                }
                "nextToken" => token = Some(value),
                "include" if value == "all" => {}
                // the real service ignores what it does not know, and so hides what is misspelt
                _ => return Err(invalid(&format!("{name} is not expected"))),
            }
        }
        let names = self.0.eks.names(&identity.account, region);
        let list = format!("eks/{}/{region}", identity.account);
        let size = self.0.control_plane.page(size);
        let Page { items, next } = page(names, &list, token.as_deref(), size)
            .ok_or_else(|| invalid("nextToken is not of this list"))?;
        Ok(Response::json(200, &json!({ "clusters": items, "nextToken": next })))
    }

    fn describe(&self, request: &Request, caller: &Caller) -> Result<Response, Response> {
        let Caller { identity, region, .. } = caller;
        let name = request.path().rsplit('/').next().unwrap_or_default();
        self.allowed(Route::EksDescribe, "DescribeCluster", name, caller)?;
        let cluster = self.0.eks.find(&identity.account, region, name).ok_or_else(|| {
            let message = format!("No cluster found for name: {name}.");
            error(404, "ResourceNotFoundException", &message)
        })?;
        Ok(Response::json(200, &cluster.document(&self.0.certificates.ca_pem)))
    }

    fn allowed(
        &self,
        route: Route,
        action: &str,
        name: &str,
        caller: &Caller,
    ) -> Result<(), Response> {
        let Caller { identity, region, .. } = caller;
        let on = clusters::arn(region, &identity.account, name);
        if !self.0.control_plane.denies(route, &[&identity.arn, &on]) {
            return Ok(());
        }
        let message = format!(
            "User: {} is not authorized to perform: eks:{action} on resource: {on}",
            identity.arn
        );
        Err(error(403, "AccessDeniedException", &message))
    }
}

fn invalid(message: &str) -> Response {
    error(400, "InvalidParameterException", message)
}

/// What a page has, and the most that can be asked for.
const LONGEST: usize = 100;
