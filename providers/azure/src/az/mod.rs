//! The files of the Azure CLI: read, and never written.
//!
//! az rewrites them in place, so one that is no JSON may be half written just now: it is read again
//! twice, half a second apart, as az itself does. What is in them is believed no further than its
//! shape: an entry that is not as az writes it is as good as absent.

mod cloud;
mod config;
#[cfg(test)]
pub(crate) mod data;
mod msal_cache;
mod profile;
mod service_principals;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fleetkey_provider::{Error, Host, Result, shown};

pub(crate) use self::{
    cloud::ActiveCloud,
    config::Ini,
    msal_cache::{AccessToken, Cache, RefreshToken, is_same_environment},
    profile::{Choice, Profile, Subscription, User},
    service_principals::{Proof, ServicePrincipal},
};
use crate::variables::AZURE_CONFIG_DIR;

/// The name by which Entra knows az.
pub(crate) const CLIENT: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

const TOKEN_CACHE: &str = "msal_token_cache";
const SECRETS: &str = "service_principal_entries";
const PROFILE: &str = "azureProfile.json";
const CONFIG: &str = "config";
const CLOUDS: &str = "clouds.config";

/// Where az keeps its files.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

/// A file of az's.
pub(crate) enum Found<T> {
    /// It is not there.
    Absent,
    /// It is not as az writes it, and was not a second later.
    Broken,
    /// It is.
    Whole(T),
}

impl Folder {
    /// The one that was named, or else `~/.azure`. `None` where there is no home.
    pub(crate) fn find(named: Option<&Path>, host: &Host) -> Result<Option<Self>> {
        if let Some(path) = named {
            return Ok(Some(Self(path.into())));
        }
        match host.path_var(AZURE_CONFIG_DIR) {
            Some(_) if host.trust.is_strict()? => {
                host.notes.note(&format!("`{AZURE_CONFIG_DIR}` is ignored: strict"));
            }
            Some(path) => return Ok(Some(Self(path))),
            None => {}
        }
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        Ok(host.path_var(home).map(|home| Self(home.join(".azure"))))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What is set in `config`.
    pub(crate) fn config(&self, host: &Host) -> Result<Ini> {
        self.ini(CONFIG, host)
    }

    /// Which subscriptions there are, and who sees them.
    pub(crate) fn profile(&self, host: &Host) -> Result<Profile> {
        match self.read(PROFILE, Profile::parse, host)? {
            Found::Whole(profile) => Ok(profile),
            Found::Absent => Ok(Profile::default()),
            Found::Broken => Err(self.broken(PROFILE)),
        }
    }

    /// A number that changes when somebody signs in or out, or chooses another subscription.
    pub(crate) fn profile_stamp(&self, host: &Host) -> Option<i128> {
        self.stamp(PROFILE, host)
    }

    /// The same for whoever's tokens az keeps, sealed or not.
    pub(crate) fn token_stamps(&self, host: &Host) -> [Option<i128>; 2] {
        ["json", "bin"].map(|end| self.stamp(&format!("{TOKEN_CACHE}.{end}"), host))
    }

    /// Numbers that change when another cloud is made the active one, or a cloud is changed.
    pub(crate) fn cloud_stamps(&self, host: &Host) -> [Option<i128>; 2] {
        [CONFIG, CLOUDS].map(|name| self.stamp(name, host))
    }

    /// The tokens of people.
    pub(crate) fn token_cache(&self, host: &Host) -> Result<Found<Cache>> {
        self.read(&format!("{TOKEN_CACHE}.json"), Cache::parse, host)
    }

    /// What applications signed in with.
    pub(crate) fn service_principals(&self, host: &Host) -> Result<Found<Vec<ServicePrincipal>>> {
        self.read(&format!("{SECRETS}.json"), service_principals::parse, host)
    }

    /// Why az alone can read its tokens, if that is so.
    pub(crate) fn tokens_are_sealed(&self, config: &Ini, host: &Host) -> Option<String> {
        self.is_sealed(TOKEN_CACHE, config, host)
    }

    /// Why az alone can read its secrets, if that is so.
    pub(crate) fn secrets_are_sealed(&self, config: &Ini, host: &Host) -> Option<String> {
        self.is_sealed(SECRETS, config, host)
    }

    /// `.bin` is sealed by Windows, or stands for what lies in a keychain or keyring; so does
    /// `.sig`. Both stay behind when sealing is switched off.
    fn is_sealed(&self, stem: &str, config: &Ini, host: &Host) -> Option<String> {
        if config.flag("core", "encrypt_token_cache", host) == Some(false) {
            return None;
        }
        let mut marks = ["bin", "sig"].into_iter().map(|mark| format!("{stem}.{mark}"));
        let mark = marks.find(|name| host.files.stamp(&self.0.join(name)).is_some())?;
        Some(format!("what `{mark}` stands for is sealed"))
    }

    fn stamp(&self, name: &str, host: &Host) -> Option<i128> {
        host.files.stamp(&self.0.join(name))
    }

    fn ini(&self, name: &str, host: &Host) -> Result<Ini> {
        let bytes = host.files.read(&self.0.join(name))?;
        Ok(bytes.map(|bytes| Ini::parse(&bytes)).unwrap_or_default())
    }

    fn read<T>(&self, name: &str, parse: fn(&[u8]) -> Option<T>, host: &Host) -> Result<Found<T>> {
        const TRIES: u32 = 3;
        const PAUSE: Duration = Duration::from_millis(500);
        for attempt in 1..=TRIES {
            let Some(bytes) = host.files.read(&self.0.join(name))? else {
                return Ok(Found::Absent);
            };
            if let Some(contents) = parse(without_marks(&bytes)) {
                return Ok(Found::Whole(contents));
            }
            if attempt < TRIES {
                host.notes.note(&format!("`{name}` of az is half written; reading it again"));
                host.clock.pause(PAUSE);
            }
        }
        Ok(Found::Broken)
    }

    fn broken(&self, name: &str) -> Error {
        let path = self.0.join(name);
        Error::config(format!("`{}` is not as az writes it", shown(&path.to_string_lossy())))
            .because("it is no JSON, or of another shape")
            .next("az account clear && az login")
    }
}

/// Without the byte order mark that az begins `azureProfile.json` with, however often it is there.
fn without_marks(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use fleetkey_provider::{Files, Kind, testing::StaticTrust};

    use super::*;
    use crate::testing::World;

    fn folder(world: &World) -> Folder {
        Folder::find(None, &world.host()).unwrap().unwrap()
    }

    fn world() -> World {
        World::default().env(&[(if cfg!(windows) { "USERPROFILE" } else { "HOME" }, "/home")])
    }

    #[test]
    fn the_folder_is_named_or_in_the_home() {
        let moved = world().env(&[(AZURE_CONFIG_DIR, "/elsewhere")]);
        assert_eq!(folder(&world()).path(), Path::new("/home/.azure"));
        assert_eq!(folder(&moved).path(), Path::new("/elsewhere"));
        let named = Folder::find(Some(Path::new("/flag")), &moved.host()).unwrap().unwrap();
        assert_eq!(named.path(), Path::new("/flag"));
        assert!(Folder::find(None, &World::default().host()).unwrap().is_none());
        let mut strict = moved.host();
        strict.trust = Box::new(StaticTrust { strict: true, ..StaticTrust::default() });
        let found = Folder::find(None, &strict).unwrap().unwrap();
        assert_eq!(found.path(), Path::new("/home/.azure"));
    }

    /// Each read takes the next contents; the last stay.
    struct Growing(Arc<Mutex<Vec<&'static str>>>);

    impl Files for Growing {
        fn read(&self, _path: &Path) -> Result<Option<Vec<u8>>> {
            let mut contents = self.0.lock().unwrap();
            let next = contents[0];
            if contents.len() > 1 {
                contents.remove(0);
            }
            Ok(Some(next.into()))
        }
        fn stamp(&self, _path: &Path) -> Option<i128> {
            None
        }
    }

    #[test]
    fn what_is_half_written_is_read_again() {
        let mut host = world().host();
        let whole = r#"{"subscriptions":[]}"#;
        let left = Arc::new(Mutex::new(vec![r#"{"subscr"#, "", whole, "never read"]));
        host.files = Box::new(Growing(Arc::clone(&left)));
        let folder = Folder::find(None, &host).unwrap().unwrap();
        let start = host.clock.now();
        folder.profile(&host).unwrap();
        assert_eq!(left.lock().unwrap().len(), 1);
        assert_eq!(host.clock.now().duration_since(start).as_millis(), 1000);
    }

    #[test]
    fn what_stays_broken_is_an_error() {
        for contents in ["", "{", "[1", "nul", "\u{feff}", "{\"subscriptions\":[}"] {
            let world = world().file("/home/.azure/azureProfile.json", contents);
            let error = folder(&world).profile(&world.host()).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{contents}");
            assert!(error.message().contains("azureProfile.json"), "{error}");
        }
    }

    #[test]
    fn any_number_of_marks_is_skipped() {
        for marks in ["", "\u{feff}", "\u{feff}\u{feff}"] {
            let contents = format!("{marks}{{\"subscriptions\":[]}}");
            let world = world().file("/home/.azure/azureProfile.json", contents);
            folder(&world).profile(&world.host()).unwrap();
        }
    }

    #[test]
    fn sealed_files_are_az_s_alone() {
        let sealed = |world: &World| {
            let (folder, host) = (folder(world), world.host());
            folder.tokens_are_sealed(&folder.config(&host).unwrap(), &host)
        };
        let plain = world().file("/home/.azure/msal_token_cache.json", "{}");
        assert_eq!(sealed(&plain), None);
        for mark in ["bin", "sig"] {
            let marked = plain.clone().file(&format!("/home/.azure/msal_token_cache.{mark}"), "x");
            assert!(sealed(&marked).unwrap().contains(mark));
            let off = "[core]\nencrypt_token_cache = false\n";
            assert_eq!(sealed(&marked.clone().file("/home/.azure/config", off)), None);
            let env = [("AZURE_CORE_ENCRYPT_TOKEN_CACHE", "no")];
            assert_eq!(sealed(&marked.env(&env)), None);
        }
    }
}
