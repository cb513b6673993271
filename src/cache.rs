//! Kept credentials: one private file each, named by its key.
//!
//! An entry is a line with a checksum and a line of JSON, so that a half-written, flipped or foreign
//! file is told from a good one before anything in it is believed. Whatever is wrong with an entry,
//! it is a miss and never an error: the cloud can be asked again.
//!
//! It names the sessions that it was lent from, so that whoever signs out of one leaves nothing behind
//! that was lent to another question. Nothing is looked up by that when it is used.

use std::borrow::Cow;

use fleetkey_provider::{
    Credential, ExposeSecret, Fingerprint, Lost, Notes, Request, SecretString, SessionKey,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::host::Store;

const MAGIC: &str = "fleetkey-credential 1 ";
const CREDENTIAL: &str = ".credential";

/// The credentials kept in one folder.
pub(crate) struct Cache<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) notes: &'a dyn Notes,
}

#[derive(Deserialize, Serialize)]
struct Entry<'a> {
    key: &'a str,
    identity: &'a str,
    issued: Timestamp,
    expires: Timestamp,
    /// The fingerprints of the sessions it was lent from, with a space between two.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    sessions: Option<Cow<'a, str>>,
    #[serde(borrow)]
    secret: Cow<'a, str>,
}

impl Cache<'_> {
    /// The kept credential of that key, whatever its age.
    pub(crate) fn read(&self, key: Fingerprint) -> Option<Credential> {
        let miss = |why: &str| {
            self.notes.note(&format!("the kept credential {key} is not used: {why}"));
            None
        };
        match self.store.read(&file(key)) {
            Ok(None) => None,
            Err(why) => miss(&why),
            Ok(Some(bytes)) => parse(&bytes, key).or_else(|| miss("it is damaged")),
        }
    }

    /// Keeps a credential. One without an end is not kept: nobody would ever know it was dead.
    pub(crate) fn keep(&self, request: &dyn Request, credential: &Credential) {
        let Some(expires) = credential.expires() else { return };
        let key = request.fingerprint();
        let entry = Entry {
            key: &key.to_string(),
            identity: &request.describe(),
            issued: credential.issued(),
            expires,
            sessions: lent_from(request).map(Cow::Owned),
            secret: credential.expose().into(),
        };
        let kept = match serde_json::to_string(&entry) {
            Ok(body) => {
                let text = SecretString::from(format!(
                    "{MAGIC}{}\n{body}\n",
                    Fingerprint::of(body.as_bytes())
                ));
                self.store.replace(&file(key), text.expose_secret().as_bytes())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = kept {
            let line = format!("what was lent could not be kept: {why}");
            self.notes.lost(Lost::Credential, &line);
        }
    }

    /// Forgets the credential of that key. Whether there was one; an error is why it is still there.
    pub(crate) fn forget(&self, key: Fingerprint) -> Result<bool, String> {
        self.store.remove(&file(key))
    }

    /// Forgets everything that was lent from one of these sessions. How many credentials there were.
    pub(crate) fn forget_lent(&self, sessions: &[SessionKey]) -> Result<usize, String> {
        let sessions: Vec<String> =
            sessions.iter().map(|session| session.fingerprint().to_string()).collect();
        self.forget_if(|name| {
            let bytes = self.store.read(name).ok().flatten();
            let entry = bytes.as_deref().and_then(|bytes| entry(bytes)?.sessions);
            entry.is_some_and(|from| from.split(' ').any(|one| sessions.iter().any(|s| s == one)))
        })
    }

    /// Forgets everything, whosever it was. How many credentials there were.
    pub(crate) fn forget_all(&self) -> Result<usize, String> {
        self.forget_if(|_| true)
    }

    /// Whole ones are counted, and what killed writers left goes uncounted.
    fn forget_if(&self, is_meant: impl Fn(&str) -> bool) -> Result<usize, String> {
        let (mut forgotten, mut left) = (0, None);
        for name in self.store.list()?.iter().filter(|name| is_ours(name)) {
            if !is_meant(name) {
                continue;
            }
            match self.store.remove(name) {
                Ok(was_there) => {
                    forgotten += usize::from(was_there && name.ends_with(CREDENTIAL));
                }
                Err(why) => left = left.or(Some(why)),
            }
        }
        left.map_or(Ok(forgotten), Err)
    }
}

/// The sessions that a request stands on, each once; `None` if nobody signs in for it.
fn lent_from(request: &dyn Request) -> Option<String> {
    let chain = std::iter::successors(Some(request), |step| step.source());
    let mut sessions: Vec<String> = Vec::new();
    for session in chain.filter_map(Request::lent_from) {
        let session = session.fingerprint().to_string();
        if !sessions.contains(&session) {
            sessions.push(session);
        }
    }
    (!sessions.is_empty()).then(|| sessions.join(" "))
}

/// The file of that key.
fn file(key: Fingerprint) -> String {
    format!("{key}{CREDENTIAL}")
}

/// Whether that is the name of a credential's file, or of what a killed writer left of one.
fn is_ours(name: &str) -> bool {
    let name =
        name.strip_suffix(".tmp").and_then(|name| name.rsplit_once('.')).map_or(name, |n| n.0);
    let key = name.strip_suffix(CREDENTIAL);
    key.is_some_and(|key| key.len() == 64 && key.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

fn parse(bytes: &[u8], key: Fingerprint) -> Option<Credential> {
    let Entry { key: kept_key, identity: _, issued, expires, sessions: _, secret } = entry(bytes)?;
    (kept_key == key.to_string())
        .then(|| Credential::until(secret.into_owned().into(), issued, expires))
}

/// A whole entry, of whatever key.
fn entry(bytes: &[u8]) -> Option<Entry<'_>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (sum, body) = text.strip_prefix(MAGIC)?.split_once('\n')?;
    let body = body.strip_suffix('\n')?;
    if sum != Fingerprint::of(body.as_bytes()).to_string() {
        return None;
    }
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests;
