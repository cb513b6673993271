//! Whether somebody is signed in, and signing out: for every tool that shares the session.
//!
//! What is done is what `aws sso logout` does for one session: the portal is told, and then what
//! `aws` keeps of roles that SSO lent and the token are removed. The token goes last: who is cut off before
//! that can sign out again.

use std::path::Path;

use fleetkey_provider::{Error, Host, Kind, Result, SessionState, SignedOut, Standing, shown};

use super::{
    portal::Portal,
    session::{Session, Token},
    token_file::TokenFile,
};
use crate::source::role_cache;

impl Session {
    /// What a person would call it.
    pub(super) fn title(&self) -> String {
        format!("SSO session `{}`", shown(self.called()))
    }

    /// How it stands, as its file says.
    pub(super) fn state(&self, host: &Host) -> SessionState {
        let out = |why: &str| SessionState::SignedOut(why.to_owned());
        let bytes = match host.files.read(&self.file) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return out("nobody is signed in"),
            Err(error) => return SessionState::SignedOut(error.message().to_owned()),
        };
        // it may be half written just now, which is no sign-out
        let file = TokenFile::parse(&bytes).or_else(|| Some(self.read(host).ok()?.1));
        let Some(file) = file else { return out("its file is not as `aws` writes it") };
        let now = host.clock.now();
        // settings of the older form are never renewed
        let may_renew = self.known.name.is_some() && file.grant(now).is_ok();
        // it is not sent again
        let is_lost = may_renew && host.sessions.is_spent(self.key(), &bytes);
        let renews = may_renew && !is_lost;
        if file.expires <= now && is_lost {
            return out("the last sign-in is over, and what came of its renewal is lost");
        }
        if file.expires <= now && !renews {
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

    /// Why it can be neither used nor signed in to: its file cannot be read.
    pub(super) fn flaw(&self, host: &Host) -> Option<Error> {
        host.files.read(&self.file).err()
    }

    /// Ends it: at the portal, and here.
    pub(super) async fn sign_out(&self, portal: &Portal, host: &Host) -> Result<SignedOut> {
        let mut out = SignedOut::default();
        if host.files.read(&self.file)?.is_none() {
            // what a sign-in that was killed left of its file, if one did
            self.remove(host)?;
            out.left.push(format!("{}: nobody was signed in", self.title()));
            return Ok(out);
        }
        match self.revoke(portal, host).await {
            Ok(true) => out.done.push(format!("{}: ended at the portal", self.title())),
            Ok(false) => out.done.push(format!("{}: was over at the portal already", self.title())),
            Err(error) => {
                out.left.push(format!("{}: the portal was not told ({error})", self.title()));
                out.failed = Some(error);
            }
        }
        // the session goes last: who is cut off before that can sign out again, and end all of it
        let roles = self.folder.ancestors().nth(2).map(|aws| role_cache::forget(aws, host));
        self.remove(host)?;
        let path = shown(&self.file.to_string_lossy());
        out.done.push(format!("removed `{path}`, which `aws` signs in with too"));
        match roles {
            Some(Ok(0)) | None => {}
            Some(Ok(number)) => {
                let what = if number == 1 { "role" } else { "roles" };
                out.done.push(format!("removed {number} {what} of SSO that `aws` had kept"));
            }
            Some(Err(error)) => {
                out.left.push(format!("what `aws` keeps of roles ({error})"));
                out.failed = out.failed.or(Some(error));
            }
        }
        Ok(out)
    }

    /// Tells the portal. Whether there was anything to end.
    async fn revoke(&self, portal: &Portal, host: &Host) -> Result<bool> {
        // one that is over is renewed first: what it stands on would live on. Else nobody is waited for
        if let Ok((_, file)) = self.read(host)
            && file.expires > host.clock.now()
        {
            let token = Token { secret: file.token, stamp: None };
            return portal.sign_out(&token, &self.asker(), host).await;
        }
        match self.token(host).await {
            Ok(token) => portal.sign_out(&token, &self.asker(), host).await,
            Err(error) if error.kind() == Kind::SignInNeeded => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes its file, while nobody renews it: whoever hangs at that is not waited for.
    fn remove(&self, host: &Host) -> Result<()> {
        let mut open = match host.sessions.open_to_end(self.key()) {
            Ok(open) => Some(open),
            Err(error) => {
                host.notes.note(&format!("removing the session without a lock: {error}"));
                None
            }
        };
        // first, so that one who hangs with it open sees it
        if let Some(open) = &mut open {
            open.forget();
        }
        remove(&self.file, host)
    }
}

fn remove(path: &Path, host: &Host) -> Result<()> {
    host.files.remove(path).map(drop).map_err(|error| {
        Error::new(error.kind(), "the SSO session could not be removed").because(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Files, Method, Request, SessionKey, testing::StaticFiles};

    use super::*;
    use crate::{
        NAME,
        testing::{CORP, World, now},
    };

    const FILE: &str = r#"{"accessToken":"old","expiresAt":"2026-01-02T08:00:00Z"}"#;
    const RENEWABLE: &str = r#"{"accessToken":"old","expiresAt":"2026-01-02T03:00:00Z",
        "refreshToken":"once","clientId":"client","clientSecret":"hunter2",
        "registrationExpiresAt":"2026-03-01T00:00:00Z"}"#;
    const CACHE: &str = "/home/.aws/cli/cache";

    fn dev(world: &World) -> Box<dyn Request> {
        world.ask("--profile dev").unwrap()
    }

    fn left(files: &dyn Files, path: &str) -> bool {
        files.read(Path::new(path)).unwrap().is_some()
    }

    #[test]
    fn the_file_says_how_a_session_stands() {
        let state = |text: &str| {
            let world = World::new().file(CORP, text);
            dev(&world).session_state(&world.host())
        };
        let SessionState::SignedIn(standing) = state(FILE) else { panic!("signed out") };
        assert_eq!(standing.until, "2026-01-02T08:00:00Z".parse().ok());
        assert_eq!((standing.renews, standing.keeper), (false, Some("aws")));
        let SessionState::SignedIn(standing) = state(RENEWABLE) else { panic!("signed out") };
        assert!(standing.renews);
        // a process died with the answer to it
        let world = World::new().file(CORP, RENEWABLE);
        let (host, request) = (world.host(), dev(&world));
        let mut open = host.sessions.open(SessionKey::new(NAME, &[("file", CORP)])).unwrap();
        assert!(!open.adopt(RENEWABLE.as_bytes()).unwrap());
        open.redeeming().unwrap();
        drop(open);
        let lost = "the last sign-in is over, and what came of its renewal is lost";
        assert_eq!(request.session_state(&host), SessionState::SignedOut(lost.into()));
        let over = RENEWABLE.replace("once", "");
        for text in [over.as_str(), "{"] {
            assert!(matches!(state(text), SessionState::SignedOut(_)), "{text}");
        }
        let world = World::new();
        let why = SessionState::SignedOut("nobody is signed in".into());
        assert_eq!(dev(&world).session_state(&world.host()), why);
        // a role stands on its source, and says nothing of its own
        let role = world.ask("--profile over-sso").unwrap();
        assert_eq!(role.session_state(&world.host()), SessionState::None);
        assert_eq!(role.signer(), "SSO session `corp`");
    }

    #[test]
    fn the_portal_is_told_and_what_aws_shares_is_removed() {
        let role = r#"{"ProviderType":"sso","Credentials":{}}"#;
        let assumed = r#"{"Credentials":{}}"#;
        let world = World::new()
            .file(CORP, FILE)
            .file(&format!("{CACHE}/a.json"), role)
            .file(&format!("{CACHE}/b.json"), assumed)
            .file(&format!("{CACHE}/c.json"), "{");
        world.http.answer(200, &[], "");
        let host = world.host();
        let out = now(dev(&world).sign_out(&host)).unwrap();
        assert!(out.failed.is_none() && out.left.is_empty(), "{out:?}");
        assert_eq!(out.done[0], "SSO session `corp`: ended at the portal");
        assert_eq!(out.done[2], "removed 1 role of SSO that `aws` had kept");
        let sent = &world.http.requests()[0];
        assert_eq!(sent.method, Method::Post);
        let at = "https://portal.sso.eu-central-1.amazonaws.com/logout";
        assert_eq!(sent.endpoint.as_str(), at);
        assert_eq!(sent.headers, [("x-amz-sso_bearer_token".into(), "old".into())]);
        assert!(!left(&*host.files, CORP) && !left(&*host.files, &format!("{CACHE}/a.json")));
        assert!(left(&*host.files, &format!("{CACHE}/b.json")));
        assert!(left(&*host.files, &format!("{CACHE}/c.json")));
        // once is enough
        let again = now(dev(&world).sign_out(&host)).unwrap();
        assert!(again.done.is_empty() && again.failed.is_none(), "{again:?}");
        assert_eq!(world.http.requests().len(), 1);
    }

    #[test]
    fn a_portal_that_cannot_be_told_keeps_nothing_here() {
        for (status, is_failure) in [(401, false), (503, true)] {
            let world = World::new().file(CORP, FILE);
            world.http.answer(status, &[], "{}");
            let host = world.host();
            let out = now(dev(&world).sign_out(&host)).unwrap();
            assert_eq!(out.failed.is_some(), is_failure, "{out:?}");
            assert!(!left(&*host.files, CORP));
        }
        assert!(!left(&StaticFiles::default(), CORP));
    }

    #[test]
    fn a_session_that_would_be_renewed_is_so_first() {
        let world = World::new().file(CORP, RENEWABLE);
        world.http.answer(200, &[], r#"{"accessToken":"new","expiresIn":3600}"#);
        world.http.answer(200, &[], "");
        let host = world.host();
        now(dev(&world).sign_out(&host)).unwrap();
        let sent = &world.http.requests()[1];
        assert_eq!(sent.headers, [("x-amz-sso_bearer_token".into(), "new".into())]);
        assert!(!left(&*host.files, CORP));
    }
}
