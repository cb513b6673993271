//! A person's SSO session: its token, renewed in time.
//!
//! The session is shared with `aws` and lies in its file. It is renewed under fleetkey's own
//! lock and written back before anything else can fail, as `aws` would: whoever comes next, of either
//! tool, finds it. `aws` locks nothing, so its file is read again before each decision, and what it
//! wrote meanwhile counts. A refresh token is sent once: one whose answer was lost is not sent again.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fleetkey_provider::{Error, Host, Lost, OpenSession, Result, SecretString, SessionKey, shown};
use jiff::{SignedDuration, Timestamp};

use super::{
    oidc::{Failure, Issued, Oidc},
    token_file::{TokenFile, Unrenewable},
};
use crate::{NAME, endpoints::Target, errors::Asker, region::Region};

/// With less left of a token it is renewed. The SDKs do so with 5 minutes left, and the AWS CLI with 15, by
/// every process that comes, which then race each other: who renews first, and alone, spares it that.
const LEFT: SignedDuration = SignedDuration::from_mins(16);
/// How long `aws` may take to write its file, and in how many steps it is waited for.
const WRITING: Duration = Duration::from_millis(50);
const LOOKS: usize = 4;
/// What a renewed file may be longer than the old one.
pub(super) const GROWTH: usize = 16 * 1024;

/// A person's SSO session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// What it is known by.
    pub(super) known: Known,
    /// Where it lies.
    pub(super) file: PathBuf,
    /// The folder of all of them, and of what they were signed in with.
    pub(super) folder: PathBuf,
    /// Where it is renewed, and signed in to; asked only then.
    pub(super) oidc: Result<Target>,
    pub(super) ca_bundle: Option<PathBuf>,
    /// Whether a person may be asked to sign in.
    pub(super) may_ask: bool,
    /// The stamp of the file when this run began.
    found: Option<i128>,
    /// The same as it was last read: of what did not do.
    seen: Arc<Mutex<Option<i128>>>,
}

/// What a session is known by; a profile or a name is there.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The profile it is wanted for; `None` if it was named by itself.
    pub(super) profile: Option<String>,
    /// Its name; `None` for settings of the older form.
    pub(super) name: Option<String>,
    /// Where people sign in.
    pub(super) start_url: String,
    /// Where the portal is.
    pub(super) region: Region,
    /// What a sign-in asks for, if the settings say so.
    pub(super) scopes: Option<Vec<String>>,
    /// The line with which a person signs in by hand.
    pub(super) sign_in_line: String,
}

/// What the portal is shown.
pub(crate) struct Token {
    pub(super) secret: SecretString,
    /// The stamp of the file it stands in, as it was before it was read; `None` if it stands in none.
    pub(super) stamp: Option<i128>,
}

/// The file as it was found when it was to be renewed.
struct Found<'a> {
    bytes: &'a [u8],
    file: &'a TokenFile,
    /// `None` where it changed while it was read.
    stamp: Option<i128>,
}

impl Session {
    /// The one that is known by this. `home` is where `~/.aws` is.
    pub(super) fn new(
        known: Known,
        home: &Path,
        oidc: Result<Target>,
        ca_bundle: Option<PathBuf>,
        host: &Host,
    ) -> Self {
        let folder = home.join(".aws").join("sso").join("cache");
        let name = known.name.as_ref().unwrap_or(&known.start_url);
        let file = host.files.real(&folder.join(file_name(name)));
        let found = host.files.stamp(&file);
        let seen = Arc::new(Mutex::new(found));
        Self { known, file, folder, oidc, ca_bundle, may_ask: true, found, seen }
    }

    /// The session is the file it lies in, whatever it is called by.
    pub(super) fn key(&self) -> SessionKey {
        SessionKey::new(NAME, &[("file", &self.file.to_string_lossy())])
    }

    /// Who is to sign in: the session as this run found it. Whatever tool somebody signs in with, who
    /// comes next finds another one, and is not told of what was declined before.
    pub(super) fn signer(&self) -> SessionKey {
        let Some(stamp) = self.found else { return self.key() };
        let fields = [("file", &*self.file.to_string_lossy()), ("stamp", &stamp.to_string())];
        SessionKey::new(NAME, &fields)
    }

    /// The same, with nobody who may be asked.
    pub(super) fn asking_nobody(self) -> Self {
        Self { may_ask: false, ..self }
    }

    /// Where it lies.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Changes when somebody signs in or out, or renews it. One `stat`.
    pub(super) fn stamp(&self, host: &Host) -> Option<i128> {
        host.files.stamp(&self.file)
    }

    /// Whether it is the session still that had that stamp: nobody signed in or out since. One that was
    /// renewed here is; of one that `aws` renewed nobody can say so.
    pub(super) fn is_still(&self, stamp: i128, host: &Host) -> bool {
        match self.stamp(host) {
            None => false,
            Some(now) if now == stamp => true,
            Some(_) => {
                let file = host.files.read(&self.file).ok().flatten();
                file.is_some_and(|bytes| host.sessions.is_heir(self.key(), &bytes, stamp))
            }
        }
    }

    /// The line with which a person signs in by hand.
    pub(super) fn sign_in_line(&self) -> &str {
        &self.known.sign_in_line
    }

    /// Who asks with it, and with the keys it brings.
    pub(super) fn asker(&self) -> Asker {
        let who = match &self.known.profile {
            Some(profile) => format!("profile `{}`", shown(profile)),
            None => format!("SSO session `{}`", shown(self.called())),
        };
        let sign_in = Some(self.sign_in_line().to_owned());
        Asker { who, profile: self.known.profile.clone(), sign_in }
    }

    /// Whether somebody signed in while this run was about something else.
    pub(super) fn is_new(&self, host: &Host) -> bool {
        let stamp = self.stamp(host);
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        stamp.is_some()
            && stamp != seen
            && self.read(host).is_ok_and(|(_, file)| !is_ending(&file, host.clock.now()))
    }

    /// A token that works, renewed if it has to be. Fails with
    /// [`Kind::SignInNeeded`](fleetkey_provider::Kind::SignInNeeded) if nobody is signed in.
    pub(super) async fn token(&self, host: &Host) -> Result<Token> {
        let mut is_renewed = false;
        loop {
            // before the file is read: what is written in between must not look familiar later
            let stamp = self.stamp(host);
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
            let (_, file) = self.read(host)?;
            let now = host.clock.now();
            let is_alive = file.expires > now;
            if !is_ending(&file, now) || (is_alive && is_renewed) {
                return Ok(Token { secret: file.token, stamp });
            }
            let why = match file.grant(now) {
                Ok(_) if is_renewed => return Err(self.ended(&file, "is over again")),
                Ok(_) if self.known.name.is_some() => match self.renew(host).await {
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
        let oidc = self.oidc(target, &asker);
        let mut open = host.sessions.open(self.key())?;
        let stamp = self.stamp(host);
        let (bytes, file) = self.read(host)?;
        // what was written between the two is somebody else's, perhaps
        let stamp = stamp.filter(|stamp| self.stamp(host) == Some(*stamp));
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
            Ok(issued) => {
                let found = Found { bytes: &bytes, file: &file, stamp };
                Ok(self.keep(&mut *open, &found, &issued, host))
            }
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
        found: &Found<'_>,
        issued: &Issued,
        host: &Host,
    ) -> Option<SecretString> {
        let theirs = host.files.read(&self.file);
        if theirs.is_ok_and(|theirs| theirs.as_deref() != Some(found.bytes)) {
            open.unchanged();
            host.notes.note("somebody signed in or out meanwhile: what was renewed is not kept");
            return None;
        }
        let renewed = found.file.renewed(issued);
        if let Some(stamp) = found.stamp {
            // before the file: who finds the new one is to know whose it is
            open.succeeded_by(stamp, &renewed);
        }
        match host.files.replace(&self.file, &renewed) {
            // whoever signs out first ends the session here, and then removes the file
            Ok(()) if open.is_ended() => {
                drop(host.files.remove(&self.file));
                host.notes.note("somebody signed out meanwhile: what was renewed is not kept");
                None
            }
            Ok(()) => {
                open.unchanged();
                host.notes.note(&format!("the SSO session is renewed until {}", issued.expires));
                None
            }
            Err(error) => {
                let line = format!(
                    "the renewed SSO session could not be kept ({error}): you will have to sign in"
                );
                host.notes.lost(Lost::Session, &line);
                Some(issued.access_token.as_str().into())
            }
        }
    }

    /// Where it is renewed and signed in to.
    pub(super) fn oidc<'a>(&'a self, target: &'a Target, asker: &'a Asker) -> Oidc<'a> {
        Oidc { target, ca_bundle: self.ca_bundle.clone(), asker, session: self.called() }
    }

    /// The file, and what stands in it.
    pub(super) fn read(&self, host: &Host) -> Result<(Vec<u8>, TokenFile)> {
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
    pub(super) fn called(&self) -> &str {
        self.known.name.as_ref().unwrap_or(&self.known.start_url)
    }

    /// The last sign-in is over; `why` goes behind "it".
    fn ended(&self, file: &TokenFile, why: &str) -> Error {
        self.needed(format!("the last sign-in ended at {}; it {why}", file.expires))
    }

    fn unrenewable(&self, why: Unrenewable) -> String {
        match (why, &self.known.name) {
            (_, None) => format!(
                "is not renewed, since profile `{}` names no `sso_session`",
                shown(self.known.profile.as_deref().unwrap_or_default())
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
