//! Reading both files: ours is the reading, AWS's own parser does the rest.
//!
//! The parser is handed what was read instead of a file system, so its futures have nothing to wait
//! for. Its errors name the place and the rule that was broken, never the text: a line of these
//! files may be a secret.

use std::{
    collections::HashMap,
    error::Error as _,
    ffi::OsString,
    future::Future,
    path::{Path, PathBuf},
    pin::pin,
    task::{Context, Poll, Waker},
};

use aws_config::profile::{self, ProfileFileLoadError, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};
use fleetkey_provider::{
    Error, ExposeSecret, Fingerprint, Host, Result, SecretString, quoted, shown,
};

use super::{Location, Profiles, System};
use crate::variables;

impl Profiles {
    /// Reads both files. One that is not there is empty, and so, with a note, is one in its usual
    /// place that cannot be read: whoever has keys in the environment needs neither. A file that a
    /// variable names is wanted, and has to be readable.
    pub(crate) fn load(host: &Host) -> Result<Self> {
        let is_named = |variable| host.path_var(variable).is_some();
        // asked only where there is something for the strict to ignore: the answer may lie in a file
        let is_strict = [variables::AWS_CONFIG_FILE, variables::AWS_SHARED_CREDENTIALS_FILE]
            .into_iter()
            .any(is_named)
            && host.trust.is_strict()?;
        if is_strict {
            host.notes.note("variables that name files are ignored: the configuration is strict");
        }
        let location = Location::find(&|name| host.env.var(name), System::here(), is_strict);
        let mut files = EnvConfigFiles::builder();
        let mut contents = HashMap::new();
        let (mut read, mut unread, mut credentials) = (Vec::new(), Vec::new(), None);
        // in this order, since the later file wins
        for (kind, variable, path) in [
            (EnvConfigFileKind::Config, variables::AWS_CONFIG_FILE, &location.config),
            (
                EnvConfigFileKind::Credentials,
                variables::AWS_SHARED_CREDENTIALS_FILE,
                &location.credentials,
            ),
        ] {
            let Some(path) = path else { continue };
            let bytes = match host.files.read(path) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => continue,
                Err(error) if is_named(variable) && !is_strict => return Err(error),
                Err(error) => {
                    host.notes.note(&format!("taken for absent: {error}"));
                    unread.push((path.clone(), error));
                    continue;
                }
            };
            let bytes = checked(bytes, path)?;
            if matches!(kind, EnvConfigFileKind::Credentials) {
                credentials = String::from_utf8(bytes.clone()).ok().map(SecretString::from);
            }
            files = files.with_file(kind, path);
            contents.insert(OsString::from(path), bytes);
            read.push(path.clone());
        }
        let set = if contents.is_empty() {
            None
        } else {
            let of = |contents: &Contents| fingerprint(&read, contents);
            Some(host.parsed.once(contents, of, |contents| parse(&files.build(), contents))?)
        };
        Ok(Self { set, location, unread, read, credentials })
    }

    /// Whether the credentials file says that itself, whatever the config file says.
    pub(crate) fn is_in_credentials_file(&self, profile: &str, key: &str) -> Result<bool> {
        let (Some(text), Some(path)) = (&self.credentials, &self.location.credentials) else {
            return Ok(false);
        };
        let files = EnvConfigFiles::builder().with_file(EnvConfigFileKind::Credentials, path);
        let contents = [(OsString::from(path), text.expose_secret().as_bytes().to_vec())];
        let set = parse(&files.build(), contents.into())?;
        let value = set.get_profile(profile).and_then(|profile| profile.get(key));
        Ok(value.is_some_and(|value| !value.is_empty()))
    }
}

/// Text without the mark that editors on Windows put before it.
fn checked(mut bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>> {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    // the parser would take the file for an empty one
    if let Err(error) = std::str::from_utf8(&bytes) {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        return Err(broken(&path.to_string_lossy(), line, "it is not UTF-8 text"));
    }
    Ok(bytes)
}

/// The files, by their paths.
type Contents = HashMap<OsString, Vec<u8>>;

/// What they are, in that order.
fn fingerprint(paths: &[PathBuf], contents: &Contents) -> Fingerprint {
    let parts = paths.iter().flat_map(|path| {
        let bytes = contents.get(path.as_os_str()).map(Vec::as_slice).unwrap_or_default();
        [path.as_os_str().as_encoded_bytes(), bytes].map(|part| Fingerprint::of(part).to_string())
    });
    Fingerprint::of(parts.collect::<String>().as_bytes())
}

fn parse(files: &EnvConfigFiles, contents: Contents) -> Result<ProfileSet> {
    let fs = Fs::from_raw_map(contents);
    let env = Env::from(HashMap::new());
    let parsed = pin!(profile::load(&fs, &env, files, None));
    match parsed.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(set)) => Ok(set),
        Poll::Ready(Err(error)) => Err(explained(&error)),
        Poll::Pending => Err(Error::failed("the parser of AWS profiles waits for something")),
    }
}

/// The parser tells the place only in words: `error parsing PATH on line N:` and, on a line of its
/// own, the rule that was broken.
fn explained(error: &ProfileFileLoadError) -> Error {
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    text.strip_prefix("error parsing ")
        .and_then(|text| text.rsplit_once(":\n  "))
        .and_then(|(place, rule)| Some((place.rsplit_once(" on line ")?, rule)))
        .and_then(|((path, line), rule)| Some(broken(path, line.parse().ok()?, rule)))
        .unwrap_or_else(|| Error::config("the AWS config files could not be understood"))
}

fn broken(path: &str, line: usize, rule: &str) -> Error {
    let mut rule = rule.to_owned();
    if let Some(first) = rule.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    Error::config(format!("line {line} of `{}` could not be understood", shown(path)))
        .because(shown(&rule))
        .next(format!("sed -n {line}p {}", quoted(path)))
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        Files,
        testing::{StaticEnv, StaticFiles, StaticTrust},
    };

    use super::*;
    use crate::testing::{KEYS, World};

    /// A home whose files of AWS are there and cannot be read.
    struct Locked;

    impl Files for Locked {
        fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
            let error = Error::config(format!("cannot read `{}`", path.display()));
            let next = format!("ls -l {}", path.display());
            Err(error.because("permission denied").next(next))
        }
        fn stamp(&self, _path: &Path) -> Option<i128> {
            None
        }
    }

    #[test]
    fn files_that_cannot_be_read_are_no_reason_to_refuse_the_environments_keys() {
        let world = World::new();
        let locked = |pairs: &[(&str, &str)]| Host {
            files: Box::new(Locked),
            ..world.clone().env(pairs).host()
        };
        assert!(World::ask_on("", &locked(&KEYS)).is_ok());
        assert!(world.notes.lines().iter().any(|line| line.contains("permission denied")));
        // where nothing else is found, they are the reason
        for line in ["", "--profile p"] {
            let off = [("AWS_EC2_METADATA_DISABLED", "true")];
            let error = World::ask_on(line, &locked(&off)).unwrap_err();
            assert_eq!(error.next_line(), Some("ls -l /home/.aws/config"));
            let error = error.to_string();
            assert!(error.contains("`/home/.aws/config` (which could not be read"), "{error}");
            assert!(error.contains("permission denied"), "{error}");
        }
        // and a file that somebody named is wanted
        let named = [KEYS[0], KEYS[1], ("AWS_CONFIG_FILE", "/named")];
        let error = World::ask_on("", &locked(&named)).unwrap_err();
        assert_eq!(error.message(), "cannot read `/named`");
    }

    fn host(config: &[u8], credentials: &[u8]) -> Host {
        Host {
            env: Box::new(StaticEnv::new([("HOME", "/h")])),
            files: Box::new(StaticFiles::new([
                ("/h/.aws/config", config),
                ("/h/.aws/credentials", credentials),
            ])),
            ..Host::refusing()
        }
    }

    fn load(config: &str, credentials: &str) -> Result<Profiles> {
        Profiles::load(&host(config.as_bytes(), credentials.as_bytes()))
    }

    #[test]
    fn nothing_there_is_nothing_wrong() {
        let host = Host {
            env: Box::new(StaticEnv::new([("HOME", "/h")])),
            files: Box::new(StaticFiles::default()),
            ..Host::refusing()
        };
        let profiles = Profiles::load(&host).unwrap();
        assert!(profiles.profile("default").is_none());
        assert_eq!(profiles.names().count(), 0);
        assert_eq!(profiles.paths().count(), 2, "they are still named in errors");
        // nor does anything read a file without a home
        assert_eq!(Profiles::load(&Host::refusing()).unwrap().paths().count(), 0);
    }

    #[test]
    fn profiles_sessions_and_services_are_found() {
        let profiles = load(
            "[profile p]\nRegion = r\nempty =\n[sso-session s]\nsso_region = t\n\
             [services v]\nsts =\n  endpoint_url = https://x\neks =\n  endpoint_url =\n",
            "[p]\naws_access_key_id = a\n",
        )
        .unwrap();
        let p = profiles.profile("p").unwrap();
        assert_eq!(p.name(), "p");
        assert_eq!(p.get("region"), Some("r"));
        assert_eq!(p.get("REGION"), Some("r"));
        assert_eq!(p.get("aws_access_key_id"), Some("a"));
        assert_eq!(p.get("empty"), None);
        let s = profiles.sso_session("s").unwrap();
        assert_eq!((s.name(), s.get("sso_region")), ("s", Some("t")));
        assert!(profiles.sso_session("p").is_none());
        assert_eq!(profiles.service_endpoint("v", "sts"), Some("https://x"));
        assert_eq!(profiles.service_endpoint("v", "eks"), None);
        assert_eq!(profiles.service_endpoint("w", "sts"), None);
    }

    #[test]
    fn what_the_credentials_file_says_itself_is_known() {
        let profiles = load(
            "[profile p]\naws_access_key_id = c\nregion = r\n",
            "[p]\naws_secret_access_key = s\nempty =\n",
        )
        .unwrap();
        let says = |key| profiles.is_in_credentials_file("p", key).unwrap();
        assert!(says("aws_secret_access_key"));
        assert!(!says("aws_access_key_id") && !says("region") && !says("empty"));
        assert!(!profiles.is_in_credentials_file("q", "aws_secret_access_key").unwrap());
        assert_eq!(profiles.read().count(), 2);
        assert!(!format!("{profiles:?}").contains("aws_secret_access_key = s"));
    }

    #[test]
    fn errors_name_the_place_and_no_secret() {
        let error = load("", "[a]\nx = 1\nhunter2\n").unwrap_err();
        assert_eq!(error.message(), "line 3 of `/h/.aws/credentials` could not be understood");
        assert_eq!(error.cause(), Some("expected an '=' sign defining a property"));
        assert_eq!(error.next_line(), Some("sed -n 3p /h/.aws/credentials"));
        for text in ["[a", "x = hunter2", "[profile a]\n = hunter2", "[profile a]\n hunter2"] {
            let error = load(text, "").unwrap_err();
            assert!(error.message().contains("/h/.aws/config"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_text_and_latin_1_is_none_either() {
        let profiles = load("\u{feff}[profile p]\nregion = r\n", "").unwrap();
        assert_eq!(profiles.profile("p").unwrap().get("region"), Some("r"));
        let error = Profiles::load(&host(b"[profile p]\nx = \xe9\n", b"")).unwrap_err();
        assert_eq!(error.message(), "line 2 of `/h/.aws/config` could not be understood");
    }

    #[test]
    fn a_strict_person_is_not_led_elsewhere() {
        let evil = Host {
            env: Box::new(StaticEnv::new([("HOME", "/h"), ("AWS_CONFIG_FILE", "/evil")])),
            files: Box::new(StaticFiles::new([("/evil", "[profile evil]\n")])),
            trust: Box::new(StaticTrust { strict: true, ..StaticTrust::default() }),
            ..Host::refusing()
        };
        assert!(Profiles::load(&evil).unwrap().profile("evil").is_none());
    }
}
