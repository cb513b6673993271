//! The token service of Cloud Shell: its tokens are those of the person who sits there.

use std::io;
use std::sync::Arc;

use serde_json::json;

use crate::azure::cli::AZ;
use crate::azure::metadata::{Issued, Manner, Question, meant};
use crate::http::{Request, Response};
use crate::route::Route;
use crate::sandbox::Sandbox;
use crate::server::Handler;
use crate::world::World;

impl Sandbox {
    /// Variables that make this a Cloud Shell, with this person (known to Entra) in front of it.
    pub fn cloud_shell_environment(
        &self,
        tenant: &str,
        username: &str,
    ) -> io::Result<Vec<(String, String)>> {
        let service = CloudShell {
            world: Arc::clone(&self.world),
            tenant: tenant.to_owned(),
            username: username.to_owned(),
        };
        let address = self.serve(None, Arc::new(service))?;
        Ok(vec![("MSI_ENDPOINT".to_owned(), format!("http://{address}{TOKEN}"))])
    }
}

struct CloudShell {
    world: Arc<World>,
    tenant: String,
    username: String,
}

impl Handler for CloudShell {
    fn service(&self) -> String {
        "cloud-shell".to_owned()
    }

    fn route(&self, _request: &Request) -> Route {
        Route::CloudShell
    }

    fn answer(&self, request: &Request) -> Response {
        if (request.method.as_str(), request.path()) != ("POST", TOKEN) {
            return error(404, "NotFound", "The requested path is not found");
        }
        if !meant(request) {
            return error(400, "MissingMetadataHeader", "The Metadata header is missing");
        }
        if !request.query().is_empty() {
            return error(400, "InvalidRequest", "The parameters belong into the body");
        }
        let question = match MANNER.read(request) {
            Ok(question) => question,
            Err(words) => return error(400, "InvalidRequest", &words),
        };
        let Question { resource, asked: _ } = &question;
        let Ok(issued) = Issued::to_person(&self.world, &self.tenant, &self.username, AZ, resource)
        else {
            let words = format!("Audience {resource} is not a supported MSI token audience.");
            return error(400, "AudienceNotSupported", &words);
        };
        let mut document = issued.document(None, resource, self.world.clock.now());
        document["refresh_token"] = "".into();
        Response { caller: Some(self.username.clone()), ..Response::json(200, &document) }
    }
}

fn error(status: u16, code: &str, message: &str) -> Response {
    let body = json!({ "error": { "code": code, "message": message } });
    Response { error: Some(code.to_owned()), ..Response::json(status, &body) }
}

const TOKEN: &str = "/oauth2/token";
const MANNER: Manner = Manner { versions: &[], identity: &[] };
