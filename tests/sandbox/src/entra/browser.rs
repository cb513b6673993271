//! Somebody's browser: opens the page that a program named, signs in, and goes where it is sent.

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use url::{Url, form_urlencoded};

use super::Entra;
use crate::client::{self, Client, Reply};

/// Where a browser ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// The address, without what was delivered there.
    pub at: String,
    /// HTTP status.
    pub status: u16,
    /// The page.
    pub body: String,
}

/// What Entra tells a browser to deliver to a program. A test that plays a villain changes it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The program's address.
    pub redirect_uri: String,
    /// Whether it is to be posted as a form, or asked for with a query.
    pub form_post: bool,
    /// `code` and `state`, or `error` and `state`, and more.
    pub fields: Vec<(String, String)>,
}

impl Callback {
    /// The first field of that name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What is on a page.
enum Page {
    Deliver(Callback),
    SignIn { action: String, id: String },
    Shown(Landed),
}

impl Entra {
    /// A person opens an authorize URL, signs in, and the browser delivers what it is told to. Lands on the program's page,
    /// or on one of Entra's own that says what is wrong with the request.
    pub fn browse(&self, authorize_url: &str, username: &str) -> io::Result<Landed> {
        self.open(authorize_url, Some(username))
    }

    /// The same, but the person says no.
    pub fn browse_declines(&self, authorize_url: &str) -> io::Result<Landed> {
        self.open(authorize_url, None)
    }

    /// Only the first half: what the browser of this person, or of one who says no, is told to deliver.
    pub fn callback(&self, authorize_url: &str, username: Option<&str>) -> io::Result<Callback> {
        match self.visit(authorize_url, username)? {
            Page::Deliver(callback) => Ok(callback),
            Page::Shown(Landed { body, .. }) => Err(io::Error::other(body)),
            Page::SignIn { .. } => Err(io::Error::other("signing in led to signing in")),
        }
    }

    /// Only the second half.
    pub fn deliver(&self, callback: &Callback) -> io::Result<Landed> {
        let Callback { redirect_uri, form_post, fields } = callback;
        let mut url = Url::parse(redirect_uri).map_err(io::Error::other)?;
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = String::new();
        let authority = url.authority().to_owned();
        if *form_post {
            let _ = write!(
                request,
                "POST {} HTTP/1.1\r\nHost: {authority}\r\nOrigin: {}\r\nContent-Length: {}\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\n",
                &url[url::Position::BeforePath..url::Position::AfterQuery],
                self.url(),
                form.len()
            );
        } else {
            url.query_pairs_mut().extend_pairs(fields);
            let _ = write!(
                request,
                "GET {} HTTP/1.1\r\nHost: {authority}\r\n",
                &url[url::Position::BeforePath..url::Position::AfterQuery]
            );
        }
        request
            .push_str("User-Agent: Mozilla/5.0\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
        if *form_post {
            request.push_str(&form);
        }
        let reply = client::converse(connect(&url)?, request.as_bytes())?;
        Ok(landed(redirect_uri, &reply))
    }

    fn open(&self, url: &str, username: Option<&str>) -> io::Result<Landed> {
        match self.visit(url, username)? {
            Page::Deliver(callback) => self.deliver(&callback),
            Page::Shown(landed) => Ok(landed),
            Page::SignIn { .. } => Err(io::Error::other("signing in led to signing in")),
        }
    }

    fn visit(&self, url: &str, username: Option<&str>) -> io::Result<Page> {
        let client = Client::trusting(&self.world.certificates.ca_pem)?;
        let page = read(url, &client.get(url, &[("Accept", "text/html")])?)?;
        let Page::SignIn { action, id } = page else { return Ok(page) };
        let to = Url::parse(url).and_then(|url| url.join(&action)).map_err(io::Error::other)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("page", &id);
        form.extend_pairs(username.map(|name| ("username", name)));
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let reply = client.send("POST", to.as_str(), &headers, form.finish().as_bytes())?;
        read(to.as_str(), &reply)
    }
}

/// What a page of Entra wants of a browser.
fn read(url: &str, reply: &Reply) -> io::Result<Page> {
    if let Some(location) = reply.header("location") {
        let mut to = Url::parse(location).map_err(io::Error::other)?;
        let fields = to.query_pairs().into_owned().collect();
        to.set_query(None);
        let redirect_uri = to.to_string();
        return Ok(Page::Deliver(Callback { redirect_uri, form_post: false, fields }));
    }
    let body = reply.text();
    let Some(form) = body.split_once("<form ").map(|(_, form)| form) else {
        return Ok(Page::Shown(landed(url, reply)));
    };
    let action = attribute(form, "action").unwrap_or_default();
    let fields: Vec<(String, String)> = form
        .split("<input type=\"hidden\" ")
        .skip(1)
        .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
        .collect();
    match fields.iter().find(|(name, _)| name == "page") {
        Some((_, id)) => Ok(Page::SignIn { action, id: id.clone() }),
        None => Ok(Page::Deliver(Callback { redirect_uri: action, form_post: true, fields })),
    }
}

fn attribute(text: &str, name: &str) -> Option<String> {
    let value = text.split_once(&format!("{name}=\""))?.1.split('"').next()?;
    let value = value.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<");
    Some(value.replace("&amp;", "&"))
}

fn landed(at: &str, reply: &Reply) -> Landed {
    Landed { at: at.to_owned(), status: reply.status, body: reply.text() }
}

/// `localhost` is tried as browsers try it: IPv6 first.
fn connect(url: &Url) -> io::Result<TcpStream> {
    let port = url.port_or_known_default().unwrap_or(80);
    if url.scheme() != "http" {
        return Err(io::Error::other(format!("a program does not listen at {url}")));
    }
    let hosts: &[SocketAddr] = match url.host_str() {
        Some("localhost") => {
            &[(Ipv6Addr::LOCALHOST, port).into(), (Ipv4Addr::LOCALHOST, port).into()]
        }
        Some("127.0.0.1") => &[(Ipv4Addr::LOCALHOST, port).into()],
        _ => return Err(io::Error::other(format!("a program does not listen at {url}"))),
    };
    let socket = TcpStream::connect(hosts)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

const PATIENCE: Duration = Duration::from_mins(1);
