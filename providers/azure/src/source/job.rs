//! What the jobs of GitHub Actions and Azure Pipelines have in common: a URL and a bearer in variables,
//! where the job gets a token that says which job it is.
//!
//! Such a token lives for minutes, so it is never kept: each exchange asks for one.

use fleetkey_provider::{
    CredentialKey, Endpoint, Error, ExposeSecret, Fingerprint, Host, HttpRequest, HttpResponse,
    Method, Result, Retry, SecretString, shown,
};
use serde_json::Value;

use super::federated::Federated;

/// A CI system.
#[derive(Debug)]
pub(super) struct System {
    /// As a person would say it.
    pub(super) name: &'static str,
    /// The variable of the URL.
    pub(super) url: &'static str,
    /// The variable of the bearer.
    pub(super) bearer: &'static str,
    /// Whether a host is its own.
    pub(super) own: fn(&str) -> bool,
    /// Why one of the variables may be missing, or the bearer refused.
    pub(super) missing: &'static str,
    /// Where in the answer the token stands.
    pub(super) field: &'static str,
}

/// A job that may ask.
#[derive(Debug)]
pub(super) struct Job {
    system: &'static System,
    endpoint: Endpoint,
    bearer: SecretString,
}

impl Job {
    /// The job that the variables are about.
    pub(super) fn open(system: &'static System, host: &Host) -> Result<Self> {
        let var = |name: &str| {
            host.text_var(name)?.ok_or_else(|| {
                Error::config(format!("this job can get no token from {}", system.name))
                    .because(format!("the variable `{name}` is not set: {}", system.missing))
            })
        };
        let (url, bearer) = (var(system.url)?, var(system.bearer)?);
        // Azure Pipelines leaves a macro as it stands if there is no such value
        if bearer.starts_with("$(") || !bearer.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::config(format!("the variable `{}` holds no token", system.bearer))
                .because(system.missing));
        }
        let endpoint = endpoint(&url, system, host)?;
        Ok(Self { system, endpoint, bearer: bearer.into() })
    }

    /// Which job it is: nothing else is known of it before it is asked.
    pub(super) fn key(&self, key: &mut CredentialKey) {
        let Self { system, endpoint, bearer } = self;
        key.field("job of", system.name);
        key.field("job", endpoint.as_str());
        key.field("bearer", &Fingerprint::of(bearer.expose_secret().as_bytes()).to_string());
    }

    /// Asks for the job's token.
    pub(super) async fn token(
        &self,
        method: Method,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        host: &Host,
    ) -> Result<Federated> {
        let bearer = format!("Bearer {}", self.bearer.expose_secret());
        let headers = headers.iter().copied().chain([("authorization", bearer.as_str())]);
        let request = HttpRequest {
            method,
            endpoint: self.endpoint.with_query(query),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: Vec::new(),
            ca_bundle: None,
            retry: Retry::Safe(|_| false),
        };
        host.notes.note(&format!("asking {} for this job's token", self.system.name));
        let answer = host.http.send(&request).await?;
        if answer.status != 200 {
            return Err(self.refused(&answer));
        }
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let token = body.as_ref().and_then(|body| body.get(self.system.field)?.as_str());
        token.and_then(Federated::read).ok_or_else(|| match body {
            Some(_) => self.not_understood("status 200 without a token"),
            // a page to sign in is what a stranger gets
            None => self.stranger("a page in place of a token"),
        })
    }

    fn refused(&self, answer: &HttpResponse) -> Error {
        let Self { system: System { name, .. }, endpoint, .. } = self;
        let status = answer.status;
        match status {
            203 | 300..=399 | 401 | 403 => self.stranger(&format!("status {status}")),
            404 => {
                Error::refused(format!("{name} does not know what this job asked for a token of"))
                    .because(format!("status 404{} from {}", said(answer), endpoint.origin()))
            }
            429 | 500.. => Error::unavailable(format!("{name} is not well and gave no token"))
                .because(format!("status {status} from {}", endpoint.origin())),
            _ => self.not_understood(&format!("status {status}{}", said(answer))),
        }
    }

    fn stranger(&self, what: &str) -> Error {
        let Self { system: System { name, bearer, missing, .. }, .. } = self;
        Error::refused(format!("{name} gave this job no token"))
            .because(format!("{what}: `{bearer}` is not, or no longer, that of a job; {missing}"))
    }

    fn not_understood(&self, what: &str) -> Error {
        let Self { system: System { name, .. }, endpoint, .. } = self;
        Error::unavailable(format!("the answer of {name} was not understood"))
            .because(format!("{what} from {}; a proxy may have answered", endpoint.origin()))
    }
}

/// The words of an answer, if it has some.
fn said(answer: &HttpResponse) -> String {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let words = body.as_ref().and_then(|body| body.get("message")?.as_str()).map(shown);
    words.map(|words| format!(" (\"{words}\")")).unwrap_or_default()
}

/// Where the URL leads, if its host may be given something secret. It may have a query of its own.
fn endpoint(url: &str, system: &System, host: &Host) -> Result<Endpoint> {
    let from = format!("the variable `{}`", system.url);
    let (bare, query) = url.split_once('?').unwrap_or((url, ""));
    let endpoint = Endpoint::configured(bare, &from, system.own, host)?;
    let parameters: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    if parameters.is_empty() {
        return Ok(endpoint);
    }
    let parameters: Vec<(&str, &str)> =
        parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Ok(endpoint.with_query(&parameters))
}
