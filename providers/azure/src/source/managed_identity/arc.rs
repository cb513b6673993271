//! The agent of an Arc machine: who wants a token proves to be on the machine, and to belong to the
//! agent's group, by reading a file there.
//!
//! Whoever answers in the agent's place could name any file and would be told what is in it. So
//! only a `.key` directly in the agent's own folder is read, and no variable moves that folder
//! (Microsoft Learn, "Authenticate against Azure resources with Azure Arc-enabled servers"; the
//! rules are MSAL's).

use std::path::{Path, PathBuf};

use fleetkey_provider::{Endpoint, Error, Host, HttpResponse, Result, Retry, SecretString, shown};

use super::{
    IDENTITY_ENDPOINT, Identity,
    question::question,
    reply::{Call, Tone},
};
use crate::{server_id::ServerId, source::Granted};

pub(super) const NAME: &str = "Azure Arc";
const ADDRESS: &str = "http://127.0.0.1:40342/metadata/identity/oauth2/token";
const VERSION: &str = "2020-06-01";
const LONGEST_KEY: usize = 4096;

/// The agent.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) endpoint: Endpoint,
    keys: Folder,
}

/// The folder of the agent's keys, and what stands between it and a name.
#[derive(Debug)]
struct Folder {
    path: String,
    separator: char,
}

impl Agent {
    /// At its own address, or where the variable says it is, if that is nearby or trusted.
    pub(super) fn at(endpoint: Option<&str>, identity: &Identity, host: &Host) -> Result<Self> {
        identity.only_system(NAME)?;
        let from = format!("`{IDENTITY_ENDPOINT}`");
        let endpoint = Endpoint::nearby(endpoint.unwrap_or(ADDRESS), &from, host)?;
        Ok(Self { endpoint, keys: Folder::of_this_system(host) })
    }

    /// Two requests: the first is answered with the name of a key.
    pub(super) async fn lend(&self, server: &ServerId, host: &Host) -> Result<Granted> {
        let identity = &Identity::System;
        let call = Call { service: NAME, identity, server, tone: Tone::Announced };
        let retry = Retry::Safe(|answer| matches!(answer.status, 404 | 410));
        let header = ("metadata", "true");
        let mut request = question(&self.endpoint, VERSION, server, None, header, retry);
        let answer = host.http.send(&request).await.map_err(|error| call.silent(&error))?;
        match answer.status {
            401 => {}
            200..300 => return Err(call.not_understood("it lent a token without a challenge")),
            _ => return Err(call.refused(&answer)),
        }
        let key = self.key(&answer, host)?;
        let shown_key = {
            use fleetkey_provider::ExposeSecret;
            format!("Basic {}", key.expose_secret())
        };
        request.headers.push(("authorization".into(), shown_key));
        request.retry = Retry::Never; // a key is good once
        call.send(&request, host).await
    }

    /// The key that a challenge names.
    fn key(&self, answer: &HttpResponse, host: &Host) -> Result<SecretString> {
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let Some(path) = realm(challenge).filter(|path| self.keys.has(path)) else {
            return Err(Error::failed("the Arc agent named a file that is no key of its own")
                .because(format!(
                    "`{}` is not a `.key` directly in {}; nothing was sent",
                    shown(challenge),
                    shown(&self.keys.path)
                )));
        };
        let unreadable = |cause: &str| {
            Error::config("the Arc agent's key cannot be read")
                .because(format!("{}: {cause}", shown(path)))
                .next(r#"sudo usermod --append --groups himds "$(id -un)""#)
        };
        let bytes = match host.files.read(&PathBuf::from(path)) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(unreadable("there is no such file")),
            Err(error) => {
                return Err(unreadable(error.cause().unwrap_or_else(|| error.message())));
            }
        };
        let key = bytes.trim_ascii();
        let is_key = !key.is_empty()
            && bytes.len() <= LONGEST_KEY
            && key.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
        let text = std::str::from_utf8(key).ok().filter(|_| is_key);
        text.map(SecretString::from).ok_or_else(|| {
            Error::failed("the Arc agent named a file that is no key of its own")
                .because(format!("{} does not hold a key; nothing was sent", shown(path)))
        })
    }
}

/// Whether the agent is on this machine.
pub(super) fn is_installed(host: &Host) -> bool {
    let at = if cfg!(windows) {
        let Some(programs) = host.path_var("ProgramFiles") else { return false };
        programs.join("AzureConnectedMachineAgent").join("himds.exe")
    } else {
        Path::new("/opt/azcmagent/bin/himds").to_owned()
    };
    host.files.stamp(&at).is_some()
}

impl Folder {
    fn of_this_system(host: &Host) -> Self {
        if cfg!(windows) {
            let data = host.path_var("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
            Self::windows(&data.to_string_lossy())
        } else {
            Self { path: "/var/opt/azcmagent/tokens".into(), separator: '/' }
        }
    }

    fn windows(data: &str) -> Self {
        let data = data.trim_end_matches('\\');
        Self { path: format!(r"{data}\AzureConnectedMachineAgent\Tokens"), separator: '\\' }
    }

    /// Whether it is the path of a key in this folder, and in none below or beside it.
    fn has(&self, path: &str) -> bool {
        let Self { path: folder, separator } = self;
        let Some((start, name)) = path.split_at_checked(folder.len()) else { return false };
        let is_folder = match separator {
            '\\' => start.eq_ignore_ascii_case(folder),
            _ => start == folder,
        };
        let Some(name) = name.strip_prefix(*separator) else { return false };
        let stem = name.strip_suffix(".key").unwrap_or_default();
        is_folder
            && !stem.is_empty()
            && stem.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    }
}

/// The path in `Basic realm=PATH`, with or without quotes (RFC 7235, section 2.2).
fn realm(challenge: &str) -> Option<&str> {
    let (scheme, rest) = challenge.trim().split_once(' ')?;
    let (name, value) = rest.trim_start().split_once('=')?;
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    (scheme.eq_ignore_ascii_case("basic") && name.eq_ignore_ascii_case("realm")).then_some(value)
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ExposeSecret, Kind};

    use super::*;
    use crate::{
        server_id::AKS,
        source::{ManagedIdentity, Source},
        testing::{World, now, wanted},
    };

    const KEY: &str = "/var/opt/azcmagent/tokens/2f3c-1.key";

    fn world() -> World {
        World::default().env(&[
            ("IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token"),
            ("IMDS_ENDPOINT", "http://localhost:40342"),
        ])
    }

    fn challenged(world: &World, challenge: &str) {
        world.http.answer(401, &[("www-authenticate", challenge)], "");
    }

    fn obtain(world: &World) -> Result<Granted> {
        let host = world.host();
        let mut agent = Agent::at(
            Some("http://localhost:40342/metadata/identity/oauth2/token"),
            &Identity::System,
            &host,
        )?;
        agent.keys = Folder { path: "/var/opt/azcmagent/tokens".into(), separator: '/' };
        now(agent.lend(&wanted().server, &host))
    }

    #[test]
    fn the_key_is_shown_to_the_second_request_alone() {
        let world = world().file(KEY, "hunter2");
        challenged(&world, &format!("Basic realm={KEY}"));
        world.http.answer(200, &[], r#"{"access_token":"t","expires_in":"1"}"#);
        assert_eq!(obtain(&world).unwrap().access_token.expose_secret(), "t");
        let [first, second] = &world.http.requests()[..] else { panic!("two requests") };
        let url = "http://localhost:40342/metadata/identity/oauth2/token";
        for sent in [first, second] {
            assert_eq!(
                sent.endpoint.as_str(),
                format!("{url}?api-version=2020-06-01&resource={AKS}")
            );
            assert!(sent.headers.contains(&("metadata".into(), "true".into())));
        }
        let authorization = |sent: &fleetkey_provider::HttpRequest| {
            let header = sent.headers.iter().find(|(name, _)| name == "authorization");
            header.map(|(_, value)| value.clone())
        };
        assert_eq!(authorization(first), None);
        assert_eq!(authorization(second).as_deref(), Some("Basic hunter2"));
    }

    #[test]
    fn no_other_file_is_told_to_whoever_answers() {
        let tokens = "/var/opt/azcmagent/tokens";
        for path in [
            "/etc/shadow",
            "/etc/x.key",
            "/var/opt/azcmagent/x.key",
            &format!("{tokens}/deeper/x.key"),
            &format!("{tokens}/../x.key"),
            &format!("{tokens}/..key"),
            &format!("{tokens}/.key"),
            &format!("{tokens}//x.key"),
            &format!("{tokens}/x.txt"),
            &format!("{tokens}/x.key "),
            &format!("{tokens}/x\0.key"),
            &format!("{tokens}.evil/x.key"),
            &format!("{tokens}evil/x.key"),
            "x.key",
            "",
        ] {
            let world = world().file(path, "hunter2").file(path.trim(), "hunter2");
            challenged(&world, &format!("Basic realm=\"{path}\""));
            let error = obtain(&world).unwrap_err();
            assert_eq!(error.kind(), Kind::Failed, "{path}: {error}");
            assert_eq!(world.http.requests().len(), 1, "{path}");
        }
        for challenge in ["", "Basic", "Bearer realm=/x", "Basic key=/x", &format!("Basic {KEY}")] {
            let world = world().file(KEY, "hunter2");
            challenged(&world, challenge);
            assert_eq!(obtain(&world).unwrap_err().kind(), Kind::Failed, "{challenge}");
            assert_eq!(world.http.requests().len(), 1, "{challenge}");
        }
    }

    #[test]
    fn what_is_no_key_is_not_sent() {
        for contents in ["", " ", "a\nb", "a\r\nx: y", "\u{e9}", &"k".repeat(4097)] {
            let world = world().file(KEY, contents);
            challenged(&world, &format!("Basic realm={KEY}"));
            let error = obtain(&world).unwrap_err();
            assert_eq!(error.kind(), Kind::Failed, "{error}");
            assert_eq!(world.http.requests().len(), 1);
        }
        let longest = world().file(KEY, "k".repeat(4096));
        challenged(&longest, &format!("Basic realm={KEY}"));
        longest.http.answer(200, &[], r#"{"access_token":"t"}"#);
        obtain(&longest).unwrap();
    }

    #[test]
    fn whoever_may_not_read_the_key_is_told_of_the_group() {
        let world = world();
        challenged(&world, &format!("Basic realm={KEY}"));
        let error = obtain(&world).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.next_line().unwrap().contains("himds"));
    }

    #[test]
    fn an_agent_that_does_not_challenge_is_none() {
        let world = world();
        world.http.answer(200, &[], r#"{"access_token":"t"}"#);
        assert_eq!(obtain(&world).unwrap_err().kind(), Kind::Unavailable);
        world.http.answer(400, &[], r#"{"error":"invalid_request"}"#);
        assert_eq!(obtain(&world).unwrap_err().kind(), Kind::Refused);
    }

    #[test]
    fn a_key_is_shown_once() {
        let world = world().file(KEY, "hunter2");
        challenged(&world, &format!("Basic realm={KEY}"));
        challenged(&world, &format!("Basic realm={KEY}"));
        let error = obtain(&world).unwrap_err();
        assert_eq!((error.kind(), world.http.requests().len()), (Kind::Refused, 2));
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn windows_has_its_own_folder() {
        let keys = Folder::windows(r"C:\ProgramData\");
        let folder = r"C:\ProgramData\AzureConnectedMachineAgent\Tokens";
        assert!(keys.has(&format!(r"{folder}\a-1.key")));
        assert!(keys.has(&format!(r"{}\a-1.key", folder.to_lowercase())));
        for bad in [r"\..\a.key", r"\b\a.key", "/a.key", r"\a.key:x.key", r"\\a.key", "a.key"] {
            assert!(!keys.has(&format!("{folder}{bad}")), "{bad}");
        }
    }

    #[test]
    fn an_assigned_identity_is_refused() {
        let identity = Identity::Client("c".into());
        let error = ManagedIdentity::here(identity, &world().host()).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
    }

    #[test]
    fn the_source_asks_the_agent() {
        let world = world();
        let host = world.host();
        world.http.answer(503, &[], "");
        let source = ManagedIdentity::here(Identity::System, &host).unwrap();
        let error = now(source.obtain(&wanted(), &host)).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
    }
}
