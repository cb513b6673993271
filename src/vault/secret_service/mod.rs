//! The desktop's secret store, by freedesktop.org's Secret Service API, with a small client of our
//! own: the libraries for it bring a D-Bus stack of some sixty crates along, for six calls.
//!
//! Secrets cross the session bus as they are (`plain`): it is a local socket that only this user
//! gets, and whoever may listen on it may as well ask. Nobody is asked to unlock anything: a client
//! of ours waits seconds, not minutes.

mod bus;
mod wire;

use fleetkey_provider::{ExposeSecret, Host};

use self::{
    bus::{Bus, Failure, Method},
    wire::{In, Out},
};
use super::{
    SERVICE,
    chest::{Chest, Closed, Kind},
    key::Key,
};

const NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const NOTHING: &str = "/";
const ALGORITHM: &str = "plain";

/// The item of one state folder.
pub(super) struct SecretService {
    addresses: String,
    account: String,
}

impl SecretService {
    /// Where the session bus is: where the variable says, or where systemd puts it.
    pub(super) fn new(host: &Host, account: String) -> Self {
        let told = host.text_var("DBUS_SESSION_BUS_ADDRESS").ok().flatten();
        let usual = || {
            let folder = host.path_var("XDG_RUNTIME_DIR")?;
            Some(format!("unix:path={}", folder.join("bus").to_str()?))
        };
        Self { addresses: told.or_else(usual).unwrap_or_default(), account }
    }

    fn attributes(&self) -> [(&str, &str); 2] {
        [("application", SERVICE), ("account", &self.account)]
    }

    /// The item that has our attributes, unlocked if that takes nobody.
    fn find(&self, service: &mut Service) -> Result<Option<String>, Closed> {
        let mut wanted = Out::default();
        wanted.texts(&self.attributes());
        let found = service.call(ROOT, "Service", "SearchItems", "a{ss}", &wanted)?;
        let mut found = In::new(&found);
        let (unlocked, locked) = found.paths().zip(found.paths()).ok_or_else(nonsense)?;
        match (unlocked.first(), locked.first()) {
            (Some(item), _) => Ok(Some((*item).to_owned())),
            (None, Some(item)) => {
                service.unlock(item)?;
                Ok(Some((*item).to_owned()))
            }
            (None, None) => Ok(None),
        }
    }
}

impl Chest for SecretService {
    fn kind(&self) -> Kind {
        Kind::SecretService
    }

    fn read(&self) -> Result<Option<Key>, Closed> {
        let mut service = Service::open(&self.addresses)?;
        let Some(item) = self.find(&mut service)? else { return Ok(None) };
        let mut session = Out::default();
        session.text(&service.session);
        let answer = service.call(&item, "Item", "GetSecret", "o", &session)?;
        // (oayays): the session, how it is encrypted, the secret, its type
        let mut answer = In::new(&answer);
        answer.align(8);
        let secret = answer.text().and_then(|_| answer.bytes()).and_then(|_| answer.bytes());
        let secret = secret.ok_or_else(nonsense)?;
        Ok(Key::parse(secret))
    }

    fn write(&self, key: &Key) -> Result<(), Closed> {
        let mut service = Service::open(&self.addresses)?;
        let collection = service.default_collection()?;
        service.unlock(&collection)?;
        let mut item = Out::default();
        item.array(8, |out| {
            out.align(8);
            out.text("org.freedesktop.Secret.Item.Label");
            out.signature("s");
            out.text("the key that seals fleetkey's sessions");
            out.align(8);
            out.text("org.freedesktop.Secret.Item.Attributes");
            out.signature("a{ss}");
            out.texts(&self.attributes());
        });
        item.align(8);
        item.text(&service.session);
        item.bytes(&[]);
        item.bytes(key.text().expose_secret().as_bytes());
        item.text("text/plain");
        item.u32(1); // in place of one with these attributes
        let made =
            service.call(&collection, "Collection", "CreateItem", "a{sv}(oayays)b", &item)?;
        let mut made = In::new(&made);
        let (item, prompt) = made.text().zip(made.text()).ok_or_else(nonsense)?;
        if item == NOTHING || prompt != NOTHING {
            return Err(Closed::Locked("it wants to ask somebody first".into()));
        }
        Ok(())
    }
}

/// The service, with a session of its own kind: how secrets cross the bus.
struct Service {
    bus: Bus,
    session: String,
}

impl Service {
    fn open(addresses: &str) -> Result<Self, Closed> {
        let mut service = Self { bus: Bus::connect(addresses)?, session: String::new() };
        let mut how = Out::default();
        how.text(ALGORITHM);
        how.signature("s");
        how.text("");
        let answer = service.call(ROOT, "Service", "OpenSession", "sv", &how)?;
        // (v, o): nothing, as `plain` has no keys to exchange, and the session
        let mut answer = In::new(&answer);
        let nothing = answer.signature().filter(|of_type| *of_type == "s");
        let session = nothing.and_then(|_| answer.text()).and_then(|_| answer.text());
        session.ok_or_else(nonsense)?.clone_into(&mut service.session);
        Ok(service)
    }

    fn default_collection(&mut self) -> Result<String, Closed> {
        let mut alias = Out::default();
        alias.text("default");
        let answer = self.call(ROOT, "Service", "ReadAlias", "s", &alias)?;
        match In::new(&answer).text().ok_or_else(nonsense)? {
            NOTHING => Err(Closed::Absent("it has no default collection".into())),
            collection => Ok(collection.to_owned()),
        }
    }

    /// Errors if that would take a person.
    fn unlock(&mut self, object: &str) -> Result<(), Closed> {
        let mut objects = Out::default();
        objects.array(4, |out| out.text(object));
        let answer = self.call(ROOT, "Service", "Unlock", "ao", &objects)?;
        let mut answer = In::new(&answer);
        let (_unlocked, prompt) = answer.paths().zip(answer.text()).ok_or_else(nonsense)?;
        if prompt == NOTHING {
            return Ok(());
        }
        Err(Closed::Locked("it is locked".into()))
    }

    fn call(
        &mut self,
        path: &str,
        interface: &str,
        name: &str,
        takes: &str,
        arguments: &Out,
    ) -> Result<Vec<u8>, Closed> {
        let interface = &format!("org.freedesktop.Secret.{interface}");
        let method = Method { destination: NAME, path, interface, name, takes };
        self.bus.call(&method, arguments).map_err(|failure| match failure {
            Failure::Error(name) if says_nobody_is_there(&name) => {
                Closed::Absent("no secret service runs on the session bus".into())
            }
            Failure::Error(name) => Closed::Locked(format!("it answered `{name}`")),
            Failure::Lost(error) => Closed::Locked(format!("its connection was lost: {error}")),
        })
    }
}

/// The bus knows no such service, and cannot start one.
fn says_nobody_is_there(error: &str) -> bool {
    error.strip_prefix("org.freedesktop.DBus.Error.").is_some_and(|error| {
        matches!(error, "ServiceUnknown" | "NameHasNoOwner") || error.starts_with("Spawn.")
    })
}

fn nonsense() -> Closed {
    Closed::Locked("its answer makes no sense".into())
}

#[cfg(test)]
mod tests;
