//! How the session of an identity stands, and what it was to end one: facts for tables and for people.

use jiff::Timestamp;

use crate::Error;

/// How the session that is a request's own stands, as far as it can be told without asking anybody.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum SessionState {
    /// It has none of its own: a machine's identity, keys, or a role, which stands on its source's.
    #[default]
    None,
    /// Nobody is signed in, or it is over and cannot be renewed; why, in a few words.
    SignedOut(String),
    /// Somebody is.
    SignedIn(Standing),
}

/// A session that is there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// Until when it serves as it is; `None` if that is not known here.
    pub until: Option<Timestamp>,
    /// Whether it is renewed after that without anybody being asked.
    pub renews: bool,
    /// When it was last kept, if that is known.
    pub since: Option<Timestamp>,
    /// The program whose file it lies in, if that is not ours.
    pub keeper: Option<&'static str>,
    /// Whether nothing but the permissions of files protects it, where it is ours to protect.
    pub is_plain: bool,
}

/// What came of ending a session, for a person to read: lines without a full stop.
#[derive(Clone, Debug, Default)]
pub struct SignedOut {
    /// What was ended or removed.
    pub done: Vec<String>,
    /// What was not, and whose it is.
    pub left: Vec<String>,
    /// What should have been done and failed; everything else was done all the same.
    pub failed: Option<Error>,
}

impl SignedOut {
    /// With what another step came to.
    pub fn extend(&mut self, other: Self) {
        let Self { done, left, failed } = other;
        self.done.extend(done);
        self.left.extend(left);
        self.failed = self.failed.take().or(failed);
    }
}
