//! One connection, from its first byte to its last: requests are read, logged, answered, or meet their fault.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::fault::Fault;
use crate::http::{Request, Response};
use crate::requests::Recorded;
use crate::server::Handler;
use crate::world::World;

/// Serves one connection until either side has enough.
pub(crate) fn serve(world: &World, handler: &dyn Handler, mut wire: Wire, number: u64) {
    let mut rest = Vec::new();
    loop {
        let request = match Request::read(&mut wire, &mut rest, |bytes| handler.saw(bytes)) {
            Ok(Some(request)) => request,
            Ok(None) => break,
            Err(error) => {
                if error.kind() == io::ErrorKind::InvalidData {
                    let answer = Response::new(400, "text/plain", error.to_string());
                    drop(write(world, &mut wire, &answer, false));
                }
                break;
            }
        };
        match exchange(world, handler, &mut wire, &request) {
            Ok(Next::Request) => {}
            Ok(Next::Close) | Err(_) => break,
            Ok(Next::Reset) => {
                world.connections.remove(number); // the last handle but ours, so that closing ours resets
                return wire.reset();
            }
        }
    }
    wire.close();
}

/// What becomes of the connection after an answer.
enum Next {
    Request,
    Close,
    Reset,
}

fn exchange(
    world: &World,
    handler: &dyn Handler,
    wire: &mut Wire,
    request: &Request,
) -> io::Result<Next> {
    let route = handler.route(request);
    let entry = world.log.arrived(Recorded::new(route, &handler.service(), request));
    let in_flight = world.control_plane.enter(route);
    let fault = world.faults.next(route);
    if in_flight.is_some() {
        world.stop.wait(world.control_plane.pause());
    }
    match &fault {
        Fault::Delay(time) => world.stop.wait(*time),
        Fault::Hold(gate) => gate.pass(&world.stop),
        _ => {}
    }
    if world.stop.stopped() {
        return Ok(Next::Close);
    }
    let response = match &fault {
        Fault::Reset => return Ok(Next::Reset),
        Fault::Silence => {
            while wire.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
            return Ok(Next::Close);
        }
        Fault::Status { code, headers, body } => Response {
            status: *code,
            headers: headers.clone(),
            body: body.clone(),
            ..Response::default()
        },
        Fault::Redirect { code, to } => {
            let headers = vec![("Location".to_owned(), to.clone())];
            Response { status: *code, headers, ..Response::default() }
        }
        Fault::Garbage => Response::new(200, "text/html; charset=utf-8", PORTAL),
        Fault::HugeBody(_) => Response::new(200, "text/xml", Vec::new()),
        Fault::Pass
        | Fault::Delay(_)
        | Fault::Hold(_)
        | Fault::Truncate(_)
        | Fault::OneByteAtATime(_) => handler.answer(request),
    };
    world.log.answered(entry, |recorded| {
        recorded.status = Some(response.status);
        recorded.caller.clone_from(&response.caller);
        recorded.error.clone_from(&response.error);
    });
    // before a byte goes out: whoever has the answer may ask again at once, and is not two
    drop(in_flight);
    let keep_alive =
        request.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"));
    match fault {
        Fault::Truncate(bytes) => {
            let body = &response.body[..bytes.min(response.body.len())];
            let promised = response.body.len().max(bytes + 1);
            let mut out = response.head(Some(promised), false, world.clock.now());
            out.extend_from_slice(body);
            wire.write_all(&out)?;
            wire.flush()?;
            Ok(Next::Close)
        }
        Fault::HugeBody(bytes) => {
            wire.write_all(&response.head(None, false, world.clock.now()))?;
            stream(world, wire, bytes)?;
            Ok(Next::Close)
        }
        Fault::OneByteAtATime(pause) => {
            let mut out = response.head(Some(response.body.len()), keep_alive, world.clock.now());
            out.extend_from_slice(&response.body);
            for byte in out {
                if world.stop.stopped() {
                    return Ok(Next::Close);
                }
                wire.write_all(&[byte])?;
                wire.flush()?;
                world.stop.wait(pause);
            }
            Ok(if keep_alive { Next::Request } else { Next::Close })
        }
        _ => {
            write(world, wire, &response, keep_alive)?;
            Ok(if keep_alive { Next::Request } else { Next::Close })
        }
    }
}

fn write(world: &World, wire: &mut Wire, response: &Response, keep_alive: bool) -> io::Result<()> {
    let mut out = response.head(Some(response.body.len()), keep_alive, world.clock.now());
    out.extend_from_slice(&response.body);
    wire.write_all(&out)?;
    wire.flush()
}

/// Chunks of blanks, which every parser would go on reading.
fn stream(world: &World, wire: &mut Wire, mut bytes: u64) -> io::Result<()> {
    while bytes > 0 && !world.stop.stopped() {
        let count = bytes.min(64 * 1024);
        let mut chunk = format!("{count:x}\r\n").into_bytes();
        chunk.resize(chunk.len() + usize::try_from(count).unwrap_or_default(), b' ');
        chunk.extend_from_slice(b"\r\n");
        wire.write_all(&chunk)?;
        bytes -= count;
    }
    wire.write_all(b"0\r\n\r\n")?;
    wire.flush()
}

/// A connection with or without TLS.
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    pub(crate) fn new(socket: TcpStream, config: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let Some(config) = config else { return Ok(Self::Plain(socket)) };
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, socket))))
    }

    /// Ends it as TLS wants it ended.
    fn close(mut self) {
        if let Self::Tls(stream) = &mut self {
            stream.conn.send_close_notify();
            drop(stream.flush());
        }
    }

    /// Ends it with a reset, where the system lets us ask for one; elsewhere without a word.
    fn reset(self) {
        #[cfg(unix)]
        {
            let socket = match &self {
                Self::Plain(socket) => socket,
                Self::Tls(stream) => &stream.sock,
            };
            let _ =
                rustix::net::sockopt::set_socket_linger(socket, Some(std::time::Duration::ZERO));
        }
        drop(self);
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        };
        match read {
            // Many clients leave without a TLS goodbye; that is an end like any other.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            read => read,
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

const PORTAL: &str = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>\
    <body><h1>Free Wi-Fi</h1><p>Accept the terms to go on.</p></body></html>\n";
