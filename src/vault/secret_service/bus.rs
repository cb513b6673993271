//! A connection to the session bus (D-Bus specification): one call at a time, over a local socket.

use std::{
    io::{Error, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use rustix::process::geteuid;

use super::wire::{In, Out};
use crate::vault::chest::Closed;

/// Longer than anybody waits for a key: it only ends a thread that was given up.
const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST_MESSAGE: usize = 1 << 20;
const LONGEST_LINE: usize = 4096;
// kinds of messages, and fields of their headers
const CALL: u8 = 1;
const ANSWER: u8 = 2;
const ERROR: u8 = 3;
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const ANSWER_TO: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// A connection.
pub(super) struct Bus {
    stream: UnixStream,
    serial: u32,
}

/// What is called.
pub(super) struct Method<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) name: &'a str,
    /// The types of its arguments.
    pub(super) takes: &'a str,
}

/// Why a call gave nothing.
pub(super) enum Failure {
    /// The name of an error.
    Error(String),
    /// The connection is over.
    Lost(Error),
}

impl Bus {
    /// Connects to the first of the addresses that answers (`DBUS_SESSION_BUS_ADDRESS`: several,
    /// separated by `;`).
    pub(super) fn connect(addresses: &str) -> Result<Self, Closed> {
        let mut why = "there is no session bus on a local socket".to_owned();
        for address in addresses.split(';') {
            let Some(socket) = socket(address) else { continue };
            let bus = socket.and_then(|stream| {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                is_our_own(&stream)?;
                Self { stream, serial: 0 }.greet()
            });
            match bus {
                Ok(bus) => return Ok(bus),
                Err(error) => why = format!("the session bus cannot be used: {error}"),
            }
        }
        Err(Closed::Absent(why))
    }

    /// Says who we are; the socket tells the bus that it is true (`EXTERNAL`).
    fn greet(mut self) -> Result<Self, Error> {
        let user = geteuid().as_raw().to_string();
        // in hex: the code of a digit is 3 and that digit
        let digits: String = user.chars().flat_map(|digit| ['3', digit]).collect();
        self.stream.write_all(format!("\0AUTH EXTERNAL {digits}\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\n") && line.len() < LONGEST_LINE {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            line.extend(byte);
        }
        if !line.starts_with(b"OK ") {
            return Err(Error::other("it does not take us for who we are"));
        }
        self.stream.write_all(b"BEGIN\r\n")?;
        let hello = Method {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            name: "Hello",
            takes: "",
        };
        match self.call(&hello, &Out::default()) {
            Ok(_) => Ok(self),
            Err(Failure::Lost(error)) => Err(error),
            Err(Failure::Error(name)) => Err(Error::other(name)),
        }
    }

    /// Calls a method and waits for its answer's values.
    pub(super) fn call(
        &mut self,
        method: &Method<'_>,
        arguments: &Out,
    ) -> Result<Vec<u8>, Failure> {
        self.serial += 1;
        let message = message(self.serial, method, &arguments.0).map_err(Failure::Lost)?;
        self.stream.write_all(&message).map_err(Failure::Lost)?;
        loop {
            // signals and the like come between
            if let Some(answer) = self.next().map_err(Failure::Lost)? {
                return answer.map_err(Failure::Error);
            }
        }
    }

    /// Reads one message. `None` if it is no answer to the last call.
    fn next(&mut self) -> Result<Option<Result<Vec<u8>, String>>, Error> {
        let bad = || Error::new(ErrorKind::InvalidData, "the bus does not speak D-Bus");
        let mut fixed = [0; 16];
        self.stream.read_exact(&mut fixed)?;
        let mut head = In::new(&fixed);
        let (endian, kind) = (head.byte(), head.byte());
        head.align(4);
        let (body, _serial, fields) = (head.u32(), head.u32(), head.u32());
        let size = |value: Option<u32>| {
            value.and_then(|v| usize::try_from(v).ok()).filter(|size| *size <= LARGEST_MESSAGE)
        };
        let (body, fields) = size(body).zip(size(fields)).ok_or_else(bad)?;
        if endian != Some(b'l') {
            return Err(bad());
        }
        let body_at = (fixed.len() + fields).next_multiple_of(8);
        let mut all = fixed.to_vec();
        all.resize(body_at + body, 0);
        self.stream.read_exact(&mut all[fixed.len()..])?;
        let (answer_to, error) = answered(&all[..fixed.len() + fields]).ok_or_else(bad)?;
        let values = all.split_off(body_at);
        Ok(match kind {
            Some(ANSWER) if answer_to == Some(self.serial) => Some(Ok(values)),
            Some(ERROR) if answer_to == Some(self.serial) => Some(Err(error.unwrap_or_default())),
            _ => None,
        })
    }
}

/// A call as bytes.
fn message(serial: u32, method: &Method<'_>, arguments: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Out(vec![b'l', CALL, 0, 1]);
    out.u32(u32::try_from(arguments.len()).map_err(Error::other)?);
    out.u32(serial);
    let texts = [
        (PATH, "o", method.path),
        (INTERFACE, "s", method.interface),
        (MEMBER, "s", method.name),
        (DESTINATION, "s", method.destination),
    ];
    out.array(8, |out| {
        for (field, of_type, value) in texts {
            out.align(8);
            out.byte(field);
            out.signature(of_type);
            out.text(value);
        }
        if !method.takes.is_empty() {
            out.align(8);
            out.byte(SIGNATURE);
            out.signature("g");
            out.signature(method.takes);
        }
    });
    out.align(8);
    out.0.extend(arguments);
    Ok(out.0)
}

/// Which call a message answers, and the name of the error it reports.
fn answered(header: &[u8]) -> Option<(Option<u32>, Option<String>)> {
    let mut fields = In::from(header, 12).array(8)?;
    let (mut answer_to, mut error) = (None, None);
    while !fields.is_empty() {
        fields.align(8);
        let field = fields.byte()?;
        match (field, fields.signature()?) {
            (ANSWER_TO, "u") => answer_to = Some(fields.u32()?),
            (ERROR_NAME, _) => error = Some(fields.text()?.to_owned()),
            (_, "u") => drop(fields.u32()?),
            (_, "s" | "o") => drop(fields.text()?),
            (_, "g") => drop(fields.signature()?),
            _ => return None,
        }
    }
    Some((answer_to, error))
}

/// The socket of one address. `None` if it is of another kind.
fn socket(address: &str) -> Option<Result<UnixStream, Error>> {
    let (key, value) = address.strip_prefix("unix:")?.split(',').find_map(|pair| {
        pair.split_once('=').filter(|(key, _)| matches!(*key, "path" | "abstract"))
    })?;
    let name = unescaped(value)?;
    match key {
        "path" => Some(UnixStream::connect(String::from_utf8(name).ok()?)),
        _ => Some(abstract_socket(&name)),
    }
}

#[cfg(target_os = "linux")]
fn abstract_socket(name: &[u8]) -> Result<UnixStream, Error> {
    use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(not(target_os = "linux"))]
fn abstract_socket(_name: &[u8]) -> Result<UnixStream, Error> {
    Err(ErrorKind::Unsupported.into())
}

/// `%` and two digits stand for a byte.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    Some(bytes)
}

/// A variable says where the bus is; what listens there must be ours or the system's.
#[cfg(target_os = "linux")]
fn is_our_own(stream: &UnixStream) -> Result<(), Error> {
    let owner = rustix::net::sockopt::socket_peercred(stream)?.uid;
    if owner.is_root() || owner == geteuid() {
        return Ok(());
    }
    Err(Error::other("it is another user's"))
}

#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps, reason = "as on Linux, where it can be asked")]
fn is_our_own(_stream: &UnixStream) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_paths_or_names_on_this_machine() {
        let kinds = [
            ("unix:path=/dev/null/bus,guid=1", Some(false)),
            ("unix:guid=1,abstract=fleetkey-nobody%2f", Some(false)),
            ("tcp:host=localhost,port=1", None),
            ("unix:runtime=yes", None),
            ("unix:path=/a%2", None),
            ("", None),
        ];
        for (address, connects) in kinds {
            assert_eq!(socket(address).map(|done| done.is_ok()), connects, "{address}");
        }
        assert_eq!(unescaped("/a%20b").unwrap(), b"/a b");
        assert!(matches!(Bus::connect("tcp:x;unix:path=/dev/null/x"), Err(Closed::Absent(_))));
    }

    #[test]
    fn a_call_is_what_the_specification_says() {
        let hello =
            Method { destination: "d.d", path: "/p", interface: "i.i", name: "Hello", takes: "s" };
        let mut arguments = Out::default();
        arguments.text("x");
        let bytes = message(7, &hello, &arguments.0).unwrap();
        let mut wanted = b"l\x01\0\x01\x06\0\0\0\x07\0\0\0\x47\0\0\0".to_vec();
        wanted.extend(b"\x01\x01o\0\x02\0\0\0/p\0\0\0\0\0\0");
        wanted.extend(b"\x02\x01s\0\x03\0\0\0i.i\0\0\0\0\0");
        wanted.extend(b"\x03\x01s\0\x05\0\0\0Hello\0\0\0");
        wanted.extend(b"\x06\x01s\0\x03\0\0\0d.d\0\0\0\0\0");
        wanted.extend(b"\x08\x01g\0\x01s\0");
        wanted.resize(wanted.len().next_multiple_of(8), 0);
        wanted.extend(b"\x01\0\0\0x\0");
        assert_eq!(bytes, wanted);
    }
}
