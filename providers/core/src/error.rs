//! What went wrong, in three lines: what happened, why, and what to type next.
//!
//! A [`Kind`] exists only where somebody acts differently: a script on the exit code, the broker on
//! [`Kind::SignInNeeded`]. Nothing of a cloud's raw answer and no secret belongs in an error.

use std::fmt;

/// The one result of this workspace.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who has to act on an error. Decides the exit code, which is all that most clients show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Something failed that none of the others names. Exit 1.
    Failed,
    /// The command line, the environment or a file has to change. Exit 2.
    Config,
    /// A person has to sign in, and could not be asked here. Exit 3.
    SignInNeeded,
    /// The cloud understood and said no: policy, permission, a wrong secret. Exit 4.
    Refused,
    /// The network or the cloud did not answer as it should; later may work. Exit 5.
    Unavailable,
}

/// An error for a person: message, cause, next action.
#[derive(Clone, Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    cause: Option<String>,
    next: Option<String>,
    once: bool,
    unsent: bool,
}

impl Error {
    /// An error of that kind; `message` is one lower-case line without a full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None, next: None, once: false, unsent: false }
    }

    /// [`Kind::Failed`].
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// [`Kind::Config`].
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, message)
    }

    /// [`Kind::SignInNeeded`].
    pub fn sign_in_needed(message: impl Into<String>) -> Self {
        Self::new(Kind::SignInNeeded, message)
    }

    /// [`Kind::Refused`].
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// [`Kind::Unavailable`].
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    /// Why it happened, in one line.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What to type next: a line that can be pasted into a shell as it stands.
    #[must_use]
    pub fn next(mut self, line: impl Into<String>) -> Self {
        self.next = Some(line.into());
        self
    }

    /// [`Error::next`], unless something closer to the cause already said it.
    #[must_use]
    pub fn or_next(mut self, line: impl FnOnce() -> String) -> Self {
        self.next.get_or_insert_with(line);
        self
    }

    /// Asking the same again would do harm, such as locking an account: clients run a failing plugin
    /// up to five times for one command. The host remembers the answer for a while.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Whether asking the same again would do harm.
    pub fn is_once(&self) -> bool {
        self.once
    }

    /// The request reached nobody, so nothing that it carries was used up.
    #[must_use]
    pub fn unsent(mut self) -> Self {
        self.unsent = true;
        self
    }

    /// Whether the request surely reached nobody.
    pub fn is_unsent(&self) -> bool {
        self.unsent
    }

    /// Who has to act.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Why, if known.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// What to type next, if anything helps.
    pub fn next_line(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_closest_to_the_cause_is_kept() {
        let error = Error::config("a").next("first").or_next(|| "second".into());
        assert_eq!(error.next_line(), Some("first"));
        assert_eq!(Error::config("a").or_next(|| "second".into()).next_line(), Some("second"));
    }
}
