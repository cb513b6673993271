//! The one HTTP stack: reqwest with rustls, built when the first request is certain.
//!
//! The same for every cloud: no redirect is followed (secrets would follow it), at most 1 MiB of a
//! body is read, an attempt has 10 s, and what may be sent again is, with jitter and as late as the
//! server asked. Proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY`), authorities from the
//! system or from the one file a request names.

mod error;
mod retry;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use fleetkey_provider::{
    BoxFuture, Error, Files, Http, HttpRequest, HttpResponse, Method, Result, Retry, quoted, shown,
};
use reqwest::{Certificate, redirect::Policy};

use super::files::OtherPeoplesFiles;

/// From the first byte sent to the last byte received.
const ATTEMPT: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
const LARGEST_BODY: usize = 1 << 20;
const MOST_HEADERS: usize = 100;

/// The clients, one for each set of authorities.
#[derive(Default)]
pub(crate) struct Client(Mutex<HashMap<Option<PathBuf>, reqwest::Client>>);

impl Http for Client {
    fn send<'a>(&'a self, request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(async move {
            let client = self.client(request.ca_bundle.as_deref())?;
            let mut attempts = retry::Attempts::new();
            loop {
                let done = once(&client, request).await;
                let Retry::Safe(asks_for_it) = request.retry else { return done };
                match attempts.pause_before_next(&done, asks_for_it) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return done,
                }
            }
        })
    }
}

impl Client {
    fn client(&self, ca_bundle: Option<&Path>) -> Result<reqwest::Client> {
        let mut clients = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(client) = clients.get(&ca_bundle.map(Path::to_owned)) {
            return Ok(client.clone());
        }
        let client = build(ca_bundle)?;
        clients.insert(ca_bundle.map(Path::to_owned), client.clone());
        Ok(client)
    }
}

fn build(ca_bundle: Option<&Path>) -> Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .http1_max_headers(MOST_HEADERS)
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .timeout(ATTEMPT)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .user_agent(concat!("fleetkey/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = ca_bundle {
        builder = builder.tls_certs_only(authorities(path)?);
    }
    builder.build().map_err(|error| {
        Error::failed("the HTTP client could not be built").because(error::deepest(&error))
    })
}

/// The certificates of a PEM file, in place of the system's (as `curl --cacert` and botocore do).
fn authorities(path: &Path) -> Result<Vec<Certificate>> {
    let text = path.to_string_lossy();
    let wrong = |why: &str| {
        Error::config(format!("`{}` has no usable certificates", shown(&text)))
            .because(why)
            .next(format!("openssl x509 -noout -subject -in {}", quoted(&text)))
    };
    let pem = OtherPeoplesFiles.read(path)?.ok_or_else(|| wrong("there is no such file"))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|_| wrong("it is not PEM"))?;
    if found.is_empty() { Err(wrong("it holds none")) } else { Ok(found) }
}

async fn once(client: &reqwest::Client, request: &HttpRequest) -> Result<HttpResponse> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
    };
    let mut out = client.request(method, request.endpoint.url().clone());
    for (name, value) in &request.headers {
        out = out.header(name, value);
    }
    if !request.body.is_empty() {
        out = out.body(request.body.clone());
    }
    let mut answer = out.send().await.map_err(|error| error::unavailable(request, &error))?;
    let headers = answer.headers().iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let (status, headers) = (answer.status().as_u16(), headers.collect());
    let mut body = Vec::new();
    while let Some(chunk) =
        answer.chunk().await.map_err(|error| error::unavailable(request, &error))?
    {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(error::too_large(request));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body })
}
