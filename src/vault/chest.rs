//! A place where a key can lie, and what every such place has in common: it may be absent, locked,
//! or silent.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use fleetkey_provider::{Error, Host, Result, quoted};

use super::{choice, key::Key};

/// How long a place may take to answer. One that asks a person looks just like one that hangs.
const LONGEST_ANSWER: Duration = Duration::from_secs(3);

/// Somewhere one key can lie.
pub(super) trait Chest: Send + Sync {
    /// Which it is.
    fn kind(&self) -> Kind;
    /// The key in it, if there is one.
    fn read(&self) -> Result<Option<Key>, Closed>;
    /// Puts a key in, in place of one that is there.
    fn write(&self, key: &Key) -> Result<(), Closed>;
}

/// The kinds of places, the best first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// The desktop's: GNOME Keyring, `KWallet`, `KeePassXC` (freedesktop.org's Secret Service API).
    SecretService,
    /// Of macOS.
    Keychain,
    /// Of Windows.
    CredentialManager,
    /// Of the Linux kernel (keyrings(7)): in memory, gone when the machine starts anew.
    KernelKeyring,
    /// A file that only its owner may read.
    File,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::SecretService,
        Self::Keychain,
        Self::CredentialManager,
        Self::KernelKeyring,
        Self::File,
    ];

    /// As it is written into files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SecretService => "secret-service",
            Self::Keychain => "keychain",
            Self::CredentialManager => "credential-manager",
            Self::KernelKeyring => "kernel-keyring",
            Self::File => "file",
        }
    }

    /// The one of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// As a person would say it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::SecretService => "the secret service",
            Self::Keychain => "the keychain",
            Self::CredentialManager => "the credential manager",
            Self::KernelKeyring => "the kernel's keyring",
            Self::File => "the file `vault.key`",
        }
    }
}

/// Why a place gave nothing.
#[derive(Debug)]
pub(super) enum Closed {
    /// There is no such place here.
    Absent(String),
    /// It is there and does not open, or does not answer. Another must not be taken in silence.
    Locked(String),
}

impl Closed {
    /// As an error that says what to do.
    pub(super) fn error(self, kind: Kind, host: &Host) -> Error {
        let (Self::Absent(why) | Self::Locked(why)) = self;
        let next = match kind {
            Kind::Keychain => "security unlock-keychain".to_owned(),
            Kind::File => match crate::folders::state(host) {
                Some(folder) => {
                    format!("chmod 600 {}", quoted(&folder.join(super::KEY_FILE).to_string_lossy()))
                }
                None => "export HOME=~".to_owned(),
            },
            // a new key, in a file: whoever types it decides so
            _ => match super::chosen(host) {
                Ok((_, from)) => choice::another_line(from),
                Err(error) => return error,
            },
        };
        Error::unavailable(format!(
            "{}, where the key of kept sessions lies, is closed",
            kind.title()
        ))
        .because(why)
        .next(next)
    }
}

/// Asks a place, for no longer than a person would wait.
pub(super) fn ask<T: Send + 'static>(
    chest: &Arc<dyn Chest>,
    work: impl FnOnce(&dyn Chest) -> Result<T, Closed> + Send + 'static,
) -> Result<T, Closed> {
    ask_within(LONGEST_ANSWER, chest, work)
}

fn ask_within<T: Send + 'static>(
    limit: Duration,
    chest: &Arc<dyn Chest>,
    work: impl FnOnce(&dyn Chest) -> Result<T, Closed> + Send + 'static,
) -> Result<T, Closed> {
    let (out, answer) = mpsc::sync_channel(1);
    let chest = Arc::clone(chest);
    let started = thread::Builder::new().spawn(move || {
        // nobody may be waiting any more
        drop(out.send(work(&*chest)));
    });
    if let Err(error) = started {
        return Err(Closed::Locked(error.to_string()));
    }
    answer.recv_timeout(limit).unwrap_or_else(|_| {
        Err(Closed::Locked(format!("it gave no answer within {} s", LONGEST_ANSWER.as_secs())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Silent;

    impl Chest for Silent {
        fn kind(&self) -> Kind {
            Kind::File
        }
        fn read(&self) -> Result<Option<Key>, Closed> {
            loop {
                thread::park();
            }
        }
        fn write(&self, _key: &Key) -> Result<(), Closed> {
            panic!("nobody writes here")
        }
    }

    #[test]
    fn a_silent_place_is_given_up_and_counts_as_locked() {
        let chest: Arc<dyn Chest> = Arc::new(Silent);
        let end = ask_within(Duration::from_millis(1), &chest, |chest| chest.read());
        assert!(matches!(end, Err(Closed::Locked(_))));
    }

    #[test]
    fn names_come_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
        }
        assert_eq!(Kind::parse("File"), None);
    }
}
