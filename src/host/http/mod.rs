//! The one HTTP stack: reqwest with rustls, built when the first request is certain.
//!
//! The same for every cloud: no redirect is followed (secrets would follow it), at most 1 MiB of a
//! body is read, an attempt has 10 s, and what may be sent again is, with jitter and as late as the
//! server asked. Proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY`), authorities from the
//! system or from the one file a request names. What goes to this machine or its link goes through no
//! proxy, and under `strict` nothing does. What redeems something that works once has its whole
//! attempt, however late in the run: its answer is the only copy of what comes next.

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
/// A metadata endpoint is on the same wire or nowhere, and where it is nowhere nothing says so.
const CONNECT_ON_THE_LINK: Duration = Duration::from_secs(1);
/// All attempts together at what is there at once or not at all.
const SOON: Duration = Duration::from_secs(1);
/// What is kept back of a limit, so that a request ends with words before it is cut off without.
const MARGIN: Duration = Duration::from_millis(100);
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
    /// Without a proxy: what goes to this machine or its link must not leave it.
    direct: bool,
    /// To the machine's link and no further.
    on_the_link: bool,
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
        let nearby = request.endpoint.is_nearby();
        let on_the_link = nearby && !request.endpoint.is_loopback();
        Ok(Way { authorities, direct: strict || nearby, on_the_link })
    }

    /// How long an attempt may take.
    fn limit(&self, retry: Retry) -> Duration {
        match retry {
            Retry::Redemption => ATTEMPT,
            Retry::Never | Retry::Safe(_) => self.left().min(ATTEMPT),
            Retry::Soon(_) => self.left().min(SOON),
        }
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
            let started = Instant::now();
            loop {
                // what is wanted soon has one limit for all attempts, the others one for each
                let spent = || match request.retry {
                    Retry::Soon(_) => started.elapsed(),
                    _ => Duration::ZERO,
                };
                let limit = self.limit(request.retry).saturating_sub(spent());
                let done = once(&client, request, limit).await;
                let (asks_for_it, left) = match request.retry {
                    Retry::Never | Retry::Redemption => return done,
                    Retry::Safe(asks_for_it) => (asks_for_it, self.left()),
                    Retry::Soon(asks_for_it) => {
                        (asks_for_it, self.left().min(SOON.saturating_sub(spent())))
                    }
                };
                // an answer that was given says more than a silence that would follow
                match attempts.pause_before_next(&done, asks_for_it) {
                    Some(pause) if pause < left => tokio::time::sleep(pause).await,
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
    let connect = if way.on_the_link { CONNECT_ON_THE_LINK } else { CONNECT };
    let mut builder = reqwest::Client::builder()
        .connect_timeout(connect)
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
        if body.len() + chunk.len() > request.endpoint.longest_answer() {
            return Err(error::too_large(request));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use fleetkey_provider::{Endpoint, Host, Refusing};

    use super::*;
    use crate::host::{PrivateDir, Store};

    fn request(url: &str, retry: Retry) -> HttpRequest {
        let host = Host::refusing();
        let endpoint = Endpoint::nearby(url, "a test", &host)
            .or_else(|_| Endpoint::configured(url, "a test", |_| true, &host));
        HttpRequest {
            method: Method::Get,
            endpoint: endpoint.unwrap(),
            headers: Vec::new(),
            body: Vec::new(),
            ca_bundle: None,
            retry,
        }
    }

    fn client(home: &tempfile::TempDir) -> Client {
        Client::new(Box::new(Refusing), FileTrust::new(Some(home.path().into())))
    }

    fn way(home: &tempfile::TempDir, url: &str) -> Way {
        client(home).way(&request(url, Retry::Never)).unwrap()
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

    #[test]
    fn what_is_on_the_link_is_reached_directly_and_soon_or_not_at_all() {
        let home = tempfile::tempdir().unwrap();
        for (url, direct, on_the_link) in [
            ("http://169.254.169.254/x", true, true),
            ("https://[fe80::1]/", true, true),
            ("http://[fd00:ec2::254]/x", true, true),
            ("http://127.0.0.1:5", true, false),
            ("https://cloud.example", false, false),
        ] {
            let way = way(&home, url);
            assert_eq!((way.direct, way.on_the_link), (direct, on_the_link), "{url}");
        }
    }

    #[test]
    fn what_reached_nobody_is_told_from_what_may_have() {
        let home = tempfile::tempdir().unwrap();
        let client = client(&home);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let request =
            request(&format!("http://{}/", server.local_addr().unwrap()), Retry::Redemption);
        let cloud = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        });
        let broke_off = runtime.block_on(client.send(&request)).unwrap_err();
        assert!(!broke_off.is_unsent(), "{broke_off}");
        cloud.join().unwrap();
        let refused = runtime.block_on(client.send(&request)).unwrap_err();
        assert!(refused.is_unsent(), "{refused}");
    }

    #[test]
    fn what_works_once_is_sent_once_and_not_cut_short_by_the_end_of_the_run() {
        let home = tempfile::tempdir().unwrap();
        let client = client(&home);
        client.end_within(Duration::ZERO);
        assert_eq!(client.limit(Retry::Never), Duration::ZERO);
        assert_eq!(client.limit(Retry::Safe(|_| true)), Duration::ZERO);
        assert_eq!(client.limit(Retry::Redemption), ATTEMPT);
        assert_eq!(client.limit(Retry::Soon(|_| true)), Duration::ZERO);

        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", server.local_addr().unwrap());
        let cloud = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n").unwrap();
            server
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(client.send(&request(&url, Retry::Redemption)));
        assert_eq!(answer.unwrap().status, 503);
        let server = cloud.join().unwrap();
        server.set_nonblocking(true).unwrap();
        assert!(server.accept().is_err(), "it was sent again");
    }
}
