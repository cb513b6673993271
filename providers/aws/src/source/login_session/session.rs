//! A person's session of `aws login`: its keys, renewed in time.
//!
//! As with SSO, the session is shared with `aws` and lies in its file. It is renewed under fleetkey's own
//! lock and written back before anything else can fail. `aws` locks nothing, so its file is read again
//! before each decision, and what it wrote meanwhile counts. A refresh token is sent once: one whose
//! answer was lost is not sent again.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fleetkey_provider::{Error, Fingerprint, Host, Lost, OpenSession, Result, SessionKey, shown};
use jiff::{SignedDuration, Timestamp};

use super::{
    oauth::{Failure, Issued, OAuth},
    token_file::TokenFile,
};
use crate::{
    NAME,
    endpoints::{Service, Target, in_region},
    errors::Asker,
    keys::Keys,
    own_host::own_host,
    plan,
    region::Region,
    sts_host::Mode,
};

/// With less left of the keys they are renewed, as by all of AWS's tools.
const LEFT: SignedDuration = SignedDuration::from_mins(5);
/// How long `aws` may take to write its file, and in how many steps it is waited for.
const WRITING: Duration = Duration::from_millis(50);
const LOOKS: usize = 4;
/// What a renewed file may be longer than the old one.
pub(super) const GROWTH: usize = 16 * 1024;

/// A person's session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) plan: plan::LoginSession,
    /// The line with which a person signs in by hand.
    pub(super) sign_in_line: String,
    /// Where it lies.
    pub(super) file: PathBuf,
    /// Where it is signed in to; asked only then.
    pub(super) target: Result<Target>,
    /// Which kind of host is wanted, where it turns out to be of another region.
    mode: Mode,
    pub(super) ca_bundle: Option<PathBuf>,
    /// Whether a person may be asked to sign in.
    pub(super) may_ask: bool,
    /// The stamp of the file when this run began.
    found: Option<i128>,
    /// The same as it was last read: of what did not do.
    seen: Arc<Mutex<Option<i128>>>,
}

impl Session {
    /// The one of these settings, in that folder.
    pub(super) fn new(
        plan: plan::LoginSession,
        sign_in_line: String,
        folder: &Path,
        (target, mode): (Result<Target>, Mode),
        ca_bundle: Option<PathBuf>,
        host: &Host,
    ) -> Self {
        let name = format!("{}.json", Fingerprint::of(plan.arn.as_bytes()));
        let file = host.files.real(&folder.join(name));
        let found = host.files.stamp(&file);
        let seen = Arc::new(Mutex::new(found));
        Self { plan, sign_in_line, file, target, mode, ca_bundle, may_ask: true, found, seen }
    }

    /// The session is the file it lies in, whatever it is called by.
    pub(super) fn key(&self) -> SessionKey {
        SessionKey::new(NAME, &[("login file", &self.file.to_string_lossy())])
    }

    /// Who is to sign in: the session as this run found it. Whatever tool somebody signs in with, who
    /// comes next finds another one, and is not told of what was declined before.
    pub(super) fn signer(&self) -> SessionKey {
        let Some(stamp) = self.found else { return self.key() };
        let fields = [("login file", &*self.file.to_string_lossy()), ("stamp", &stamp.to_string())];
        SessionKey::new(NAME, &fields)
    }

    /// The same, with nobody who may be asked.
    pub(super) fn asking_nobody(self) -> Self {
        Self { may_ask: false, ..self }
    }

    /// Changes when somebody signs in or out, or renews it. One `stat`.
    pub(super) fn stamp(&self, host: &Host) -> Option<i128> {
        host.files.stamp(&self.file)
    }

    /// The profile that names it, for a person.
    pub(super) fn profile(&self) -> String {
        shown(&self.plan.profile)
    }

    /// Who asks with it, and with its keys.
    pub(super) fn asker(&self) -> Asker {
        Asker {
            who: format!("profile `{}`", self.profile()),
            profile: Some(self.plan.profile.clone()),
            sign_in: Some(self.sign_in_line.clone()),
        }
    }

    /// Whether somebody signed in while this run was about something else.
    pub(super) fn is_new(&self, host: &Host) -> bool {
        let stamp = self.stamp(host);
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        stamp.is_some() && stamp != seen && self.at_hand(host).is_some()
    }

    /// The keys as they stand in the file, if they are fresh: one read.
    pub(super) fn at_hand(&self, host: &Host) -> Option<Keys> {
        let file = TokenFile::parse(&host.files.read(&self.file).ok()??)?;
        (!is_ending(&file, host.clock.now())).then_some(file.keys)
    }

    /// Keys that work, renewed if they have to be. Fails with
    /// [`Kind::SignInNeeded`](fleetkey_provider::Kind::SignInNeeded) if nobody is signed in.
    pub(super) async fn keys(&self, host: &Host) -> Result<Keys> {
        let mut is_renewed = false;
        loop {
            // before the file is read: what is written in between must not look familiar later
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = self.stamp(host);
            let (_, file) = self.read(host)?;
            let now = host.clock.now();
            let is_alive = file.expires > now;
            if !is_ending(&file, now) || (is_alive && is_renewed) {
                return Ok(file.keys);
            }
            let why = if is_renewed {
                self.ended(&file, "are over again")
            } else {
                match self.renew(host).await {
                    Ok(None) => {
                        is_renewed = true;
                        continue;
                    }
                    Ok(Some(keys)) => return Ok(keys),
                    Err(error) => error,
                }
            };
            if !is_alive {
                return Err(why);
            }
            host.notes.note(&format!("the keys work until {}; not renewed: {why}", file.expires));
            return Ok(file.keys);
        }
    }

    /// Renews what lies in the file, while no other fleetkey can. `None` if it is worth reading again;
    /// keys if some came that could not be written there.
    async fn renew(&self, host: &Host) -> Result<Option<Keys>> {
        let mut open = host.sessions.open(self.key())?;
        let (bytes, file) = self.read(host)?;
        if !is_ending(&file, host.clock.now()) {
            host.notes.note("somebody else renewed the session of `aws login`");
            return Ok(None);
        }
        let Some(grant) = file.grant() else {
            return Err(self.ended(&file, "came with nothing to renew them with"));
        };
        let target = self.target_of(&file, host)?;
        let asker = self.asker();
        let oauth = self.oauth(&target, &asker);
        let renewal = oauth.renewal(&grant, host)?;
        if open.adopt(&bytes)? {
            let why = "were to be renewed before, and what came of that is lost";
            return Err(self.ended(&file, why));
        }
        host.files.rehearse(&self.file, bytes.len() + GROWTH).map_err(|error| unmarked(&error))?;
        open.redeeming().map_err(|error| unmarked(&error))?;
        match oauth.redeem(&renewal, &grant, host).await {
            Ok(issued) => Ok(self.keep(&mut *open, (&bytes, &file), issued, host)),
            Err(Failure::Unused(error)) => {
                open.unchanged();
                Err(error)
            }
            // the mark stays: it is of no use to send it once more
            Err(Failure::Dead(error)) => match host.files.read(&self.file)? {
                Some(theirs) if theirs != bytes => {
                    open.unchanged();
                    host.notes.note("somebody else renewed the session of `aws login` meanwhile");
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
        issued: Issued,
        host: &Host,
    ) -> Option<Keys> {
        let theirs = host.files.read(&self.file);
        if theirs.is_ok_and(|theirs| theirs.as_deref() != Some(bytes)) {
            open.unchanged();
            host.notes.note("somebody signed in or out meanwhile: what was renewed is not kept");
            return None;
        }
        match host.files.replace(&self.file, &file.renewed(&issued)) {
            // whoever signs out first ends the session here, and then removes the file
            Ok(()) if open.is_ended() => {
                drop(host.files.remove(&self.file));
                host.notes.note("somebody signed out meanwhile: what was renewed is not kept");
                None
            }
            Ok(()) => {
                open.unchanged();
                host.notes.note(&format!("the session is renewed until {}", issued.expires));
                None
            }
            Err(error) => {
                let line = format!(
                    "the renewed session of `aws login` could not be kept ({error}): you will have to \
                     sign in"
                );
                host.notes.lost(Lost::Session, &line);
                let Issued { keys, expires, .. } = issued;
                Some(Keys { account: file.keys.account.clone(), expires: Some(expires), ..keys })
            }
        }
    }

    /// Where it is renewed: where it was issued, since no other region knows of it. An endpoint that
    /// somebody configured is that of all regions.
    fn target_of(&self, file: &TokenFile, host: &Host) -> Result<Target> {
        let target = self.target.clone()?;
        let issuer = file.issuer().filter(|issuer| target.is_default && own_host(issuer));
        let region = issuer.as_deref().and_then(|issuer| issuer.split_once('.'));
        let Some((region, _)) = region else { return Ok(target) };
        let from = "the session's `idToken`";
        match Region::parse(region, from) {
            Ok(region) => in_region(Service::SignIn, &region, from, self.mode, host),
            Err(_) => Ok(target),
        }
    }

    /// What is asked there.
    pub(super) fn oauth<'a>(&'a self, target: &'a Target, asker: &'a Asker) -> OAuth<'a> {
        OAuth { target, ca_bundle: self.ca_bundle.clone(), asker }
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
        Err(self.needed(format!("`{path}` is not as `aws login` writes it")))
    }

    fn needed(&self, cause: String) -> Error {
        Error::sign_in_needed(format!("nobody is signed in as {}", shown(&self.plan.arn)))
            .because(cause)
            .next(&self.sign_in_line)
    }

    /// The keys are over; `why` goes behind "they".
    fn ended(&self, file: &TokenFile, why: &str) -> Error {
        self.needed(format!("the keys of the last sign-in ended at {}; they {why}", file.expires))
    }
}

fn is_ending(file: &TokenFile, now: Timestamp) -> bool {
    file.expires.duration_since(now) < LEFT
}

/// What cannot be replaced is not redeemed.
fn unmarked(error: &Error) -> Error {
    let told = Error::new(
        error.kind(),
        "the session of `aws login` is not renewed, since it could not be kept",
    )
    .because(error.to_string());
    match error.next_line() {
        Some(next) => told.next(next),
        None => told.next("df -h ~/.aws ~/.local/state"),
    }
}
