//! Whether somebody is signed in, and signing out: what `aws logout` does for one profile. AWS is told
//! nothing, by neither: the keys that are out end by themselves in minutes.

use fleetkey_provider::{Error, Host, Result, SessionState, SignedOut, Standing, shown};

use super::{session::Session, token_file::TokenFile};

impl Session {
    /// What a person would call it.
    pub(super) fn title(&self) -> String {
        format!("login session of {}", shown(&self.plan.arn))
    }

    /// How it stands, as its file says.
    pub(super) fn state(&self, host: &Host) -> SessionState {
        let out = |why: &str| SessionState::SignedOut(why.to_owned());
        let file = match host.files.read(&self.file) {
            Ok(Some(bytes)) => TokenFile::parse(&bytes),
            Ok(None) => return out("nobody is signed in"),
            Err(error) => return SessionState::SignedOut(error.message().to_owned()),
        };
        let Some(file) = file else { return out("its file is not as `aws` writes it") };
        let renews = file.grant().is_some();
        if file.expires <= host.clock.now() && !renews {
            return out("the last sign-in is over");
        }
        SessionState::SignedIn(Standing {
            until: Some(file.expires),
            renews,
            since: host.files.written(&self.file),
            keeper: Some("aws"),
            is_plain: false,
        })
    }

    /// Ends it here, for every tool.
    pub(super) fn sign_out(&self, host: &Host) -> Result<SignedOut> {
        let mut out = SignedOut::default();
        // while nobody renews it
        let mut open = match host.sessions.open_to_end(self.key()) {
            Ok(open) => Some(open),
            Err(error) => {
                host.notes.note(&format!("removing the session without a lock: {error}"));
                None
            }
        };
        let file = host.files.read(&self.file).ok().flatten();
        // first, so that one who hangs with it open sees it
        if let Some(open) = &mut open {
            open.forget();
        }
        let removed = host.files.remove(&self.file).map_err(|error| {
            let message = "the session of `aws login` could not be removed";
            Error::new(error.kind(), message).because(error.to_string())
        })?;
        if !removed {
            out.left.push(format!("{}: nobody was signed in", self.title()));
            return Ok(out);
        }
        let path = shown(&self.file.to_string_lossy());
        out.done.push(format!("removed `{path}`, which `aws` signs in with too"));
        let file = file.as_deref().and_then(TokenFile::parse);
        if let Some(file) = file.filter(|file| file.expires > host.clock.now()) {
            out.left.push(format!(
                "keys that were handed out already, which work until {}",
                file.expires
            ));
        }
        Ok(out)
    }
}
