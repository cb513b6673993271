//! Somebody's browser: opens the page that a program named, signs in, and goes where it is sent.

use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use url::Url;

use super::authorize::pressed;
use crate::client::{self, Client, Reply};
use crate::entra::Landed;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// A person opens an authorize URL of Identity Center, signs in, and the browser goes where it is sent. Lands on the
    /// program's page, or on one that says what is wrong with the request.
    pub fn sso_browse(&self, authorize_url: &str, user: &str) -> io::Result<Landed> {
        self.sso_open(authorize_url, Some(user))
    }

    /// The same, but the person says no.
    pub fn sso_browse_declines(&self, authorize_url: &str) -> io::Result<Landed> {
        self.sso_open(authorize_url, None)
    }

    fn sso_open(&self, url: &str, user: Option<&str>) -> io::Result<Landed> {
        let client = Client::trusting(&self.world.certificates.ca_pem)?;
        let page = client.get(url, &[("Accept", "text/html")])?;
        if page.header("location").is_some() {
            return follow(url, &page);
        }
        let text = page.text();
        let id =
            text.split_once("name=\"page\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
        let Some((id, _)) = id else { return Ok(landed(url, &page)) };
        let to = Url::parse(url).and_then(|url| url.join("login")).map_err(io::Error::other)?;
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let reply = client.send("POST", to.as_str(), &headers, pressed(id, user).as_bytes())?;
        follow(to.as_str(), &reply)
    }
}

/// Where a redirect leads: to a program on this machine.
pub(crate) fn follow(from: &str, reply: &Reply) -> io::Result<Landed> {
    let Some(location) = reply.header("location") else { return Ok(landed(from, reply)) };
    let mut url = Url::parse(location).map_err(io::Error::other)?;
    let (Some("127.0.0.1"), Some(port), "http") = (url.host_str(), url.port(), url.scheme()) else {
        return Err(io::Error::other(format!("a program does not listen at {url}")));
    };
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Mozilla/5.0\r\nAccept: text/html\r\n\
         Connection: close\r\n\r\n",
        &url[url::Position::BeforePath..url::Position::AfterQuery],
        url.authority()
    );
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let reply = client::converse(socket, request.as_bytes())?;
    url.set_query(None);
    Ok(landed(url.as_str(), &reply))
}

/// Where a browser ended.
pub(crate) fn landed(at: &str, reply: &Reply) -> Landed {
    Landed { at: at.to_owned(), status: reply.status, body: reply.text() }
}

const PATIENCE: Duration = Duration::from_mins(1);
