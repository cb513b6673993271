//! The credential service beside a container: what 169.254.170.2 is to an ECS task.
//!
//! A client that is given only a relative URI goes to that address, which is nobody's loopback; so this one is always
//! named in full.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::aws::accounts::Identity;
use crate::clock::iso8601;
use crate::http::{Request, Response};
use crate::random;
use crate::route::Route;
use crate::sandbox::Sandbox;
use crate::server::Handler;
use crate::world::World;

/// How a container proves that it may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerToken {
    /// It need not; a header that tries to is refused, since it was meant for somebody else.
    None,
    /// With the value of `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
    Variable,
    /// With what is in the file that `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` names; it is written here.
    File(PathBuf),
}

impl Sandbox {
    /// Variables that make this a container with a role. Each call is another container, with another token.
    pub fn container_environment(
        &self,
        role_arn: &str,
        token: &ContainerToken,
    ) -> io::Result<Vec<(String, String)>> {
        let secret = format!("Basic {}", random::base64(24));
        let mut env = Vec::new();
        match token {
            ContainerToken::None => {}
            ContainerToken::Variable => {
                env.push(("AWS_CONTAINER_AUTHORIZATION_TOKEN".to_owned(), secret.clone()));
            }
            ContainerToken::File(path) => {
                std::fs::write(path, &secret)?;
                let path = path.to_string_lossy().into_owned();
                env.push(("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE".to_owned(), path));
            }
        }
        let path = format!("/v2/credentials/{}", random::uuid());
        let container = Container {
            world: Arc::clone(&self.world),
            role: role_arn.to_owned(),
            task: random::hex(&random::bytes(16)),
            path: path.clone(),
            secret: (*token != ContainerToken::None).then_some(secret),
        };
        let address = self.serve(None, Arc::new(container))?;
        let uri = format!("http://{address}{path}");
        env.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(), uri));
        Ok(env)
    }
}

struct Container {
    world: Arc<World>,
    role: String,
    /// The task's id, which is the session name of its role.
    task: String,
    path: String,
    secret: Option<String>,
}

impl Handler for Container {
    fn service(&self) -> String {
        "container".to_owned()
    }

    fn route(&self, _request: &Request) -> Route {
        Route::Container
    }

    fn answer(&self, request: &Request) -> Response {
        if request.header("authorization") != self.secret.as_deref() {
            return error(401, "Unauthorized", "The authorization token is not this container's");
        }
        if request.method != "GET" || request.target != self.path {
            return error(400, "InvalidIdInRequest", "CredentialsV2Request: Credentials not found");
        }
        let World { accounts, clock, .. } = &*self.world;
        let identity = Identity::assumed(&self.role, &self.task);
        let credentials = accounts.issue(identity, accounts.end(clock.now(), LIFETIME), false);
        let body = json!({
            "RoleArn": self.role, "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key, "Token": credentials.session_token,
            "Expiration": iso8601(credentials.expires), "AccountId": credentials.identity.account,
        });
        Response { caller: Some(self.role.clone()), ..Response::json(200, &body) }
    }
}

/// As the ECS agent puts it.
fn error(status: u16, code: &str, message: &str) -> Response {
    let body = json!({ "code": code, "message": message, "HTTPErrorCode": status });
    Response { error: Some(code.to_owned()), ..Response::json(status, &body) }
}

const LIFETIME: Duration = Duration::from_hours(6);
