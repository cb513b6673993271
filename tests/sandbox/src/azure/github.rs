//! The token service of GitHub Actions: a job's bearer against a token that says which job it is.

use std::io;
use std::sync::Arc;

use serde_json::json;

use crate::azure::federation::job_token;
use crate::http::{Request, Response};
use crate::random;
use crate::route::{Route, Service};
use crate::sandbox::Sandbox;
use crate::server::Handler;
use crate::world::World;

impl Sandbox {
    /// Who signs the tokens of GitHub's jobs.
    pub fn github_issuer(&self) -> &str {
        &self.world.federation.github.url
    }

    /// Variables of a job that may ask for tokens, such as that of `repo:ORG/REPO:ref:refs/heads/main`.
    pub fn github_environment(&self, subject: &str) -> io::Result<Vec<(String, String)>> {
        let bearer = random::hex(&random::bytes(24));
        let job = Job {
            world: Arc::clone(&self.world),
            bearer: bearer.clone(),
            subject: subject.to_owned(),
        };
        let address = self.serve(Some(Service::Oidc), Arc::new(job))?;
        let url = format!("https://{address}{TOKEN}?api-version=2.0");
        Ok(vec![
            ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(), url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned(), bearer),
        ])
    }
}

struct Job {
    world: Arc<World>,
    bearer: String,
    subject: String,
}

impl Handler for Job {
    fn service(&self) -> String {
        "github".to_owned()
    }

    fn route(&self, _request: &Request) -> Route {
        Route::GithubOidc
    }

    fn answer(&self, request: &Request) -> Response {
        if (request.method.as_str(), request.path()) != ("GET", TOKEN) {
            return error(404, "Not Found");
        }
        if !bears(request, &self.bearer) {
            return error(401, "Unauthorized");
        }
        let mut audience = None;
        let mut version = false;
        for (name, value) in request.parameters() {
            match name.as_str() {
                "api-version" if !version && value == "2.0" => version = true,
                "audience" if audience.is_none() => audience = Some(value),
                _ => return error(400, "Bad Request"),
            }
        }
        if !version {
            return error(400, "The query of the URL is lost");
        }
        // Who names no audience gets a token for the owner of the repository.
        let audience = audience.unwrap_or_else(|| "https://github.com/sandbox".to_owned());
        match job_token(
            &self.world.federation.github,
            &self.subject,
            &audience,
            self.world.clock.now(),
        ) {
            Ok(token) => {
                let body = json!({ "count": token.len(), "value": token });
                Response { caller: Some(self.subject.clone()), ..Response::json(200, &body) }
            }
            Err(words) => error(500, &words.to_string()),
        }
    }
}

/// Whether the request has this bearer; the scheme's case does not matter.
pub(super) fn bears(request: &Request, token: &str) -> bool {
    let header = request.header("authorization").unwrap_or_default();
    header
        .split_once(' ')
        .is_some_and(|(scheme, shown)| scheme.eq_ignore_ascii_case("bearer") && shown == token)
}

fn error(status: u16, message: &str) -> Response {
    let body = json!({ "message": message });
    Response { error: Some(message.to_owned()), ..Response::json(status, &body) }
}

const TOKEN: &str = "/sandbox/idtoken/00000000/job";
