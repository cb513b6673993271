//! The one HTTP stack: reqwest with rustls, built when the first request is certain.
//!
//! The same for every cloud: no redirect is followed (secrets would follow it), at most 1 MiB of a
//! body is read, an attempt has 10 s, and what may be sent again is, with jitter and as late as the
//! server asked. Proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY`), authorities from the
//! system or from the one file a request names. What goes to loopback goes through no proxy, and
//! under `strict` nothing does.

mod authorities;
mod error;
mod retry;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use fleetkey_provider::{
    BoxFuture, Env, Error, Http, HttpRequest, HttpResponse, Method, Result, Retry, Trust,
};
use reqwest::redirect::Policy;

use crate::trust::FileTrust;

/// From the first byte sent to the last byte received.
const ATTEMPT: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// What is kept back of a limit, so that a request ends with words before it is cut off without.
const MARGIN: Duration = Duration::from_millis(100);
const LARGEST_BODY: usize = 1 << 20;
const MOST_HEADERS: usize = 100;

/// The clients, one for each way to connect.
pub(crate) struct Client {
    clients: Mutex<HashMap<Way, reqwest::Client>>,
    end: Mutex<Option<Instant>>,
    env: Box<dyn Env>,
    trust: FileTrust,
}

/// What decides how a connection is made.
#[derive(Clone, Eq, Hash, PartialEq)]
struct Way {
    /// The only authorities to believe; `None` for the system's.
    authorities: Option<Vec<PathBuf>>,
    /// Without a proxy: what goes to this machine must not leave it.
    direct: bool,
}

impl Client {
    /// `trust` says whether variables that move proxies and authorities count.
    pub(crate) fn new(env: Box<dyn Env>, trust: FileTrust) -> Self {
        Self { clients: Mutex::default(), end: Mutex::default(), env, trust }
    }

    fn client(&self, request: &HttpRequest) -> Result<reqwest::Client> {
        let way = self.way(request)?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&way) {
            return Ok(client.clone());
        }
        let client = build(&way)?;
        clients.insert(way, client.clone());
        Ok(client)
    }

    fn way(&self, request: &HttpRequest) -> Result<Way> {
        let strict = self.trust.is_strict()?;
        let authorities = match &request.ca_bundle {
            Some(named) => Some(vec![named.clone()]),
            None if strict => authorities::of_the_system(),
            None => authorities::of_the_environment(&*self.env)?,
        };
        Ok(Way { authorities, direct: strict || request.endpoint.is_loopback() })
    }

    /// What is left of the time; all of an attempt's where nobody said.
    fn left(&self) -> Duration {
        let end = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.map_or(ATTEMPT, |end| end.saturating_duration_since(Instant::now()))
    }
}

impl Http for Client {
    fn send<'a>(&'a self, request: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
        Box::pin(async move {
            let client = self.client(request)?;
            let mut attempts = retry::Attempts::new();
            loop {
                let done = once(&client, request, self.left().min(ATTEMPT)).await;
                let Retry::Safe(asks_for_it) = request.retry else { return done };
                // an answer that was given says more than a silence that would follow
                match attempts.pause_before_next(&done, asks_for_it) {
                    Some(pause) if pause < self.left() => tokio::time::sleep(pause).await,
                    _ => return done,
                }
            }
        })
    }

    fn end_within(&self, limit: Duration) {
        let end = Instant::now().checked_add(limit.saturating_sub(MARGIN));
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }
}

fn build(way: &Way) -> Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .http1_max_headers(MOST_HEADERS)
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .user_agent(concat!("fleetkey/", env!("CARGO_PKG_VERSION")));
    if let Some(paths) = &way.authorities {
        builder = builder.tls_certs_only(authorities::read(paths)?);
    }
    if way.direct {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| {
        Error::failed("the HTTP client could not be built").because(error::deepest(&error))
    })
}

async fn once(
    client: &reqwest::Client,
    request: &HttpRequest,
    limit: Duration,
) -> Result<HttpResponse> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
    };
    let mut out = client.request(method, request.endpoint.url().clone()).timeout(limit);
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

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Endpoint, Host, Refusing};

    use super::*;
    use crate::host::{PrivateDir, Store};

    fn way(home: &tempfile::TempDir, url: &str) -> Way {
        let request = HttpRequest {
            method: Method::Get,
            endpoint: Endpoint::configured(url, "a test", |_| true, &Host::refusing()).unwrap(),
            headers: Vec::new(),
            body: Vec::new(),
            ca_bundle: None,
            retry: Retry::Never,
        };
        let trust = FileTrust::new(Some(home.path().into()));
        Client::new(Box::new(Refusing), trust).way(&request).unwrap()
    }

    #[test]
    fn proxies_and_authorities_of_the_environment_have_no_say_where_they_must_not() {
        let home = tempfile::tempdir().unwrap();
        let far = way(&home, "https://cloud.example");
        assert!(!far.direct && far.authorities.is_none());
        assert!(way(&home, "http://127.0.0.2:5").direct);

        PrivateDir::new(home.path().into()).replace("config.toml", b"strict = true\n").unwrap();
        let far = way(&home, "https://cloud.example");
        assert!(far.direct);
        assert_eq!(far.authorities, authorities::of_the_system());
    }
}
