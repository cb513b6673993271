//! One session, open.

use fleetkey_provider::{
    Error, ExposeSecret, Fingerprint, Host, KeptSession, OpenSession, Result, SecretString,
    SessionKey,
};

use super::{
    alias,
    heir::{self, Heir},
    sealed::{self, Sealed},
};
use crate::{
    exclusive::Exclusive,
    host::{Held, Hold, Store, is_alive},
    vault::Vault,
};

/// Where the session is kept.
pub(super) enum Place<'a> {
    /// In a folder, where nobody else has it open; whoever ends it may be there without a lock.
    Folder {
        store: &'a dyn Store,
        vault: &'a Vault,
        #[allow(dead_code, reason = "holding it is its use")]
        lock: Option<Exclusive<'a>>,
    },
    /// Nothing can be kept here, and why. Then nothing is: what cannot be replaced is not redeemed.
    Nowhere(String),
}

/// A session that nobody else can redeem.
pub(super) struct Opened<'a> {
    /// The key that was asked for, and the one by which it is kept: one, unless it got a name.
    asked: SessionKey,
    key: SessionKey,
    /// Whether it was about to be redeemed: what is kept then is its successor, and nobody's sign-in.
    is_redeemed: bool,
    /// Whether that is written down.
    has_mark: bool,
    host: &'a Host,
    hold: &'static Hold,
    /// The file as it was read.
    file: Option<Fingerprint>,
    place: Place<'a>,
    // last, and so dropped last: a signal that was held back ends a process that locks nothing
    held: Option<Held>,
}

impl<'a> Opened<'a> {
    pub(super) fn new(
        asked: SessionKey,
        key: SessionKey,
        host: &'a Host,
        hold: &'static Hold,
        place: Place<'a>,
    ) -> Self {
        Self {
            asked,
            key,
            is_redeemed: false,
            has_mark: false,
            host,
            hold,
            file: None,
            place,
            held: None,
        }
    }

    fn note(&self, what: &str) {
        self.host.notes.note(&format!("the session {}: {what}", self.key.fingerprint()));
    }

    /// Removes a file of this session.
    fn remove(&self, store: &dyn Store, name: &str) {
        if let Err(why) = store.remove(name) {
            self.note(&format!("`{name}` could not be removed: {why}"));
        }
    }

    /// Whether it was about to be redeemed, as that file, and nothing came of it.
    fn is_marked(&self, store: &dyn Store, of_file: Fingerprint) -> bool {
        let mark = store.read(&mark(self.key)).unwrap_or_default();
        let is_marked = mark.is_some_and(|mark| is_about(&mark, of_file));
        if is_marked {
            self.note("it was redeemed before, and what came of that was not kept");
        }
        is_marked
    }

    /// Whether what was read is still there, if anything was: somebody may have signed out.
    fn is_there(&self, store: &dyn Store) -> bool {
        let Some(read) = self.file else { return true };
        match store.read(&file(self.key)) {
            Ok(now) => now.is_some_and(|bytes| Fingerprint::of(&bytes) == read),
            // it is there, and not to be believed
            Err(_) => true,
        }
    }

    /// Nothing is on its way any more.
    fn settle(&mut self) {
        self.has_mark = false;
        if let Place::Folder { store, .. } = &self.place {
            self.remove(*store, &mark(self.key));
        }
        self.held = None;
    }
}

impl OpenSession for Opened<'_> {
    fn read(&mut self) -> Result<Option<KeptSession>> {
        let Place::Folder { store, vault, .. } = &self.place else { return Ok(None) };
        let bytes = match store.read(&file(self.key)) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(why) => {
                self.note(&format!("it is not used: {why}"));
                return Ok(None);
            }
        };
        let of_file = Fingerprint::of(&bytes);
        self.file = Some(of_file);
        let Some(sealed) = Sealed::parse(&bytes) else {
            self.note("it is not used: it is damaged");
            return Ok(None);
        };
        let Some(found) = vault.opening(sealed.kind, sealed.id, self.host)? else {
            self.note("it is not used: its key is gone");
            return Ok(None);
        };
        let Some(secret) = sealed.open(&found.key, self.key.fingerprint()) else {
            self.note("it is not used: it is damaged");
            return Ok(None);
        };
        Ok(Some(KeptSession { secret, interrupted: self.is_marked(*store, of_file) }))
    }

    fn adopt(&mut self, theirs: &[u8]) -> Result<bool> {
        let store = match &self.place {
            Place::Folder { store, .. } => *store,
            Place::Nowhere(why) => {
                return Err(Error::failed("the session is not renewed, since it cannot be locked")
                    .because(why));
            }
        };
        let of_file = Fingerprint::of(theirs);
        self.file = Some(of_file);
        Ok(self.is_marked(store, of_file))
    }

    fn succeeded_by(&mut self, stamp: i128, theirs: &[u8]) {
        let Place::Folder { store, .. } = &self.place else { return };
        let before =
            Heir::read(*store, self.key).filter(|heir| self.file.is_some_and(|file| heir.is(file)));
        if let Err(why) = Heir::after(before, stamp, theirs).keep(*store, self.key) {
            self.note(&format!("what it was renewed into is not written down: {why}"));
        }
    }

    fn name(&mut self, key: SessionKey, secret: &SecretString) -> Result<()> {
        if self.key != self.asked {
            return Ok(());
        }
        let kept = self.read()?;
        if kept.is_none_or(|kept| kept.secret.expose_secret() != secret.expose_secret()) {
            self.note("it is another one by now, and keeps to its own key");
            return Ok(());
        }
        let Place::Folder { store, .. } = &self.place else { return Ok(()) };
        let store = *store;
        let unnamed = |why: String| Error::failed("the session could not be named").because(why);
        alias::keep(store, self.asked, key).map_err(unnamed)?;
        // until here it came first
        self.remove(store, &file(self.key));
        self.file = None;
        self.settle();
        Ok(())
    }

    fn redeeming(&mut self) -> Result<()> {
        self.is_redeemed = true;
        if let Place::Folder { store, .. } = &self.place {
            let about = self.file.map_or_else(|| "none".to_owned(), |file| file.to_string());
            let line = format!("{} {about}\n", std::process::id());
            store.replace(&mark(self.key), line.as_bytes()).map_err(|why| {
                Error::failed("the session is not renewed, since its successor could not be kept")
                    .because(why)
            })?;
            self.has_mark = true;
        }
        self.held.get_or_insert_with(|| self.hold.begin());
        Ok(())
    }

    fn is_ended(&mut self) -> bool {
        let Place::Folder { store, .. } = &self.place else { return false };
        self.has_mark && matches!(store.read(&mark(self.key)), Ok(None))
    }

    fn keep(&mut self, secret: &SecretString) -> Result<()> {
        // whatever comes of it, what was held back comes after
        let _held = self.held.take().unwrap_or_else(|| self.hold.begin());
        let not_kept = |why: &str| Error::failed("the session is not kept").because(why);
        let (store, vault) = match &self.place {
            Place::Folder { store, vault, .. } => (*store, *vault),
            Place::Nowhere(why) => return Err(not_kept(why)),
        };
        if self.is_redeemed && !self.is_there(store) {
            self.settle();
            return Err(not_kept(SIGNED_OUT));
        }
        // who signs in without a name is somebody else, perhaps
        let key = if self.is_redeemed { self.key } else { self.asked };
        let sealer = vault.sealing(self.host)?;
        let bytes = sealed::seal(&sealer, key.fingerprint(), secret)
            .ok_or_else(|| not_kept("it could not be sealed"))?;
        if key != self.key {
            // before the session: an alias that outlived it would lead to somebody else's
            alias::forget(store, key).map_err(|why| not_kept(&why))?;
        }
        store.replace(&file(key), &bytes).map_err(|why| not_kept(&why))?;
        // whoever signs out without the lock removes the session, the mark, and the session again: if the
        // mark is there, what was just written is seen by them
        if self.has_mark && matches!(store.read(&mark(self.key)), Ok(None)) {
            self.remove(store, &file(key));
            return Err(not_kept(SIGNED_OUT));
        }
        self.key = key;
        self.file = Some(Fingerprint::of(&bytes));
        self.has_mark = false;
        self.remove(store, &mark(self.key));
        Ok(())
    }

    fn unchanged(&mut self) {
        self.settle();
    }

    fn forget(&mut self) {
        if let Place::Folder { store, .. } = &self.place {
            self.remove(*store, &file(self.key));
            self.remove(*store, &heir::file(self.key));
            // also one that was not seen behind a session of its own
            if let Err(why) = alias::forget(*store, self.asked) {
                self.note(&format!("its alias could not be removed: {why}"));
            }
        }
        self.file = None;
        self.settle();
        // who has it open meanwhile may have kept it before they could see that the mark is gone
        if let Place::Folder { store, lock: None, .. } = &self.place {
            self.remove(*store, &file(self.key));
        }
    }
}

/// The file of a session.
pub(super) fn file(key: SessionKey) -> String {
    format!("{}.session", key.fingerprint())
}

/// The file that says that it is being redeemed.
fn mark(key: SessionKey) -> String {
    format!("{}.redeeming", key.fingerprint())
}

/// Whether it was sent, as that file, by a process that is dead now.
pub(super) fn is_spent(store: &dyn Store, key: SessionKey, file: Fingerprint) -> bool {
    let Ok(Some(mark)) = store.read(&mark(key)) else { return false };
    let text = String::from_utf8_lossy(&mark);
    let maker = text.split(' ').next().and_then(|process| process.parse().ok());
    is_about(&mark, file) && !maker.is_some_and(is_alive)
}

/// Whether a mark is about that file; one that cannot be read may be.
fn is_about(mark: &[u8], file: Fingerprint) -> bool {
    let text = String::from_utf8_lossy(mark);
    text.trim_end().split_once(' ').is_none_or(|(_, about)| about == file.to_string())
}

/// Why what replaces a session is not kept.
const SIGNED_OUT: &str = "somebody signed out meanwhile";
