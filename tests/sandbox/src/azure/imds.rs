//! The instance metadata service: what 169.254.169.254 is to a virtual machine.

use std::io;
use std::sync::Arc;

use serde_json::json;

use crate::azure::identities::{ManagedIdentity, Missing};
use crate::azure::metadata::{Issued, Kind, Manner, meant};
use crate::entra::App;
use crate::http::{Request, Response};
use crate::route::Route;
use crate::sandbox::Sandbox;
use crate::server::Handler;
use crate::world::World;

impl Sandbox {
    /// Gives the machine an identity, for all metadata services.
    pub fn managed_identity(&self, identity: ManagedIdentity) -> ManagedIdentity {
        let ManagedIdentity { tenant, client_id, object_id, resource_id: _ } = &identity;
        self.entra().app(App::new(tenant, client_id).object_id(object_id));
        self.world.identities.add(identity.clone());
        identity
    }

    /// Variables that make this a virtual machine: its metadata service is here and not at 169.254.169.254.
    pub fn imds_environment(&self) -> io::Result<Vec<(String, String)>> {
        let address = self.serve(None, Arc::new(Imds(Arc::clone(&self.world))))?;
        Ok(vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST".to_owned(), format!("http://{address}"))])
    }
}

struct Imds(Arc<World>);

impl Handler for Imds {
    fn service(&self) -> String {
        "imds".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        if request.path() == TOKEN { Route::Imds } else { Route::ImdsInstance }
    }

    fn answer(&self, request: &Request) -> Response {
        match (request.method.as_str(), request.path()) {
            ("GET", TOKEN) => self.token(request),
            ("GET", "/metadata/instance") => self.instance(request),
            _ => error(404, "not_found", "The requested resource was not found"),
        }
    }
}

impl Imds {
    fn token(&self, request: &Request) -> Response {
        if !meant(request) {
            return error(400, "invalid_request", UNMEANT);
        }
        let question = match MANNER.read(request) {
            Ok(question) => question,
            Err(words) => return error(400, "invalid_request", &words),
        };
        let identity = match self.0.identities.find(&question.asked) {
            Ok(identity) => identity,
            Err(Missing::Unknown) => return error(400, "invalid_request", "Identity not found"),
            Err(Missing::Several) => return error(400, "invalid_request", SEVERAL),
        };
        match Issued::to_identity(&self.0, &identity, &question.resource) {
            Ok(issued) => {
                let (id, now) = (&identity.client_id, self.0.clock.now());
                let document = issued.document(Some(id), &question.resource, now);
                Response { caller: Some(id.clone()), ..Response::json(200, &document) }
            }
            Err(words) => error(400, "invalid_resource", &words),
        }
    }

    /// A few of the things that one may know of the machine.
    fn instance(&self, request: &Request) -> Response {
        if !meant(request) {
            let body = json!({ "error": format!("Bad request. {UNMEANT}") });
            return Response { error: Some(UNMEANT.to_owned()), ..Response::json(400, &body) };
        }
        if request.parameter("api-version").as_deref() != Some("2021-02-01") {
            let body = json!({
                "error": "Bad request. api-version is invalid or was not specified in the request.",
                "newest-versions": ["2021-02-01"],
            });
            return Response {
                error: Some("api-version".to_owned()),
                ..Response::json(400, &body)
            };
        }
        let identity = self.0.identities.system();
        let tenant = identity.map(|identity| identity.tenant).unwrap_or_default();
        Response::json(
            200,
            &json!({ "compute": {
                "azEnvironment": "AzurePublicCloud", "location": "westeurope", "name": "sandbox",
                "osType": "Linux", "provider": "Microsoft.Compute", "resourceGroupName": "sandbox",
                "subscriptionId": "00000000-0000-4000-a000-000000000001", "tenantId": tenant,
                "vmId": "00000000-0000-4000-a000-000000000002", "vmSize": "Standard_D2s_v5",
            }}),
        )
    }
}

/// How the service says no.
pub(crate) fn error(status: u16, code: &str, description: &str) -> Response {
    let body = json!({ "error": code, "error_description": description });
    Response { error: Some(description.to_owned()), ..Response::json(status, &body) }
}

const TOKEN: &str = "/metadata/identity/oauth2/token";
const MANNER: Manner = Manner {
    versions: &["2018-02-01"],
    identity: &[
        ("client_id", Kind::Client),
        ("object_id", Kind::Object),
        ("msi_res_id", Kind::Resource),
    ],
};
const UNMEANT: &str = "Required metadata header not specified";
const SEVERAL: &str = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request";
