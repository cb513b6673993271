//! The listener on loopback that a browser comes back to (RFC 8252, section 7.3).
//!
//! One callback ends a visit; everything else is answered 404 and forgotten, however much comes:
//! a connection has 10 s, and of more than 64 the oldest makes room.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, TcpListener as Listener},
    sync::Arc,
    time::Duration,
};

use fleetkey_provider::{BoxFuture, Error, Landing, Result, SignIn, Visit, one_line};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    browser::{Browsers, Page},
    callback::{Expected, Parameters},
    page,
    voice::Voice,
};

const CONNECTION: Duration = Duration::from_secs(10);
/// How long a browser may take to read its page to the end and hang up.
const GOODBYE: Duration = Duration::from_secs(2);
const MOST_CONNECTIONS: usize = 64;
/// After a connection could not be accepted: there are too many in this process or on this machine.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
/// A port that is free on one address may be taken on the other.
const MOST_PORTS: usize = 20;

/// Listens on 127.0.0.1, and on `::1` where that exists.
pub(super) struct Loopback {
    listeners: Vec<Listener>,
    port: u16,
    browsers: Browsers,
    voice: Voice,
}

/// What happened while a browser was waited for.
enum Event {
    Accepted(Arc<TcpListener>, io::Result<TcpStream>),
    Forgotten,
    Opened(bool),
    Returned(TcpStream, Parameters),
}

impl Loopback {
    /// On that port, or on one that is free.
    pub(super) fn bind(port: Option<u16>, browsers: Browsers, voice: Voice) -> Result<Self> {
        let mut tries = 1..=MOST_PORTS;
        loop {
            let again = tries.next() < Some(MOST_PORTS) && port.is_none();
            match listen(port.unwrap_or(0)) {
                Ok((port, listeners)) => return Ok(Self { listeners, port, browsers, voice }),
                Err(error) if again && error.kind() == ErrorKind::AddrInUse => {}
                Err(error) => return Err(unusable(port, &error)),
            }
        }
    }

    /// Opens the page and waits for the callback, for as long as it takes.
    async fn wait_for(&self, page: Page, visit: &Visit) -> io::Result<(TcpStream, Parameters)> {
        let (path, state) = (visit.path.clone(), visit.state.clone());
        let expected = Arc::new(Expected { port: self.port, path, state });
        let mut work = JoinSet::new();
        for listener in &self.listeners {
            work.spawn(accept(Arc::new(TcpListener::from_std(listener.try_clone()?)?)));
        }
        if visit.how == SignIn::Browser {
            let browsers = self.browsers.clone();
            work.spawn(async move { Event::Opened(browsers.open(&page).await) });
        }
        let mut connections = VecDeque::new();
        loop {
            match work.join_next().await {
                Some(Ok(Event::Returned(stream, parameters))) => return Ok((stream, parameters)),
                Some(Ok(Event::Accepted(listener, accepted))) => {
                    let failed = accepted.is_err();
                    if let Ok(stream) = accepted {
                        connections.push_back(work.spawn(attend(stream, Arc::clone(&expected))));
                    }
                    work.spawn(async move {
                        if failed {
                            sleep(ACCEPT_AGAIN).await;
                        }
                        accept(listener).await
                    });
                }
                Some(Ok(Event::Opened(false))) => {
                    self.voice.say("no browser could be opened; open the page yourself");
                }
                // of those that ended, and one that had to make room
                Some(Ok(Event::Forgotten | Event::Opened(true)) | Err(_)) => {
                    connections.retain(|connection| !connection.is_finished());
                }
                None => return Err(io::Error::other("nothing listens any more")),
            }
            if connections.len() > MOST_CONNECTIONS
                && let Some(oldest) = connections.pop_front()
            {
                oldest.abort();
            }
        }
    }
}

impl Landing for Loopback {
    fn port(&self) -> u16 {
        self.port
    }

    fn visit<'a>(&'a self, visit: &'a Visit) -> BoxFuture<'a, Result<Parameters>> {
        Box::pin(async move {
            let page = Page::new(&visit.url)?;
            if visit.state.is_empty() {
                return Err(Error::failed("a page without a state has no callback of its own"));
            }
            self.voice.say(&format!(
                "fleetkey: {}\nopen this page in a browser: {}",
                one_line(&visit.purpose),
                page.as_str()
            ));
            let returned = timeout(visit.limit, self.wait_for(page, visit)).await;
            let returned = returned.map_err(|_| nobody_came(visit.limit))?;
            let (stream, parameters) = returned.map_err(|error| {
                Error::failed("no browser can be waited for").because(error.to_string())
            })?;
            let worked = !parameters.iter().any(|(name, _)| name == "error");
            deliver(stream, &page::finished(&visit.purpose, worked)).await;
            Ok(parameters)
        })
    }
}

/// Listens on both addresses, or on the one there is.
fn listen(port: u16) -> io::Result<(u16, Vec<Listener>)> {
    let first = Listener::bind((Ipv4Addr::LOCALHOST, port))?;
    let port = first.local_addr()?.port();
    let mut listeners = vec![first];
    match Listener::bind((Ipv6Addr::LOCALHOST, port)) {
        Ok(second) => listeners.push(second),
        // a browser that takes `localhost` for `::1` would bring what is ours to somebody else
        Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(error),
        // there is no such address here
        Err(_) => {}
    }
    for listener in &listeners {
        listener.set_nonblocking(true)?;
    }
    Ok((port, listeners))
}

fn unusable(port: Option<u16>, error: &io::Error) -> Error {
    match port {
        Some(port) if error.kind() == ErrorKind::AddrInUse => {
            Error::config(format!("port {port} on loopback is taken"))
                .because("another program listens there: end it, or name another port")
        }
        Some(port) => Error::config(format!("port {port} on loopback cannot be listened on"))
            .because(error.to_string()),
        None => Error::failed("no port on loopback can be listened on").because(error.to_string()),
    }
}

fn nobody_came(limit: Duration) -> Error {
    let seconds = limit.as_secs();
    let limit = if seconds >= 60 { format!("{} min", seconds / 60) } else { format!("{limit:?}") };
    Error::sign_in_needed(format!("nobody signed in within {limit}"))
}

async fn accept(listener: Arc<TcpListener>) -> Event {
    let accepted = listener.accept().await.map(|(stream, _)| stream);
    Event::Accepted(listener, accepted)
}

/// Hears a connection out. The right one is answered when everything else is let go.
async fn attend(mut stream: TcpStream, expected: Arc<Expected>) -> Event {
    let answered = timeout(CONNECTION, async {
        if let Some(parameters) = expected.read(&mut stream).await {
            return Event::Returned(stream, parameters);
        }
        deliver(stream, &page::not_found()).await;
        Event::Forgotten
    });
    answered.await.unwrap_or(Event::Forgotten)
}

/// Sends all of an answer, and waits until it has been taken: what is unread when a connection closes
/// resets it, and a reset overtakes the page.
async fn deliver(mut stream: TcpStream, answer: &[u8]) {
    let delivered = timeout(GOODBYE, async {
        stream.write_all(answer).await?;
        stream.shutdown().await?;
        let mut rest = [0; 1 << 12];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    });
    // who hung up before has seen enough
    drop(delivered.await);
}

#[cfg(test)]
mod tests;
