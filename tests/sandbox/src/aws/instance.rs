//! The instance metadata service: what 169.254.169.254 is to an EC2 instance. Version 2 only.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::aws::machine::{ACCOUNT, INSTANCE};
use crate::clock::iso8601;
use crate::http::{Request, Response};
use crate::route::Route;
use crate::sandbox::Sandbox;
use crate::server::Handler;
use crate::world::World;

impl Sandbox {
    /// Gives the instance a role in place of the one it had, if any.
    pub fn instance(&self, role_arn: &str) {
        self.world.machine.set_role(Some(role_arn));
    }

    /// Takes the instance's role away, as it has none at first.
    pub fn instance_without_role(&self) {
        self.world.machine.set_role(None);
    }

    /// Where the instance is; us-east-1 at first.
    pub fn instance_region(&self, region: &str) {
        self.world.machine.set_region(region);
    }

    /// Variables that make this an EC2 instance: they stand after those of [`Sandbox::environment`], which say that
    /// it is none.
    pub fn instance_environment(&self) -> io::Result<Vec<(String, String)>> {
        let address = self.serve(None, Arc::new(Metadata(Arc::clone(&self.world))))?;
        Ok(vec![
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT".to_owned(), format!("http://{address}")),
            ("AWS_EC2_METADATA_DISABLED".to_owned(), "false".to_owned()),
        ])
    }
}

struct Metadata(Arc<World>);

impl Handler for Metadata {
    fn service(&self) -> String {
        "instance".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        match request.path() {
            "/latest/api/token" => Route::InstanceToken,
            path => match path.strip_prefix(ROLES) {
                Some("" | "/") => Route::InstanceRole,
                Some(_) => Route::InstanceCredentials,
                None => Route::Instance,
            },
        }
    }

    fn answer(&self, request: &Request) -> Response {
        // Somebody asks for somebody else: a forwarding proxy is how credentials are stolen from outside.
        if request.header("x-forwarded-for").is_some() {
            return error(403, "Forbidden");
        }
        match (request.method.as_str(), request.path()) {
            ("PUT", "/latest/api/token") => self.token(request),
            (_, "/latest/api/token") => error(405, "Method Not Allowed"),
            ("GET", path) => {
                let token = request.header("x-aws-ec2-metadata-token").unwrap_or_default();
                if self.0.machine.knows(token, self.0.clock.now()) {
                    self.get(path)
                } else {
                    error(401, "Unauthorized")
                }
            }
            _ => error(405, "Method Not Allowed"),
        }
    }
}

impl Metadata {
    fn token(&self, request: &Request) -> Response {
        let lifetime = request.header(TTL).and_then(|seconds| seconds.parse::<u64>().ok());
        match lifetime {
            Some(seconds @ 1..=21600) if request.body.is_empty() => {
                let lifetime = Duration::from_secs(seconds);
                let token = self.0.machine.token(self.0.clock.now(), lifetime);
                let mut response = Response::new(200, "text/plain", token);
                response.headers.push((TTL.to_owned(), seconds.to_string()));
                response
            }
            _ => error(400, "Bad Request"),
        }
    }

    fn get(&self, path: &str) -> Response {
        let World { machine, .. } = &*self.0;
        let text = |text: String| Response::new(200, "text/plain", text);
        if let Some(name) = path.strip_prefix(ROLES) {
            return self.role(name.trim_start_matches('/'));
        }
        match path.trim_end_matches('/') {
            "/latest/meta-data/placement/region" => text(machine.region()),
            "/latest/meta-data/placement/availability-zone" => text(machine.region() + "a"),
            "/latest/meta-data/instance-id" => text(INSTANCE.to_owned()),
            "/latest/dynamic/instance-identity/document" => text(
                json!({
                    "accountId": ACCOUNT, "architecture": "x86_64", "instanceId": INSTANCE,
                    "availabilityZone": machine.region() + "a", "region": machine.region(),
                    "version": "2017-09-30",
                })
                .to_string(),
            ),
            _ => error(404, "Not Found"),
        }
    }

    /// Without a name: the name of the role. With the right one: its credentials.
    fn role(&self, name: &str) -> Response {
        let World { accounts, clock, machine, .. } = &*self.0;
        let role = machine.role();
        let own = role.as_deref().and_then(|role| role.rsplit('/').next());
        if let Some(own) = own.filter(|_| name.is_empty()) {
            return Response::new(200, "text/plain", own);
        }
        let now = clock.now();
        let credentials =
            own.filter(|own| *own == name).and_then(|_| machine.credentials(accounts, now));
        let Some(credentials) = credentials else { return error(404, "Not Found") };
        let body = json!({
            "Code": "Success", "LastUpdated": iso8601(now), "Type": "AWS-HMAC",
            "AccessKeyId": credentials.access_key_id, "SecretAccessKey": credentials.secret_access_key,
            "Token": credentials.session_token, "Expiration": iso8601(credentials.expires),
        });
        let body = format!("{body:#}");
        Response { caller: role, ..Response::new(200, "text/plain", body) }
    }
}

/// A page for people, as the service sends one to programs too.
fn error(status: u16, title: &str) -> Response {
    let page = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html><head><title>{status} - {title}</title></head>\n\
         <body><h1>{status} - {title}</h1></body></html>\n"
    );
    Response { error: Some(title.to_owned()), ..Response::new(status, "text/html", page) }
}

const ROLES: &str = "/latest/meta-data/iam/security-credentials";
const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
