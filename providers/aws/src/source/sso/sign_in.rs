//! A person signs in: on a page in their browser, or with a code that they type.
//!
//! What comes of it lies in the file that the AWS CLI would have written, so every tool that knows
//! sessions shares it. It is written as a whole, while nobody renews what was there before.

use fleetkey_provider::{Error, Host, Means, Result, SignIn, shown};

use super::{
    device_code, page,
    registration::Flow,
    session::{GROWTH, Session},
    token_file::TokenFile,
};

impl Session {
    /// How a person is asked, if those are the means. A code is shown to whoever can see it: it is the
    /// one way to sign in that somebody else can start, so a page that has it filled in is never opened
    /// for anybody. Settings of the older form have no other.
    pub(super) fn how(&self, means: Means) -> Option<SignIn> {
        match means {
            _ if !self.may_ask => None,
            Means { browser: true, .. } if self.known.name.is_some() => Some(SignIn::Browser),
            Means { terminal: true, .. } => Some(SignIn::Terminal),
            _ => None,
        }
    }

    /// Has a person sign in, and keeps the session.
    pub(super) async fn sign_in(&self, how: SignIn, host: &Host) -> Result<()> {
        if self.is_new(host) {
            host.notes.note("somebody signed in meanwhile");
            return Ok(());
        }
        // what may fail comes before anybody is asked
        let target = self.oidc.as_ref().map_err(Clone::clone)?;
        host.files.rehearse(&self.file, GROWTH).map_err(|error| not_kept(&error))?;
        let asker = self.asker();
        let oidc = self.oidc(target, &asker);
        let flow = match (how, &self.known.name) {
            (SignIn::Browser, Some(_)) => Flow::Page,
            _ => Flow::Code,
        };
        let (with, issued) = match flow {
            Flow::Page => page::sign_in(self, &oidc, host).await?,
            Flow::Code => device_code::sign_in(self, &oidc, host).await?,
        };
        self.put(&TokenFile::signed_in(&self.known, &with, &issued), host)?;
        host.notes.note(&format!("signed in to SSO until {}", issued.expires));
        Ok(())
    }

    /// Writes it down. Whoever renews the session that was there is let finish first; what a person
    /// just did is kept in any case.
    fn put(&self, bytes: &[u8], host: &Host) -> Result<()> {
        let mut open = match host.sessions.open(self.key()) {
            Ok(open) => Some(open),
            Err(error) => {
                host.notes.note(&format!("writing the session without a lock: {error}"));
                None
            }
        };
        if let Some(Err(error)) = open.as_mut().map(|open| open.redeeming()) {
            host.notes.note(&format!("nothing holds signals back: {error}"));
        }
        let written = host.files.replace(&self.file, bytes);
        if let Some(open) = &mut open {
            open.unchanged();
        }
        written.map_err(|error| not_kept(&error))
    }

    /// The session as a person is told of it.
    pub(super) fn told(&self) -> String {
        let start_url = shown(&self.known.start_url);
        match (&self.known.name, &self.known.profile) {
            (Some(name), _) => format!("SSO session `{}` ({start_url})", shown(name)),
            (None, profile) => {
                let profile = shown(profile.as_deref().unwrap_or_default());
                format!("SSO of profile `{profile}` ({start_url})")
            }
        }
    }
}

/// A session that could not be kept would have to be signed in to again at once.
fn not_kept(error: &Error) -> Error {
    let told =
        Error::new(error.kind(), "a sign-in to SSO could not be kept").because(error.to_string());
    match error.next_line() {
        Some(next) => told.next(next),
        None => told.next("df -h ~/.aws"),
    }
}

#[cfg(test)]
mod tests;
