//! A person's SSO session: its token, renewed in time.
//!
//! The session belongs to `aws sso login` and lies in its file. It is renewed under fleetkey's own
//! lock and written back before anything else can fail, as `aws` would: whoever comes next, of either
//! tool, finds it. `aws` locks nothing, so its file is read again before each decision, and what it
//! wrote meanwhile counts. A refresh token is sent once: one whose answer was lost is not sent again.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fleetkey_provider::{
    Error, Host, OpenSession, Result, SecretString, SessionKey, quoted, shown,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    oidc::{Failure, Issued, Oidc},
    token_file::{TokenFile, Unrenewable},
};
use crate::{
    NAME,
    endpoints::Target,
    errors::Asker,
    shell::{files_prefix, profile_flag},
};

/// With less left of a token it is renewed, as by the SDKs. The AWS CLI does so with 15 minutes left:
/// where both are at work it comes first, and the two seldom meet.
const LEFT: SignedDuration = SignedDuration::from_mins(5);
/// How long `aws` may take to write its file, and in how many steps it is waited for.
const WRITING: Duration = Duration::from_millis(50);
const LOOKS: usize = 4;
/// What a renewed file may be longer than the old one.
const GROWTH: usize = 16 * 1024;

/// A person's SSO session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The profile it is wanted for; `None` if it was named by itself.
    profile: Option<String>,
    /// Its name; `None` for settings of the older form.
    name: Option<String>,
    start_url: String,
    file: PathBuf,
    /// What goes before the line to sign in with.
    prefix: String,
    /// Where it is renewed; asked only then.
    oidc: Result<Target>,
    ca_bundle: Option<PathBuf>,
}

/// What the portal is shown.
pub(crate) struct Token {
    pub(super) secret: SecretString,
    /// The stamp of the file it stands in, as it was before it was read; `None` if it stands in none.
    pub(super) stamp: Option<i128>,
}

impl Session {
    /// That of this profile, name and start URL; one of the first two is there. `home` is where
    /// `~/.aws` is.
    pub(super) fn new(
        (profile, name, start_url): (Option<&str>, Option<&str>, &str),
        home: &Path,
        oidc: Result<Target>,
        ca_bundle: Option<PathBuf>,
        host: &Host,
    ) -> Self {
        let file =
            home.join(".aws").join("sso").join("cache").join(file_name(name.unwrap_or(start_url)));
        Self {
            profile: profile.map(str::to_owned),
            name: name.map(str::to_owned),
            start_url: start_url.to_owned(),
            file: host.files.real(&file),
            prefix: files_prefix(host),
            oidc,
            ca_bundle,
        }
    }

    /// The session is the file it lies in, whatever it is called by.
    pub(super) fn key(&self) -> SessionKey {
        SessionKey::new(NAME, &[("file", &self.file.to_string_lossy())])
    }

    /// Where it lies.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Changes when somebody signs in or out, or renews it. One `stat`.
    pub(super) fn stamp(&self, host: &Host) -> Option<i128> {
        host.files.stamp(&self.file)
    }

    /// The line with which a person signs in.
    pub(super) fn sign_in_line(&self) -> String {
        let of = match &self.name {
            Some(name) => format!(" --sso-session {}", quoted(name)),
            None => profile_flag(self.profile.as_deref()),
        };
        format!("{}aws sso login{of}", self.prefix)
    }

    /// Who asks with it, and with the keys it brings.
    pub(super) fn asker(&self) -> Asker {
        let who = match &self.profile {
            Some(profile) => format!("profile `{}`", shown(profile)),
            None => format!("SSO session `{}`", shown(self.called())),
        };
        Asker { who, profile: self.profile.clone(), sign_in: Some(self.sign_in_line()) }
    }

    /// A token that works, renewed if it has to be. Fails with
    /// [`Kind::SignInNeeded`](fleetkey_provider::Kind::SignInNeeded) if nobody is signed in.
    pub(super) async fn token(&self, host: &Host) -> Result<Token> {
        let mut is_renewed = false;
        loop {
            // before the file is read: what is written in between must not look familiar later
            let stamp = self.stamp(host);
            let (_, file) = self.read(host)?;
            let now = host.clock.now();
            let is_alive = file.expires > now;
            if !is_ending(&file, now) || (is_alive && is_renewed) {
                return Ok(Token { secret: file.token, stamp });
            }
            let why = match file.grant(now) {
                Ok(_) if is_renewed => return Err(self.ended(&file, "is over again")),
                Ok(_) if self.name.is_some() => match self.renew(host).await {
                    Ok(None) => {
                        is_renewed = true;
                        continue;
                    }
                    Ok(Some(secret)) => return Ok(Token { secret, stamp: None }),
                    Err(error) => error,
                },
                Ok(_) => self.ended(&file, &self.unrenewable(Unrenewable::NoGrant)),
                Err(why) => self.ended(&file, &self.unrenewable(why)),
            };
            if !is_alive {
                return Err(why);
            }
            host.notes.note(&format!("the token works until {}; not renewed: {why}", file.expires));
            return Ok(Token { secret: file.token, stamp });
        }
    }

    /// Renews what lies in the file, while no other fleetkey can. `None` if it is worth reading again;
    /// a token if one came that could not be written there.
    async fn renew(&self, host: &Host) -> Result<Option<SecretString>> {
        // what may fail comes before the session is open
        let target = self.oidc.as_ref().map_err(Clone::clone)?;
        let asker = self.asker();
        let oidc = Oidc { target, ca_bundle: self.ca_bundle.clone(), asker: &asker };
        let mut open = host.sessions.open(self.key())?;
        let (bytes, file) = self.read(host)?;
        let now = host.clock.now();
        if !is_ending(&file, now) {
            host.notes.note("somebody else renewed the SSO session");
            return Ok(None);
        }
        let grant = file.grant(now).map_err(|why| self.ended(&file, &self.unrenewable(why)))?;
        if open.adopt(&bytes)? {
            let why = "was to be renewed before, and what came of that is lost";
            return Err(self.ended(&file, why));
        }
        host.files.rehearse(&self.file, bytes.len() + GROWTH).map_err(|error| unmarked(&error))?;
        open.redeeming().map_err(|error| unmarked(&error))?;
        match oidc.redeem(&grant, host).await {
            Ok(issued) => Ok(self.keep(&mut *open, (&bytes, &file), &issued, host)),
            Err(Failure::Unused(error)) => {
                open.unchanged();
                Err(error)
            }
            // the mark stays: it is of no use to send it once more
            Err(Failure::Dead(error)) => match host.files.read(&self.file)? {
                Some(theirs) if theirs != bytes => {
                    open.unchanged();
                    host.notes.note("somebody else renewed the SSO session meanwhile");
                    Ok(None)
                }
                _ => Err(error),
            },
            Err(Failure::Lost(error)) => Err(error),
        }
    }

    /// Writes down what was issued, before anything else. Whatever somebody else wrote meanwhile is
    /// newer: they signed in, or out.
    fn keep(
        &self,
        open: &mut dyn OpenSession,
        (bytes, file): (&[u8], &TokenFile),
        issued: &Issued,
        host: &Host,
    ) -> Option<SecretString> {
        let theirs = host.files.read(&self.file);
        if theirs.is_ok_and(|theirs| theirs.as_deref() != Some(bytes)) {
            open.unchanged();
            host.notes.note("somebody signed in or out meanwhile: what was renewed is not kept");
            return None;
        }
        match host.files.replace(&self.file, &file.renewed(issued)) {
            Ok(()) => {
                open.unchanged();
                host.notes.note(&format!("the SSO session is renewed until {}", issued.expires));
                None
            }
            Err(error) => {
                host.notes.warn(&format!(
                    "the renewed SSO session could not be kept ({error}): you will have to sign in"
                ));
                Some(issued.access_token.as_str().into())
            }
        }
    }

    /// The file, and what stands in it.
    fn read(&self, host: &Host) -> Result<(Vec<u8>, TokenFile)> {
        let path = shown(&self.file.to_string_lossy());
        for look in 1..=LOOKS {
            let Some(bytes) = host.files.read(&self.file)? else {
                return Err(self.needed(format!("there is no `{path}`")));
            };
            if let Some(file) = TokenFile::parse(&bytes) {
                return Ok((bytes, file));
            }
            if look < LOOKS {
                // some versions of `aws` write it in place: it may be half written just now
                host.clock.pause(WRITING);
            }
        }
        Err(self.needed(format!("`{path}` is not as `aws sso login` writes it")))
    }

    fn needed(&self, cause: String) -> Error {
        Error::sign_in_needed(format!("nobody is signed in to SSO `{}`", shown(self.called())))
            .because(cause)
            .next(self.sign_in_line())
    }

    /// What people call it by.
    fn called(&self) -> &str {
        self.name.as_ref().unwrap_or(&self.start_url)
    }

    /// The last sign-in is over; `why` goes behind "it".
    fn ended(&self, file: &TokenFile, why: &str) -> Error {
        self.needed(format!("the last sign-in ended at {}; it {why}", file.expires))
    }

    fn unrenewable(&self, why: Unrenewable) -> String {
        match (why, &self.name) {
            (_, None) => format!(
                "is not renewed, since profile `{}` names no `sso_session`",
                shown(self.profile.as_deref().unwrap_or_default())
            ),
            (Unrenewable::NoGrant, Some(name)) => format!(
                "brought nothing to renew it with; `sso_registration_scopes = sso:account:access` in \
                 `[sso-session {}]` makes it so",
                shown(name)
            ),
            (Unrenewable::Registration(end), Some(_)) => {
                format!("could be renewed until {end} only")
            }
        }
    }
}

fn is_ending(file: &TokenFile, now: Timestamp) -> bool {
    file.expires.duration_since(now) < LEFT
}

/// What cannot be replaced is not redeemed.
fn unmarked(error: &Error) -> Error {
    let told =
        Error::new(error.kind(), "the SSO session is not renewed, since it could not be kept")
            .because(error.to_string());
    match error.next_line() {
        Some(next) => told.next(next),
        None => told.next("df -h ~/.aws ~/.local/state"),
    }
}

/// The name the CLI gives the token file of a session, or of a start URL where there is none.
fn file_name(session: &str) -> String {
    format!("{}.json", sha1_smol::Sha1::from(session).digest())
}

#[cfg(test)]
mod tests;
