//! A cloud for the tests of this folder, which answers by what it is asked, and a host that runs
//! errands.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use clap::Command;
use fleetkey_provider::{
    BoxFuture, Credential, Entry, EntryUser, Errand, Error, Find, Host, Http, HttpRequest,
    HttpResponse, Listed, Method, Request, Result, Wanted,
};

use super::INVENTORY;
use crate::testing::{World, now};

/// What is answered, and what was asked.
#[derive(Clone, Default)]
pub(super) struct Cloud {
    rules: Vec<(&'static str, u16, String)>,
    date: Option<&'static str>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Cloud {
    /// Whatever is asked in these words is answered so. What was said first goes first. The words are
    /// `METHOD host/path?query body as ACCESSKEYID at TIME`, where it is signed; each word of `about`
    /// has to stand in them.
    pub(super) fn on(mut self, about: &'static str, status: u16, body: &str) -> Self {
        self.rules.push((about, status, body.to_owned()));
        self
    }

    /// By its clock it is that time.
    pub(super) fn dated(self, date: &'static str) -> Self {
        Self { date: Some(date), ..self }
    }

    /// What was asked.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// How often something of these words was asked.
    pub(super) fn count(&self, about: &str) -> usize {
        self.asked().iter().filter(|line| is_about(line, about)).count()
    }
}

impl Http for Cloud {
    fn send<'a>(&'a self, request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        let line = line(request);
        self.asked.lock().unwrap().push(line.clone());
        let rule = self.rules.iter().find(|(about, _, _)| is_about(&line, about));
        let answer = rule.map(|(_, status, body)| HttpResponse {
            status: *status,
            headers: self.date.map(|date| ("date".into(), date.into())).into_iter().collect(),
            body: body.clone().into_bytes(),
        });
        Box::pin(async move { answer.ok_or_else(|| Error::failed(format!("unscripted: {line}"))) })
    }
}

fn is_about(line: &str, about: &str) -> bool {
    about.split(' ').all(|word| line.contains(word))
}

fn line(request: &HttpRequest) -> String {
    let url = request.endpoint.url();
    let method = if request.method == Method::Get { "GET" } else { "POST" };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let body = std::str::from_utf8(&request.body).unwrap();
    let header =
        |name| request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let who = header("authorization")
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, rest)| rest.split('/').next())
        .or_else(|| header("x-amz-sso_bearer_token"))
        .unwrap_or("nobody");
    let at = header("x-amz-date").map(|at| format!(" at {at}")).unwrap_or_default();
    format!("{method} {}{}{query} {body} as {who}{at}", url.host_str().unwrap(), url.path())
}

/// What came of errands.
#[derive(Default)]
pub(super) struct Found {
    pub(super) clusters: Vec<Listed>,
    pub(super) entries: Vec<Entry>,
    /// What was asked, and why it failed.
    pub(super) failures: Vec<(String, Error)>,
}

impl Found {
    /// `id` of each cluster, in order.
    pub(super) fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<_> = self.clusters.iter().map(|listed| listed.id.as_str()).collect();
        ids.sort_unstable();
        ids
    }

    /// What failed.
    pub(super) fn failed(&self) -> Vec<&str> {
        self.failures.iter().map(|(what, _)| what.as_str()).collect()
    }
}

/// The arguments of an entry's user.
pub(super) fn args(entry: &Entry) -> String {
    match &entry.user {
        EntryUser::Plugin { args, env } => {
            assert!(env.is_empty());
            args.join(" ")
        }
        EntryUser::Local { .. } => panic!("EKS has no local accounts"),
    }
}

/// Runs errands and what comes of them, one after the other.
pub(super) fn run(errands: Vec<Box<dyn Errand>>, host: &Host) -> Found {
    let mut found = Found::default();
    let mut waiting = VecDeque::from(errands);
    while let Some(errand) = waiting.pop_front() {
        let finds = errand.request().map(|request| lend(request, host)).transpose();
        let finds = finds.and_then(|credential| now(errand.run(credential.as_ref(), host)));
        match finds {
            Err(error) => found.failures.push((errand.describe(), error)),
            Ok(finds) => {
                for find in finds {
                    match find {
                        Find::Errand(next) => {
                            assert!(next.request().is_none(), "only the first may have one");
                            waiting.push_back(next);
                        }
                        Find::Cluster(listed) => found.clusters.push(listed),
                        Find::Entry(entry) => found.entries.push(*entry),
                        Find::Failure(what, error) => found.failures.push((what, error)),
                        Find::Kubeconfig { .. } => panic!("EKS writes none"),
                    }
                }
            }
        }
    }
    found
}

fn lend(request: &dyn Request, host: &Host) -> Result<Credential> {
    if let Some(credential) = request.at_hand(host)? {
        return Ok(credential);
    }
    let source = request.source().map(|source| lend(source, host)).transpose()?;
    now(request.obtain(source.as_ref(), host))
}

/// That machine, in that cloud.
pub(super) fn host(world: &World, cloud: &Cloud) -> Host {
    Host { http: Box::new(cloud.clone()), ..world.host() }
}

/// What `kubeconfig discover` with these flags begins with.
pub(super) fn discover(line: &str, regions: &[&str], host: &Host) -> Result<Vec<Box<dyn Errand>>> {
    let command = INVENTORY.discover_arguments(Command::new("discover").no_binary_name(true));
    let mut matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
    let regions = regions.iter().map(|region| (*region).to_owned()).collect();
    INVENTORY.discover(&mut matches, &Wanted { regions }, host)
}

/// What comes of it.
pub(super) fn discovered(line: &str, regions: &[&str], world: &World, cloud: &Cloud) -> Found {
    let host = host(world, cloud);
    run(discover(line, regions, &host).unwrap(), &host)
}

/// Role credentials of the portal.
pub(super) fn lends(id: &str) -> String {
    format!(
        r#"{{"roleCredentials":{{"accessKeyId":"{id}","secretAccessKey":"hunter2",
            "sessionToken":"t","expiration":1767326645000}}}}"#
    )
}

/// What EC2 answers about regions.
pub(super) fn regions(names: &[&str]) -> String {
    let items: Vec<_> = names
        .iter()
        .map(|name| format!("<item><o>opted-in</o><regionName>{name}</regionName></item>"))
        .collect();
    let items = items.concat();
    format!("<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>")
}

/// What EC2 answers to whoever may not ask.
pub(super) const EC2_DENIED: &str = "<Response><Errors><Error><Code>UnauthorizedOperation</Code>\
    <Message>You are not authorized</Message></Error></Errors></Response>";
/// What EKS answers to whoever may not ask.
pub(super) const EKS_DENIED: &str =
    r#"{"__type":"AccessDeniedException","message":"User: x is not authorized"}"#;
