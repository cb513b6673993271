//! A small blocking HTTPS client that trusts one authority: for the sandbox's own tests, and for its demonstration where
//! there is no kubectl.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use url::Url;

/// Makes one request per connection.
#[derive(Clone, Debug)]
pub struct Client(Arc<ClientConfig>);

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Client {
    /// Trusts this authority (PEM) and no other.
    pub fn trusting(ca_pem: &str) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(io::Error::other)?)
            .map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// `GET` with these headers.
    pub fn get(&self, url: &str, headers: &[(&str, &str)]) -> io::Result<Reply> {
        self.send("GET", url, headers, b"")
    }

    /// Any request; Host, Content-Length and `Connection: close` are added.
    pub fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let url = Url::parse(url).map_err(io::Error::other)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let socket =
            TcpStream::connect((host.as_str(), url.port_or_known_default().unwrap_or(443)))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let authority = url.authority();
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut out = format!(
            "{method} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            let _ = write!(out, "{name}: {value}\r\n"); // a String takes everything
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        out.extend_from_slice(body);
        if url.scheme() == "http" {
            return converse(socket, &out);
        }
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let connection =
            ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        converse(StreamOwned::new(connection, socket), &out)
    }
}

/// Sends all, reads to the end, and takes the answer apart.
pub(crate) fn converse(mut stream: impl Read + Write, out: &[u8]) -> io::Result<Reply> {
    stream.write_all(out)?;
    stream.flush()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = parsed.parse(&bytes) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no HTTP answer"));
    };
    let headers = parsed.headers.iter().map(|header| {
        (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned())
    });
    let mut reply = Reply {
        status: parsed.code.unwrap_or_default(),
        headers: headers.collect(),
        body: Vec::new(),
    };
    reply.body = bytes.split_off(length);
    match reply.header("content-length").and_then(|value| value.parse::<usize>().ok()) {
        Some(promised) if promised != reply.body.len() => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(reply),
    }
}

const PATIENCE: Duration = Duration::from_mins(1);
