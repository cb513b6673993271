//! What Entra says when it says no, in words a person can act on.
//!
//! Microsoft warns that codes may change, so what must be right (who has to act, whether a session is
//! dead) holds without them: `error` and `suberror` decide where a code is unknown, and the codes of
//! the table refine. The cause is Entra's own first sentence, and always the correlation id, which is
//! what an administrator searches the sign-in log for.

mod asker;
mod body;
mod meaning;
mod table;

use fleetkey_provider::{Error, HttpResponse, Kind, quoted, shown};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use self::table::{Next, Row, Who};
pub(crate) use self::{asker::Asker, body::Said, meaning::is_transient};
use crate::{
    authority::is_guid,
    claims,
    entra::Client,
    server_id::{AKS_CLIENT, ServerId},
};

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
        let row = Row::of(said);
        if row.next == Next::Clock
            && let Some(error) = self.clock(said, now)
        {
            return error;
        }
        let kind = match row.who {
            Who::Is(kind) => kind,
            Who::Person if self.asker.is_person() => Kind::SignInNeeded,
            Who::Person => Kind::Refused,
        };
        let mut error = Error::new(kind, (row.message)(self, said)).because(self.cause(said));
        if let Some(line) = self.next(row.next) {
            error = error.next(line);
        }
        // whoever signs in does so with something else, and so may at once
        if row.once && kind != Kind::SignInNeeded { error.once() } else { error }
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

    /// What is no GUID is no correlation id: a server could have put anything in its place.
    fn cause(&self, said: &Said) -> String {
        let id = said.correlation.as_deref().filter(|id| is_guid(id)).unwrap_or(self.request_id);
        format!("{} (correlation id {id})", said.sentence(&self.secrets))
    }

    fn next(&self, next: Next) -> Option<String> {
        let Self { client, server, asker, .. } = self;
        let (id, resource) = (quoted(&client.id), quoted(server.resource()));
        let origin = client.authority.endpoint.origin();
        Some(match next {
            Next::Nothing | Next::Clock => return None,
            Next::SignIn => return asker.sign_in(client, server),
            Next::Browser => return asker.in_a_browser(client, server),
            Next::Consent => format!("az ad app permission admin-consent --id {id}"),
            Next::AksClient => {
                let aks = Client { id: AKS_CLIENT.into(), ..(*client).clone() };
                return asker.in_a_browser(&aks, server);
            }
            Next::ShowClient => format!("az ad sp show --id {id}"),
            Next::ShowServer => format!("az ad sp show --id {resource}"),
            Next::ShowTenant => {
                let path = format!(
                    "{origin}/{}/v2.0/.well-known/openid-configuration",
                    client.authority.tenant
                );
                format!("curl -sS {}", quoted(&path))
            }
            Next::ResetSecret => format!("az ad app credential reset --id {id}"),
            Next::ShowCertificates => format!("az ad app credential list --id {id} --cert"),
            Next::ShowFederated => format!("az ad app federated-credential list --id {id}"),
            Next::AllowPeople => {
                format!("az ad app update --id {id} --is-fallback-public-client true")
            }
            Next::ShowRedirects => {
                format!("az ad app show --id {id} --query publicClient.redirectUris")
            }
            Next::Probe => self.probe(),
        })
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

    fn probe(&self) -> String {
        let url = format!("{}/", self.client.authority.endpoint.origin());
        format!(r"curl -sS -o /dev/null -w '%{{http_code}}\n' {}", quoted(&url))
    }

    /// A name for whoever asks.
    pub(super) fn who(&self) -> String {
        self.asker.who(self.client)
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
