//! The token service of Azure Pipelines: a job's bearer and a service connection against a token for that connection.

use std::io;
use std::sync::Arc;

use serde_json::json;

use crate::azure::federation::{EXCHANGE_AUDIENCE, job_token};
use crate::azure::github::bears;
use crate::http::{Request, Response};
use crate::random;
use crate::route::{Route, Service};
use crate::sandbox::Sandbox;
use crate::server::Handler;
use crate::world::World;

impl Sandbox {
    /// Who signs the tokens of Azure Pipelines' service connections.
    pub fn pipelines_issuer(&self) -> &str {
        &self.world.federation.pipelines.url
    }

    /// Variables of a job that may use a service connection; the subject of its tokens is the connection.
    pub fn pipelines_environment(&self, connection: &str) -> io::Result<Vec<(String, String)>> {
        let bearer = random::base64(96);
        let job = Job {
            world: Arc::clone(&self.world),
            bearer: bearer.clone(),
            connection: connection.to_owned(),
        };
        let address = self.serve(Some(Service::Oidc), Arc::new(job))?;
        Ok(vec![
            ("TF_BUILD".to_owned(), "True".to_owned()),
            ("SYSTEM_OIDCREQUESTURI".to_owned(), format!("https://{address}{TOKEN}")),
            ("SYSTEM_ACCESSTOKEN".to_owned(), bearer),
        ])
    }
}

struct Job {
    world: Arc<World>,
    bearer: String,
    connection: String,
}

impl Handler for Job {
    fn service(&self) -> String {
        "pipelines".to_owned()
    }

    fn route(&self, _request: &Request) -> Route {
        Route::PipelinesOidc
    }

    fn answer(&self, request: &Request) -> Response {
        if request.path() != TOKEN {
            return error(404, "The controller for the path was not found.");
        }
        if !bears(request, &self.bearer) {
            return stranger(request);
        }
        if request.method != "POST" {
            return error(405, "The requested resource does not support this method.");
        }
        if request.parameter("api-version").as_deref() != Some("7.1") {
            return error(400, "No api-version was supplied that this resource knows.");
        }
        if request.header("content-length").is_none() {
            return error(411, "Length Required");
        }
        let connection = request.parameter("serviceConnectionId");
        if !connection.is_some_and(|id| id.eq_ignore_ascii_case(&self.connection)) {
            return error(
                404,
                "The service connection does not exist or is not for this pipeline.",
            );
        }
        let issuer = &self.world.federation.pipelines;
        match job_token(issuer, &self.connection, EXCHANGE_AUDIENCE, self.world.clock.now()) {
            Ok(token) => Response {
                caller: Some(self.connection.clone()),
                ..Response::json(200, &json!({ "oidcToken": token }))
            },
            Err(words) => error(500, &words.to_string()),
        }
    }
}

/// Azure DevOps sends whom it does not know to a page to sign in, unless it is asked to spare that.
fn stranger(request: &Request) -> Response {
    let spared = request
        .header("x-tfs-fedauthredirect")
        .is_some_and(|value| value.eq_ignore_ascii_case("suppress"));
    if spared {
        let mut response =
            error(401, "TF400813: The user is not authorized to access this resource.");
        let challenge = "Bearer authorization_uri=https://login.microsoftonline.com/common";
        response.headers.push(("WWW-Authenticate".to_owned(), challenge.to_owned()));
        return response;
    }
    let page = "<html><head><title>Object moved</title></head><body>Object moved</body></html>";
    let mut response = Response::new(302, "text/html; charset=utf-8", page);
    let to = "https://spsprodweu1.vssps.visualstudio.com/_signin?realm=dev.azure.com";
    response.headers.push(("Location".to_owned(), to.to_owned()));
    response.error = Some("sign-in page".to_owned());
    response
}

fn error(status: u16, message: &str) -> Response {
    let body = json!({
        "$id": "1", "innerException": null, "message": message, "typeKey": "VssServiceException",
        "errorCode": 0,
    });
    Response { error: Some(message.to_owned()), ..Response::json(status, &body) }
}

const TOKEN: &str = "/sandbox/project/_apis/distributedtask/hubs/build/plans/00000000-0000-4000-a000-000000000006/jobs/00000000-0000-4000-a000-000000000007/oidctoken";
