//! Against a bus and a secret service made of threads: what the freedesktop.org API says they answer.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, Mutex},
    thread,
};

use fleetkey_provider::testing::{CountingEntropy, StaticEnv};

use super::*;

const LOCKED: &str = "org.freedesktop.Secret.Error.IsLocked";
const UNKNOWN: &str = "org.freedesktop.DBus.Error.ServiceUnknown";

/// How the service is.
#[derive(Clone, Default)]
struct Desktop {
    secret: Option<Vec<u8>>,
    absent: bool,
    locked: bool,
    no_collection: bool,
    /// Members called, in order.
    called: Vec<String>,
}

impl Desktop {
    /// The types and values of an answer, or the name of an error.
    fn answer(&mut self, member: &str, body: &[u8]) -> Result<(&'static str, Out), &'static str> {
        self.called.push(member.to_owned());
        let (mut values, mut out) = (In::new(body), Out::default());
        if self.absent && member != "Hello" {
            return Err(UNKNOWN);
        }
        let items = usize::from(self.secret.is_some());
        let list = |out: &mut Out, count: usize| {
            out.array(4, |out| (0..count).for_each(|_| out.text("/item/1")));
        };
        Ok(match member {
            "Hello" => {
                out.text(":1.5");
                ("s", out)
            }
            "OpenSession" => {
                assert_eq!(values.text(), Some("plain"));
                out.signature("s");
                out.text("");
                out.text("/session/1");
                ("vo", out)
            }
            "SearchItems" => {
                list(&mut out, if self.locked { 0 } else { items });
                list(&mut out, if self.locked { items } else { 0 });
                ("aoao", out)
            }
            "Unlock" => {
                let count = values.paths().unwrap().len();
                list(&mut out, if self.locked { 0 } else { count });
                out.text(if self.locked { "/prompt/1" } else { "/" });
                ("aoo", out)
            }
            "GetSecret" if self.locked => return Err(LOCKED),
            "GetSecret" => {
                assert_eq!(values.text(), Some("/session/1"));
                out.text("/session/1");
                out.bytes(&[]);
                out.bytes(self.secret.as_ref().unwrap());
                out.text("text/plain");
                ("(oayays)", out)
            }
            "ReadAlias" => {
                out.text(if self.no_collection { "/" } else { "/collection/login" });
                ("o", out)
            }
            "CreateItem" => {
                let mut properties = values.array(8).unwrap();
                while !properties.is_empty() {
                    properties.align(8);
                    properties.text().unwrap();
                    if properties.signature() == Some("s") {
                        properties.text().unwrap();
                        continue;
                    }
                    let mut attributes = properties.array(8).unwrap();
                    let mut pairs = Vec::new();
                    while !attributes.is_empty() {
                        attributes.align(8);
                        pairs.push((attributes.text().unwrap(), attributes.text().unwrap()));
                    }
                    assert_eq!(pairs, [("application", "fleetkey"), ("account", "/state")]);
                }
                values.align(8);
                assert_eq!((values.text(), values.bytes()), (Some("/session/1"), Some(&[][..])));
                self.secret = Some(values.bytes().unwrap().to_vec());
                assert_eq!((values.text(), values.u32()), (Some("text/plain"), Some(1)));
                out.text("/item/1");
                out.text("/");
                ("oo", out)
            }
            other => panic!("nobody should call {other}"),
        })
    }
}

/// A service behind a socket, and a client of it.
fn desktop(state: &Desktop) -> (tempfile::TempDir, SecretService, Arc<Mutex<Desktop>>) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a bus");
    let listener = UnixListener::bind(&path).unwrap();
    let state = Arc::new(Mutex::new(state.clone()));
    let shared = Arc::clone(&state);
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            // the client hangs up when it has what it wants
            drop(serve(&stream, &shared));
        }
    });
    let address = format!("tcp:host=x;unix:guid=1,path={}", path.display()).replace(' ', "%20");
    let env = StaticEnv::new([("DBUS_SESSION_BUS_ADDRESS", address)]);
    let host = Host { env: Box::new(env), ..Host::refusing() };
    (home, SecretService::new(&host, "/state".into()), state)
}

fn serve(stream: &UnixStream, state: &Mutex<Desktop>) -> std::io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let user = geteuid().to_string();
    let digits = user.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    assert_eq!(line, format!("\0AUTH EXTERNAL {digits}\r\n"));
    writer.write_all(b"OK 0123456789abcdef\r\n")?;
    line.clear();
    reader.read_line(&mut line)?;
    assert_eq!(line, "BEGIN\r\n");
    loop {
        let mut fixed = [0; 16];
        reader.read_exact(&mut fixed)?;
        let mut head = In::from(&fixed, 4);
        let [body, serial, fields] = [(); 3].map(|()| head.u32().unwrap());
        let mut all = fixed.to_vec();
        all.resize((16 + fields as usize).next_multiple_of(8) + body as usize, 0);
        reader.read_exact(&mut all[16..])?;
        let mut fields = In::from(&all, 12).array(8).unwrap();
        let mut member = String::new();
        while !fields.is_empty() {
            fields.align(8);
            let field = fields.byte().unwrap();
            let text = match fields.signature().unwrap() {
                "g" => fields.signature().unwrap(),
                _ => fields.text().unwrap(),
            };
            if field == 3 {
                text.clone_into(&mut member);
            }
        }
        let body = &all[all.len() - body as usize..];
        let answer = state.lock().unwrap().answer(&member, body);
        // a signal comes first
        writer.write_all(&message(4, serial, Some("s"), None, b"\x01\0\0\0x\0"))?;
        writer.write_all(&match answer {
            Ok((types, values)) => message(2, serial, Some(types), None, &values.0),
            Err(name) => message(3, serial, None, Some(name), &[]),
        })?;
    }
}

fn message(
    kind: u8,
    serial: u32,
    types: Option<&str>,
    error: Option<&str>,
    body: &[u8],
) -> Vec<u8> {
    let mut out = Out(vec![b'l', kind, 1, 1]);
    out.u32(u32::try_from(body.len()).unwrap());
    out.u32(99);
    out.array(8, |out| {
        out.byte(5);
        out.signature("u");
        out.u32(serial);
        if let Some(error) = error {
            out.align(8);
            out.byte(4);
            out.signature("s");
            out.text(error);
        }
        if let Some(types) = types {
            out.align(8);
            out.byte(8);
            out.signature("g");
            out.signature(types);
        }
    });
    out.align(8);
    out.0.extend(body);
    out.0
}

fn geteuid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn key() -> Key {
    let host = Host { entropy: Box::new(CountingEntropy::default()), ..Host::refusing() };
    Key::make(&host).unwrap()
}

#[test]
fn a_key_is_put_in_and_found_again() {
    let (_home, service, desktop) = desktop(&Desktop::default());
    assert!(service.read().unwrap().is_none());
    service.write(&key()).unwrap();
    assert_eq!(service.read().unwrap().unwrap().id(), key().id());
    let called = desktop.lock().unwrap().called.join(" ");
    assert_eq!(
        called,
        "Hello OpenSession SearchItems \
         Hello OpenSession ReadAlias Unlock CreateItem \
         Hello OpenSession SearchItems GetSecret"
    );
}

#[test]
fn what_is_locked_is_locked_and_nobody_is_asked() {
    let state = Desktop { locked: true, secret: Some(b"x".to_vec()), ..Desktop::default() };
    let (_home, service, desktop) = desktop(&state);
    assert!(matches!(service.read(), Err(Closed::Locked(_))));
    assert!(matches!(service.write(&key()), Err(Closed::Locked(_))));
    assert!(!desktop.lock().unwrap().called.iter().any(|member| member == "CreateItem"));
}

#[test]
fn a_bus_without_a_service_and_a_service_without_a_collection_are_absent() {
    let (_home, service, _) = desktop(&Desktop { absent: true, ..Desktop::default() });
    assert!(matches!(service.read(), Err(Closed::Absent(_))));
    let (_home, service, _) = desktop(&Desktop { no_collection: true, ..Desktop::default() });
    assert!(service.read().unwrap().is_none());
    assert!(matches!(service.write(&key()), Err(Closed::Absent(_))));
    let nowhere = SecretService::new(&Host::refusing(), "/state".into());
    assert!(matches!(nowhere.read(), Err(Closed::Absent(_))));
}

#[test]
fn a_secret_that_is_no_key_is_none() {
    let state = Desktop { secret: Some(b"somebody else's".to_vec()), ..Desktop::default() };
    let (_home, service, _) = desktop(&state);
    assert!(service.read().unwrap().is_none());
}
