//! Sessions that are fleetkey's own to keep: sealed, one at a time, and never lost between an answer
//! and the disk.
//!
//! A session is redeemed only while it is open, and it is open in one process at a time. From
//! [`OpenSession::redeeming`] until it is kept, forgotten, found unchanged or closed, no deadline and
//! no signal ends the process: the answer of a redemption that was sent is the only one there will be.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{Error, Refusing, Result, SessionKey};

/// The sessions of this person.
pub trait Sessions: Send + Sync {
    /// A number that changes when the session is written anew; `None` if none is kept. One `stat`.
    fn stamp(&self, key: SessionKey) -> Option<i128>;
    /// What can be seen of a kept session without its key: no place of keys is asked, and nobody is
    /// waited for. `None` if none is kept. One read.
    fn peek(&self, _key: SessionKey) -> Option<SessionFacts> {
        None
    }
    /// Whether the session that another tool's file held when it had that stamp was renewed here, again and
    /// again, into these bytes: then it is the same person's. One read.
    fn is_heir(&self, _key: SessionKey, _theirs: &[u8], _of: i128) -> bool {
        false
    }
    /// The keys by which it was known before it got [a name](OpenSession::name), and which lead to it.
    fn other_keys(&self, _key: SessionKey) -> Vec<SessionKey> {
        Vec::new()
    }
    /// Whether another tool's session, in a file that holds these bytes, was sent by a process that died
    /// before anything replaced it: then it is not sent again. One read, and nobody is waited for.
    fn is_spent(&self, _key: SessionKey, _theirs: &[u8]) -> bool {
        false
    }
    /// All keys by which it is known: that one, the one by which it is kept, and [the others that lead
    /// there](Self::other_keys).
    fn all_keys(&self, key: SessionKey) -> Vec<SessionKey> {
        vec![key]
    }
    /// Opens a session in order to [forget](OpenSession::forget) it. Whoever has it open is waited for a
    /// moment and no longer: then it is forgotten all the same, and they keep nothing of it.
    fn open_to_end(&self, key: SessionKey) -> Result<Box<dyn OpenSession + '_>> {
        self.open(key)
    }
    /// Forgets every session that is kept here, whosever it is. How many there were.
    fn end_all(&self) -> Result<usize> {
        Ok(0)
    }
    /// Opens a session for one redemption, waiting for whoever has it open. Errors with
    /// [`Kind::Unavailable`](crate::Kind::Unavailable) if that takes too long. Never held while a
    /// person is asked.
    fn open(&self, key: SessionKey) -> Result<Box<dyn OpenSession + '_>>;
}

/// A session that nobody else can redeem. Closed when it is dropped.
pub trait OpenSession: Send {
    /// What is kept; nothing where nothing can be kept, since what cannot be replaced must not be
    /// redeemed. Errors if it may be there and cannot be read: its key is locked away.
    fn read(&mut self) -> Result<Option<KeptSession>>;
    /// The session lies in another tool's file, which holds these bytes now: nothing of it is kept
    /// here but the mark. Whether they were sent before, and a process died, or got a no, before
    /// anything replaced them. Errors where nobody can be kept out: then it is not redeemed.
    fn adopt(&mut self, _theirs: &[u8]) -> Result<bool> {
        Err(Error::failed("this host opens nobody else's sessions"))
    }
    /// What was adopted, from a file that had that stamp, is about to be replaced there by these bytes: it
    /// is the same person's, and so is what was lent for it. Where that cannot be written down, what was
    /// lent is asked for again.
    fn succeeded_by(&mut self, _stamp: i128, _theirs: &[u8]) {}
    /// Marks, durably, that it is about to be redeemed. Errors where its successor could not be
    /// kept: then what is kept is not sent.
    fn redeeming(&mut self) -> Result<()>;
    /// Whether it was forgotten since [`Self::redeeming`], by somebody who did not wait: what was written
    /// to another tool's file after that does not stay.
    fn is_ended(&mut self) -> bool {
        false
    }
    /// Keeps what replaces it, durably, before anything that can fail. Errors where nothing can be
    /// kept, and where the session that was read is not there any more: somebody signed out. The caller
    /// goes on all the same and says so.
    fn keep(&mut self, secret: &SecretString) -> Result<()>;
    /// It turned out whose it is: from now on it is kept under that key, where this secret lies already,
    /// and the key by which it was opened leads there until somebody signs in by it. Nothing, if it is
    /// another one by now.
    fn name(&mut self, _key: SessionKey, _secret: &SecretString) -> Result<()> {
        Err(Error::failed("this host gives sessions no names"))
    }
    /// Nothing was redeemed after all: the answer was no, or nothing was sent. What is kept is as it
    /// was. Or it was adopted, and what replaces it lies in the other tool's file, durably. Without
    /// this, [`Self::keep`] or [`Self::forget`] the mark stays, since the answer is lost.
    fn unchanged(&mut self);
    /// It is dead, or not worth keeping.
    fn forget(&mut self);
}

/// A kept session, from outside.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SessionFacts {
    /// When it was kept; `None` if that cannot be told.
    pub since: Option<Timestamp>,
    /// Whether the key that opens it lies in a file beside it.
    pub is_plain: bool,
}

/// A kept session.
#[derive(Clone, Debug)]
pub struct KeptSession {
    /// The provider's own text.
    pub secret: SecretString,
    /// Whether a process died between asking and keeping: this one may have been redeemed.
    pub interrupted: bool,
}

impl Sessions for Refusing {
    fn stamp(&self, _key: SessionKey) -> Option<i128> {
        None
    }
    fn open(&self, _key: SessionKey) -> Result<Box<dyn OpenSession + '_>> {
        Err(Error::failed("this host has no sessions"))
    }
}
