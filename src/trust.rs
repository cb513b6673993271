//! Which further hosts may be given secrets, and whether this person is strict: `config.toml`.
//!
//! A kubeconfig is somebody else's text, and an endpoint in it would be where secrets go. The
//! clouds' own hosts and loopback need no word here; any other host is trusted only if a person
//! typed `fleetkey trust add HOST`. With `strict = true` variables that move endpoints,
//! authorities, proxies or files are ignored altogether.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use fleetkey_provider::{Error, Host, Result, Trust, quoted, shown};
use toml_edit::{Array, DocumentMut, Item, Value};
use url::Host as UrlHost;

use crate::{
    folders,
    host::{PrivateDir, Store},
    lock::{self, Waited},
};

const FILE: &str = "config.toml";
const HOSTS: &str = "trusted-hosts";
const STRICT: &str = "strict";
/// How long another process may take to change the file.
const LONGEST_EDIT: Duration = Duration::from_secs(10);

/// The list as a provider sees it: read when the first question comes, which is only when something
/// was moved.
pub(crate) struct FileTrust {
    folder: Option<PathBuf>,
    read: OnceLock<Result<(Vec<String>, bool)>>,
}

impl FileTrust {
    /// The list in that folder.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, read: OnceLock::new() }
    }

    fn read(&self) -> Result<&(Vec<String>, bool)> {
        let read = self.read.get_or_init(|| {
            let file = TrustFile::read(self.folder.clone())?;
            Ok((file.hosts().map(str::to_owned).collect(), file.strict))
        });
        read.as_ref().map_err(Clone::clone)
    }
}

impl Trust for FileTrust {
    fn allows(&self, host_name: &str) -> Result<bool> {
        Ok(self.read()?.0.iter().any(|host| host == host_name))
    }
    fn is_strict(&self) -> Result<bool> {
        Ok(self.read()?.1)
    }
}

/// The file itself, for the command that edits it. Comments and whatever else stands in it stay.
pub(crate) struct TrustFile {
    document: DocumentMut,
    strict: bool,
}

impl TrustFile {
    /// The file of this person.
    pub(crate) fn open(host: &Host) -> Result<Self> {
        Self::read(folders::config(host))
    }

    /// Reads the file, changes it and writes it back, one process at a time, whole or not at all.
    pub(crate) fn edit(host: &Host, change: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let named = folders::config(host).ok_or_else(no_home)?.join(FILE);
        let failed = |why: String| {
            Error::failed(format!("`{}` could not be written", shown(&named.to_string_lossy())))
                .because(why)
        };
        let (folder, name) = real(&named).ok_or_else(|| failed("it has no folder".into()))?;
        let store = PrivateDir::new(folder);
        let waited = lock::take(&store, "config.lock", LONGEST_EDIT, host, || (), || None::<()>);
        let _guard = match waited {
            Waited::Locked(guard) => guard,
            Waited::Found(()) => return Ok(()),
            Waited::Late(why) | Waited::Unlockable(why) => return Err(failed(why)),
        };
        let mut file = Self::open(host)?;
        change(&mut file)?;
        store.replace(&name, file.document.to_string().as_bytes()).map_err(failed)
    }

    /// The trusted hosts.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        let hosts = self.document.get(HOSTS).and_then(Item::as_array);
        hosts.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Adds a host; one that is there already stays as it is.
    pub(crate) fn add(&mut self, host: &str) -> Result<()> {
        let host = host_name(host)?;
        if !self.hosts().any(|known| known == host) {
            self.array()?.push(host);
        }
        Ok(())
    }

    /// Removes a host. Errors if it is not there, so that a typing error is seen.
    pub(crate) fn remove(&mut self, host: &str) -> Result<()> {
        let host = host_name(host)?;
        let array = self.array()?;
        let before = array.len();
        array.retain(|known| known.as_str() != Some(&host));
        if array.len() == before {
            return Err(Error::config(format!("`{host}` is not among the trusted hosts"))
                .next("fleetkey trust list"));
        }
        Ok(())
    }

    fn read(folder: Option<PathBuf>) -> Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self { document: DocumentMut::new(), strict: false });
        };
        let path = folder.join(FILE);
        let shown_path = shown(&path.to_string_lossy());
        let bytes = PrivateDir::new(folder.clone()).read_settings(FILE).map_err(|why| {
            Error::config(format!("`{shown_path}` cannot be used"))
                .because(why)
                .next(format!("ls -l {}", quoted(&path.to_string_lossy())))
        })?;
        let text = String::from_utf8(bytes.unwrap_or_default())
            .map_err(|_| Error::config(format!("`{shown_path}` is not UTF-8 text")))?;
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            Error::config(format!("`{shown_path}` is not TOML, line {line}"))
                .because(shown(error.message()))
                .next(format!("sed -n {line}p {}", quoted(&path.to_string_lossy())))
        })?;
        let strict = match document.get(STRICT) {
            None => false,
            Some(item) => item.as_bool().ok_or_else(|| {
                Error::config(format!("`{STRICT}` in `{shown_path}` is neither true nor false"))
            })?,
        };
        if let Some(item) = document.get(HOSTS)
            && !item.as_array().is_some_and(|array| array.iter().all(Value::is_str))
        {
            return Err(Error::config(format!(
                "`{HOSTS}` in `{shown_path}` is not a list of host names"
            )));
        }
        Ok(Self { document, strict })
    }

    fn array(&mut self) -> Result<&mut Array> {
        let item = self.document.entry(HOSTS).or_insert_with(|| Item::Value(Array::new().into()));
        item.as_array_mut()
            .ok_or_else(|| Error::config(format!("`{HOSTS}` in `{FILE}` is not a list")))
    }
}

/// Where a file really is: people link it, or its folder, into a dotfile repository, and what they
/// keep there is what has to change.
fn real(named: &Path) -> Option<(PathBuf, String)> {
    let folder = named.parent()?;
    let path = named.canonicalize().ok();
    let path = path.or_else(|| Some(folder.canonicalize().ok()?.join(named.file_name()?)));
    let path = path.unwrap_or_else(|| named.to_owned());
    Some((path.parent()?.to_owned(), path.file_name()?.to_str()?.to_owned()))
}

/// A host name or address as URLs spell it: lower case, no scheme, no port.
fn host_name(text: &str) -> Result<String> {
    let plain = |c: char| c.is_alphanumeric() || "-._:[]".contains(c);
    let parsed = UrlHost::parse(text).ok().filter(|_| !text.is_empty() && text.chars().all(plain));
    parsed.map(|host| host.to_string()).ok_or_else(|| {
        Error::config(format!("`{}` is not a host name", shown(text)))
            .because("a name or an address is wanted, without scheme, port or path")
            .next("fleetkey trust add --help")
    })
}

fn no_home() -> Error {
    Error::config("there is no folder for `config.toml`")
        .because("`HOME` is not set to a folder")
        .next("export HOME=~")
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        Clock,
        testing::{ManualClock, StaticEnv},
    };

    use super::*;

    fn open(home: &tempfile::TempDir) -> Result<TrustFile> {
        TrustFile::read(Some(home.path().join("fleetkey")))
    }

    fn host(home: &tempfile::TempDir) -> Host {
        let env = [("XDG_CONFIG_HOME", home.path()), ("APPDATA", home.path())];
        Host {
            env: Box::new(StaticEnv::new(env)),
            clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
            ..Host::refusing()
        }
    }

    fn write(home: &tempfile::TempDir, text: &str) {
        PrivateDir::new(home.path().join("fleetkey")).replace(FILE, text.as_bytes()).unwrap();
    }

    #[test]
    fn a_host_is_trusted_from_when_it_is_added_until_it_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let trust = || {
            FileTrust::new(Some(home.path().join("fleetkey"))).allows("sts.example.com").unwrap()
        };
        assert!(!trust());
        TrustFile::edit(&host(&home), |file| file.add("STS.example.com")).unwrap();
        assert!(trust());
        TrustFile::edit(&host(&home), |file| file.remove("sts.example.com")).unwrap();
        assert!(!trust());
        assert!(TrustFile::edit(&host(&home), |file| file.remove("sts.example.com")).is_err());
    }

    #[test]
    fn thirty_at_once_lose_nothing() {
        let home = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 0..30 {
                let home = &home;
                scope.spawn(move || {
                    // each with a clock of its own, which waiting moves
                    let host = Host { clock: Box::new(Yielding), ..host(home) };
                    TrustFile::edit(&host, |file| file.add(&format!("h{number}.example"))).unwrap();
                });
            }
        });
        assert_eq!(open(&home).unwrap().hosts().count(), 30);
    }

    /// Waiting lets the others run, also where thirty wait for a slow disk.
    struct Yielding;

    impl Clock for Yielding {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }
        #[allow(clippy::disallowed_methods, reason = "a moment, so that the others get on")]
        fn pause(&self, duration: Duration) {
            std::thread::sleep(duration.min(Duration::from_millis(5)));
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_is_a_link_stays_one() {
        let home = tempfile::tempdir().unwrap();
        let dotfiles = PrivateDir::new(home.path().join("dotfiles"));
        dotfiles.replace("fleetkey.toml", b"# mine\n").unwrap();
        let link = home.path().join("fleetkey").join(FILE);
        PrivateDir::new(home.path().join("fleetkey")).replace("x", b"").unwrap();
        std::os::unix::fs::symlink(home.path().join("dotfiles/fleetkey.toml"), &link).unwrap();
        TrustFile::edit(&host(&home), |file| file.add("a.example")).unwrap();
        assert!(link.is_symlink());
        let text = String::from_utf8(dotfiles.read("fleetkey.toml").unwrap().unwrap()).unwrap();
        assert!(text.contains("# mine") && text.contains("a.example"), "{text}");
    }

    #[test]
    fn comments_and_unknown_keys_stay() {
        let home = tempfile::tempdir().unwrap();
        write(&home, "# mine\nother = 1 # kept\ntrusted-hosts = [\n  \"a.example\", # why\n]\n");
        let mut file = open(&home).unwrap();
        file.add("b.example").unwrap();
        let text = file.document.to_string();
        assert!(
            text.contains("# mine") && text.contains("other = 1 # kept") && text.contains("# why"),
            "{text}"
        );
        assert_eq!(file.hosts().collect::<Vec<_>>(), ["a.example", "b.example"]);
    }

    #[test]
    fn a_broken_file_trusts_nobody_and_names_its_line() {
        let home = tempfile::tempdir().unwrap();
        write(&home, "a = 1\ntrusted-hosts = [\n");
        let error = FileTrust::new(Some(home.path().join("fleetkey"))).allows("x").unwrap_err();
        assert!(error.message().contains("line "), "{error}");
        write(&home, "strict = 1\n");
        assert!(FileTrust::new(Some(home.path().join("fleetkey"))).is_strict().is_err());
        write(&home, "trusted-hosts = \"x\"\n");
        assert!(open(&home).is_err());
    }

    #[test]
    fn strict_is_read() {
        let home = tempfile::tempdir().unwrap();
        write(&home, "strict = true\n");
        assert!(FileTrust::new(Some(home.path().join("fleetkey"))).is_strict().unwrap());
        assert!(!FileTrust::new(None).is_strict().unwrap());
    }

    #[test]
    fn only_host_names_can_be_trusted() {
        for bad in ["", "https://x", "x:1", "x/y", "a b", "x@y", "*"] {
            assert!(host_name(bad).is_err(), "{bad}");
        }
        assert_eq!(host_name("[::2]").unwrap(), "[::2]");
    }
}
