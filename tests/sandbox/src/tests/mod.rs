//! The services as their clients meet them: over TLS, with signatures made here by hand.

mod api;
mod arm;
mod arm_credential;
mod arm_refusals;
mod aws_cli;
mod azure;
mod azure_cli;
mod azure_jobs;
mod azure_metadata;
mod connections;
mod control_planes;
mod ec2;
mod eks;
mod entra;
mod entra_apps;
mod entra_browser;
mod entra_clusters;
mod entra_people;
mod faults;
mod machines;
mod mfa;
mod signin;
mod sso;
mod sso_lists;
mod sso_oidc;
mod sso_pages;
mod sts;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use url::form_urlencoded;

use crate::aws::accounts::{Credentials, User};
use crate::aws::sigv4::{self, Scope, encode};
use crate::client::Reply;
use crate::clock::amz_date;
use crate::http::Request;
use crate::sandbox::Sandbox;

/// Whatever can sign.
#[derive(Clone)]
struct Signer {
    id: String,
    secret: String,
    token: Option<String>,
}

impl From<&User> for Signer {
    fn from(user: &User) -> Self {
        Self { id: user.access_key_id.clone(), secret: user.secret_access_key.clone(), token: None }
    }
}

impl From<&Credentials> for Signer {
    fn from(credentials: &Credentials) -> Self {
        Self {
            id: credentials.access_key_id.clone(),
            secret: credentials.secret_access_key.clone(),
            token: Some(credentials.session_token.clone()),
        }
    }
}

impl Signer {
    /// A header-signed POST to STS.
    fn post(&self, sandbox: &Sandbox, parameters: &[(&str, &str)], at: Timestamp) -> Reply {
        let (body, headers) = self.signed(sandbox, parameters, at);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        sandbox
            .client()
            .unwrap()
            .send("POST", &sandbox.sts_url(), &headers, body.as_bytes())
            .unwrap()
    }

    fn signed(
        &self,
        sandbox: &Sandbox,
        parameters: &[(&str, &str)],
        at: Timestamp,
    ) -> (String, Vec<(String, String)>) {
        let body = form(parameters);
        let date = amz_date(at);
        let mut signed = vec![("host".to_owned(), sandbox.sts_url().replace("https://", ""))];
        signed.push(("x-amz-date".to_owned(), date.clone()));
        signed.extend(self.token.clone().map(|token| ("x-amz-security-token".to_owned(), token)));
        let names: Vec<String> = signed.iter().map(|(name, _)| name.clone()).collect();
        let request = Request {
            method: "POST".into(),
            target: "/".into(),
            headers: signed.clone(),
            body: body.clone().into_bytes(),
        };
        let signature = sigv4::signature(&self.secret, &self.scope(&date), &date, &names, &request);
        let mut headers = signed.split_off(1);
        headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
        headers.push((
            "authorization".into(),
            format!(
                "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={signature}",
                self.credential(&date),
                names.join(";")
            ),
        ));
        (body, headers)
    }

    /// A header-signed request to a service in a region.
    fn ask(
        &self,
        sandbox: &Sandbox,
        (service, region): (&str, &str),
        url: &str,
        body: &str,
    ) -> Reply {
        let (method, headers) = self.headers((service, region), url, body, sandbox.now());
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        sandbox.client().unwrap().send(method, url, &headers, body.as_bytes()).unwrap()
    }

    /// The headers of one: a POST of a form if there is a body, else a GET.
    fn headers(
        &self,
        (service, region): (&str, &str),
        url: &str,
        body: &str,
        at: Timestamp,
    ) -> (&'static str, Vec<(String, String)>) {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let url = url::Url::parse(url).unwrap();
        let date = amz_date(at);
        let mut signed = vec![
            ("host".to_owned(), url.authority().to_owned()),
            ("x-amz-content-sha256".to_owned(), sigv4::digest(body.as_bytes())),
            ("x-amz-date".to_owned(), date.clone()),
        ];
        signed.extend(self.token.clone().map(|token| ("x-amz-security-token".to_owned(), token)));
        let names: Vec<String> = signed.iter().map(|(name, _)| name.clone()).collect();
        let request = Request {
            method: method.into(),
            target: url[url::Position::BeforePath..].to_owned(),
            headers: signed.clone(),
            body: body.into(),
        };
        let credential = format!("{}/{}/{region}/{service}/aws4_request", self.id, &date[..8]);
        let (_, scope) = Scope::parse(&credential).unwrap();
        let signature = sigv4::signature(&self.secret, &scope, &date, &names, &request);
        let mut headers = signed.split_off(1);
        headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
        headers.push((
            "authorization".into(),
            format!(
                "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={}, Signature={signature}",
                names.join(";")
            ),
        ));
        (method, headers)
    }

    /// A token for a cluster, as the AWS CLI makes it.
    fn token(&self, cluster: &str, at: Timestamp) -> String {
        let date = amz_date(at);
        let host = "sts.us-east-1.amazonaws.com";
        let mut query = format!(
            "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&\
             X-Amz-Date={date}&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id",
            encode(&self.credential(&date))
        );
        if let Some(token) = &self.token {
            query = format!("{query}&X-Amz-Security-Token={}", encode(token));
        }
        let headers = [("host", host), ("x-k8s-aws-id", cluster)]
            .map(|(name, value)| (name.into(), value.into()));
        let request = Request {
            method: "GET".into(),
            target: format!("/?{query}"),
            headers: headers.into(),
            body: Vec::new(),
        };
        let names = ["host".to_owned(), "x-k8s-aws-id".to_owned()];
        let signature = sigv4::signature(&self.secret, &self.scope(&date), &date, &names, &request);
        let url = format!("https://{host}/?{query}&X-Amz-Signature={signature}");
        format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url))
    }

    fn credential(&self, date: &str) -> String {
        format!("{}/{}/us-east-1/sts/aws4_request", self.id, &date[..8])
    }

    fn scope(&self, date: &str) -> Scope {
        Scope::parse(&self.credential(date)).unwrap().1
    }
}

fn form(parameters: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Version", "2011-06-15");
    form.extend_pairs(parameters);
    form.finish()
}

/// The text of the first element of that name.
fn element(reply: &Reply, name: &str) -> String {
    let text = reply.text();
    let start =
        text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {text}")).1;
    start.split('<').next().unwrap().to_owned()
}

/// Status and error code.
fn refusal(reply: &Reply) -> (u16, String) {
    (reply.status, element(reply, "Code"))
}

const ROLE: &str = "arn:aws:iam::444455556666:role/team/admin";
