//! What Entra says when it says no, in words a person can act on.
//!
//! Microsoft warns that codes may change, so what must be right (who has to act, whether a session is
//! dead) is decided by `suberror` and `error` where they say it, and a code of the table lends its
//! words if it agrees; where they leave it open (`invalid_grant`) the code decides. The cause is
//! Entra's own first sentence, and the correlation id, which is what an administrator searches the
//! sign-in log for; or, if Entra named none, the id that was sent along.

mod asker;
mod body;
mod meaning;
mod next;
mod row;
mod table;

use base64::{Engine, prelude::BASE64_STANDARD};
use fleetkey_provider::{Error, HttpResponse, Kind, shown};
use jiff::{SignedDuration, Timestamp};
use url::Url;

pub(crate) use self::{asker::Asker, body::Said, meaning::is_transient};
use self::{next::Next, row::Row};
use crate::{certificate, claims, entra::Client, server_id::ServerId};

/// A request that failed.
pub(crate) struct Call<'a> {
    /// Which application asked, and where.
    pub(crate) client: &'a Client,
    /// For which server.
    pub(crate) server: &'a ServerId,
    /// On whose behalf.
    pub(crate) asker: &'a Asker,
    /// What was sent in place of a secret, if anything was.
    pub(crate) assertion: Option<&'a str>,
    /// What must not be shown even if the server repeats it.
    pub(crate) secrets: Vec<&'a str>,
    /// The id that was sent along; Entra takes it for its correlation id.
    pub(crate) request_id: &'a str,
}

impl Call<'_> {
    /// The error that this refusal is.
    pub(crate) fn refused(&self, said: &Said, now: Timestamp) -> Error {
        let is_person = self.asker.is_person();
        let row = Row::of(said, is_person);
        if row.next == Next::Clock
            && let Some(error) = self.clock(said, now)
        {
            return error;
        }
        let kind = row.who.kind(is_person);
        let mut cause = self.cause(said);
        if let Some(advice) = (row.advice)(self) {
            cause += "; ";
            cause += &advice;
        }
        let error = Error::new(kind, (row.message)(self, said))
            .because(cause)
            .next(self.next(row.next, said.id().unwrap_or(self.request_id)));
        // whoever signs in does so with something else, and so may at once
        if row.is_once(said) && kind != Kind::SignInNeeded { error.once() } else { error }
    }

    /// The error of an answer that is not what Entra says.
    pub(crate) fn not_understood(&self, answer: &HttpResponse) -> Error {
        let origin = self.client.authority.endpoint.origin();
        let (message, cause) = match answer.status {
            300..400 => {
                let to = answer
                    .header("location")
                    .and_then(|location| Url::parse(location).ok())
                    .and_then(|url| url.host_str().map(shown))
                    .unwrap_or_else(|| "nowhere that could be read".into());
                (
                    "Entra pointed elsewhere, and was not followed",
                    format!("{origin} redirected to {to}"),
                )
            }
            status @ (429 | 500..) => ("Entra is not well", format!("{origin} answered {status}")),
            status => {
                let body = if answer.body.is_empty() { "nothing" } else { "no JSON of Entra's" };
                let cause = format!(
                    "status {status} and {body} from {origin}; \
                     a proxy, or the sign-in page of a network, may have answered"
                );
                ("Entra's answer was not understood", cause)
            }
        };
        Error::unavailable(message)
            .because(format!("{cause} (request id {})", self.request_id))
            .next(self.probe())
    }

    fn cause(&self, said: &Said) -> String {
        let sentence = said.sentence(&self.secrets);
        match said.id() {
            Some(id) => format!("{sentence} (correlation id {id})"),
            None => format!("{sentence} (request id {})", self.request_id),
        }
    }

    /// The error of a clock that is wrong, if it is: by more than Entra forgives.
    fn clock(&self, said: &Said, now: Timestamp) -> Option<Error> {
        let ahead = now.duration_since(said.date?);
        if ahead.abs() < FORGIVEN {
            return None;
        }
        let way = if ahead.is_negative() { "behind" } else { "ahead of" };
        let cause = format!("it is {} {way} Entra's; {}", span(ahead.abs()), self.cause(said));
        Some(Error::failed("the clock of this machine is wrong").because(cause).next("date -u"))
    }

    /// A name for whoever asks.
    pub(super) fn who(&self) -> String {
        self.asker.who(self.client)
    }

    /// The thumbprint of the certificate that signed what was sent, as the portal shows it.
    pub(super) fn thumbprint(&self) -> Option<String> {
        thumbprint(self.assertion?)
    }

    /// What the assertion says of itself: issuer, subject and audience, which no secret is in.
    pub(super) fn assertion_is(&self) -> Option<String> {
        let payload = claims::payload(self.assertion?)?;
        let text = |name: &str| payload.get(name)?.as_str().map(shown);
        let audience =
            text("aud").or_else(|| Some(shown(payload.get("aud")?.get(0)?.as_str()?)))?;
        Some(format!(
            "issuer `{}`, subject `{}`, audience `{audience}`",
            text("iss")?,
            text("sub")?
        ))
    }
}

/// The thumbprint of the certificate whose key signed an assertion; `None` if it carries none.
fn thumbprint(assertion: &str) -> Option<String> {
    let header = claims::header(assertion)?;
    let leaf = BASE64_STANDARD.decode(header.get("x5c")?.get(0)?.as_str()?).ok()?;
    Some(certificate::thumbprint(&leaf))
}

fn span(duration: SignedDuration) -> String {
    match duration.as_secs() {
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// What Entra lets clocks differ.
const FORGIVEN: SignedDuration = SignedDuration::from_mins(5);

#[cfg(test)]
mod tests;
