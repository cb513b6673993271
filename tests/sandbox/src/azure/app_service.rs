//! The token service beside an app of App Service, Functions or Container Apps. A secret header stands for the app.

use std::io;
use std::sync::Arc;

use serde_json::json;

use crate::azure::identities::Asked;
use crate::azure::metadata::{Issued, Kind, Manner};
use crate::http::{Request, Response};
use crate::random;
use crate::route::Route;
use crate::sandbox::Sandbox;
use crate::server::Handler;
use crate::world::World;

impl Sandbox {
    /// Variables that make this an app: where its token service is, and the secret that it wants.
    pub fn app_service_environment(&self) -> io::Result<Vec<(String, String)>> {
        let secret = random::hex(&random::bytes(16)).to_ascii_uppercase();
        let service = AppService { world: Arc::clone(&self.world), secret: secret.clone() };
        let address = self.serve(None, Arc::new(service))?;
        Ok(vec![
            ("IDENTITY_ENDPOINT".to_owned(), format!("http://{address}{TOKEN}")),
            ("IDENTITY_HEADER".to_owned(), secret),
        ])
    }
}

struct AppService {
    world: Arc<World>,
    secret: String,
}

impl Handler for AppService {
    fn service(&self) -> String {
        "app-service".to_owned()
    }

    fn route(&self, _request: &Request) -> Route {
        Route::AppService
    }

    fn answer(&self, request: &Request) -> Response {
        if (request.method.as_str(), request.path()) != ("GET", TOKEN) {
            return error(404, "Not Found");
        }
        if request.header("x-identity-header") != Some(&self.secret) {
            return error(401, "Unauthorized");
        }
        let question = match MANNER.read(request) {
            Ok(question) => question,
            Err(words) => return error(400, &words),
        };
        // Unlike a machine, an app has no default but its own identity.
        let identity = match &question.asked {
            Asked::Any => self.world.identities.system().map_err(|_| NONE),
            asked => self.world.identities.find(asked).map_err(|_| UNKNOWN),
        };
        let identity = match identity {
            Ok(identity) => identity,
            Err(words) => return error(400, words),
        };
        match Issued::to_identity(&self.world, &identity, &question.resource) {
            Ok(Issued { access_token, ends, .. }) => {
                let body = json!({
                    "access_token": access_token, "client_id": identity.client_id,
                    "expires_on": ends.to_string(), "resource": question.resource, "token_type": "Bearer",
                });
                Response { caller: Some(identity.client_id), ..Response::json(200, &body) }
            }
            // Of a resource that does not exist it says no more than this.
            Err(_) => error(500, "An unexpected error occured while fetching the AAD Token."),
        }
    }
}

fn error(status: u16, message: &str) -> Response {
    let body = json!({ "statusCode": status, "message": message });
    Response { error: Some(message.to_owned()), ..Response::json(status, &body) }
}

const TOKEN: &str = "/msi/token";
const MANNER: Manner = Manner {
    versions: &["2019-08-01"],
    identity: &[
        ("client_id", Kind::Client),
        ("object_id", Kind::Object),
        ("principal_id", Kind::Object),
        ("mi_res_id", Kind::Resource),
    ],
};
const NONE: &str = "Unable to load the proper Managed Identity.";
const UNKNOWN: &str = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
