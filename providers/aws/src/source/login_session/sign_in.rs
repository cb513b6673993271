//! A person signs in: in their browser, or on any device with a code that they type here.
//!
//! What comes of it lies in the file that the AWS CLI would have written. Who signs in is chosen on the
//! page, and has to be who the profile names: nothing is kept of anybody else.

use fleetkey_provider::{Error, Host, Means, Result, SignIn, shown};

use super::{
    dpop::Key,
    oauth::{Issued, OAuth},
    page,
    session::{GROWTH, Session},
    token_file::{TokenFile, With},
    typed,
};
use crate::jwt::Jwt;

impl Session {
    /// How a person is asked, if those are the means.
    pub(super) fn how(&self, means: Means) -> Option<SignIn> {
        match means {
            _ if !self.may_ask => None,
            Means { browser: true, .. } => Some(SignIn::Browser),
            Means { terminal: true, keyboard: true, .. } => Some(SignIn::Terminal),
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
        let target = self.target.as_ref().map_err(Clone::clone)?;
        host.files.rehearse(&self.file, GROWTH).map_err(|error| not_kept(&error))?;
        let asker = self.asker();
        let oauth = self.oauth(target, &asker);
        let key = Key::generate()?;
        let pem = key.to_pem()?;

        let is_typed = match how {
            SignIn::Terminal => true,
            SignIn::Browser => host.person.wants_code() && host.person.means().keyboard,
        };
        let brought = if is_typed {
            typed::ask(self, &oauth, host)?
        } else {
            page::visit(self, &oauth, host).await?
        };
        let code = brought.redeemed();
        let issued = oauth.issue(&code, &key, host).await?;
        let id_token = self.is_meant(&issued, &oauth)?;
        let with = With { plan: &self.plan, client_id: code.client_id, key: &pem };
        self.put(&TokenFile::signed_in(&with, &issued, id_token), host)?;
        host.notes.note(&format!("signed in to AWS; the first keys end at {}", issued.expires));
        Ok(())
    }

    /// The token that says who signed in, if that is who the profile names. It came from AWS itself, so
    /// its signature proves nothing more.
    fn is_meant<'a>(&self, issued: &'a Issued, oauth: &OAuth<'_>) -> Result<&'a str> {
        let token = issued.id_token.as_deref();
        let jwt = token.and_then(Jwt::of);
        let who = jwt.as_ref().and_then(|jwt| jwt.claims.get("sub")?.as_str());
        let (Some(token), Some(who)) = (token, who) else {
            let call = oauth.call("sign in", &[]);
            return Err(call.not_understood("nothing that says who signed in"));
        };
        let meant = &self.plan.arn;
        if who == meant {
            return Ok(token);
        }
        let error = Error::sign_in_needed(format!(
            "{} signed in, and profile `{}` is that of {}",
            shown(who),
            self.profile(),
            shown(meant)
        ));
        Err(error
            .because("who signs in is picked on the page; nothing was kept")
            .next(&self.sign_in_line))
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

    /// Who is to sign in, as a person is told of it.
    pub(super) fn told(&self) -> String {
        format!("{} (profile `{}`)", shown(&self.plan.arn), self.profile())
    }
}

/// A session that could not be kept would have to be signed in to again at once.
fn not_kept(error: &Error) -> Error {
    let told =
        Error::new(error.kind(), "a sign-in to AWS could not be kept").because(error.to_string());
    match error.next_line() {
        Some(next) => told.next(next),
        None => told.next("df -h ~/.aws"),
    }
}

#[cfg(test)]
mod tests;
