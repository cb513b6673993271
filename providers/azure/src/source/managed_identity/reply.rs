//! What the services of a machine answer, and what it means to a person when it is no token.

use fleetkey_provider::{Error, Host, HttpRequest, HttpResponse, Result, quoted, shown};
use serde_json::{Map, Value};

use super::Identity;
use crate::{server_id::ServerId, source::Granted};

/// A question to a service.
pub(super) struct Call<'a> {
    /// As a person knows it.
    pub(super) service: &'static str,
    /// Which identity was asked for.
    pub(super) identity: &'a Identity,
    /// For which server.
    pub(super) server: &'a ServerId,
    /// What silence means.
    pub(super) tone: Tone,
}

/// Whether the service has to be there.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Tone {
    /// A variable says that it is.
    Announced,
    /// Nothing does: where it is silent, this is another machine.
    MayBeAbsent,
}

impl Call<'_> {
    /// Asks, and reads the token.
    pub(super) async fn send(&self, request: &HttpRequest, host: &Host) -> Result<Granted> {
        match host.http.send(request).await {
            Ok(answer) => self.granted(&answer),
            Err(error) => Err(self.silent(&error)),
        }
    }

    /// The token of an answer. When it ends is read from the token: `expires_in` and `expires_on`
    /// are numbers, strings, empty or absent, from service to service.
    pub(super) fn granted(&self, answer: &HttpResponse) -> Result<Granted> {
        if answer.status != 200 {
            return Err(self.refused(answer));
        }
        let body: Option<Map<String, Value>> = serde_json::from_slice(&answer.body).ok();
        let token = body.as_ref().and_then(|body| body.get("access_token")?.as_str());
        match token.filter(|token| !token.is_empty()) {
            Some(token) => Ok(Granted { access_token: token.into() }),
            None => Err(self.not_understood("it has no access token")),
        }
    }

    /// The error of a service that did not answer.
    pub(super) fn silent(&self, error: &Error) -> Error {
        match self.tone {
            Tone::MayBeAbsent => absent(&error.to_string()),
            Tone::Announced => Error::unavailable(format!("{} did not answer", self.service))
                .because(error.to_string()),
        }
    }

    /// The error that this answer is.
    pub(super) fn refused(&self, answer: &HttpResponse) -> Error {
        let service = self.service;
        let said = said(answer);
        let words = said.as_deref().map_or_else(|| format!("status {}", answer.status), shown);
        let has = |part: &str| said.as_deref().is_some_and(|said| said.contains(part));
        match answer.status {
            403 | 404 | 410 if self.tone == Tone::MayBeAbsent => absent(&words),
            429 | 500.. => Error::unavailable(format!("{service} is not well and lent no token"))
                .because(words),
            400 if has("Multiple user assigned identities") => {
                Error::config("this machine has several identities, and none was chosen")
                    .because("name one with `--client-id` or `--identity-resource-id`")
                    .next(LIST)
            }
            400 if has("dentity not found") || has("Managed Identity") => self.unknown(&words),
            400 if has("invalid_resource") || has("was not found in the tenant") => {
                Error::config(format!("no server is called `{}`", shown(self.server.resource())))
                    .because(words)
                    .next(format!("az ad sp show --id {}", quoted(self.server.resource())))
            }
            400..500 => Error::refused(format!("{service} lent no token")).because(words),
            _ => self.not_understood(&words),
        }
    }

    /// An answer that is not what this service says.
    pub(super) fn not_understood(&self, what: &str) -> Error {
        Error::unavailable(format!("{}'s answer was not understood", self.service)).because(what)
    }

    fn unknown(&self, words: &str) -> Error {
        let (message, next) = match self.identity {
            Identity::System => {
                ("this machine has no identity of its own".to_owned(), LIST.to_owned())
            }
            Identity::Resource(id) => (
                format!("this machine was not given the identity `{}`", shown(id)),
                format!("az identity show --ids {}", quoted(id)),
            ),
            Identity::Client(id) | Identity::Object(id) => {
                (format!("this machine was not given the identity `{}`", shown(id)), LIST.into())
            }
        };
        Error::refused(message).because(words).next(next)
    }
}

/// Shows every identity there is, with the id that the flag takes.
const LIST: &str = "az identity list --query '[].[name, clientId]' --output tsv";

/// Shows which machine of Azure this is, if it is one.
const INSTANCE: &str = "curl -sS --noproxy '*' --max-time 2 -H Metadata:true \
    'http://169.254.169.254/metadata/instance?api-version=2021-02-01'";

fn absent(cause: &str) -> Error {
    Error::unavailable("this machine has no managed identity endpoint")
        .because(cause)
        .next(INSTANCE)
}

/// What went wrong, in the service's words: of OAuth, of App Service, or of Cloud Shell. Its code
/// comes first.
fn said(answer: &HttpResponse) -> Option<String> {
    let body: Map<String, Value> = serde_json::from_slice(&answer.body).ok()?;
    let inner = body.get("error").and_then(Value::as_object);
    let text = |map: &Map<String, Value>, name: &str| Some(map.get(name)?.as_str()?.to_owned());
    let code = text(&body, "error").or_else(|| text(inner?, "code"));
    let words = text(&body, "error_description")
        .or_else(|| text(&body, "message"))
        .or_else(|| text(&body, "Message"))
        .or_else(|| text(inner?, "message"));
    let parts: Vec<_> = [code, words].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}
