//! STS, as far as a credential needs it: four calls of its query protocol.
//!
//! A form goes out, a small XML document comes back. Only `AssumeRoleWithWebIdentity` goes unsigned,
//! since the token in it is the proof.

use std::path::PathBuf;

use fleetkey_provider::{
    CredentialKey, Endpoint, Error, ExposeSecret, Host, HttpRequest, HttpResponse, Method, Result,
    Retry,
};
use jiff::Timestamp;
use url::form_urlencoded;

use crate::{
    arguments::ACCOUNT_ID,
    clock::Offset,
    errors::{Asker, Call, LATER, Said, may_be_about_the_clock},
    keys::{Keys, end_of_lent},
    own_host::own_host,
    region::Region,
    signature::{Signable, sign_with},
    sts_host::{Mode, sts_host},
    xml,
};

/// STS, where it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Sts {
    /// Where it is.
    pub(crate) endpoint: Endpoint,
    /// Whether that is where AWS says it is.
    pub(crate) is_default: bool,
    /// The region requests are signed for.
    pub(crate) signing_region: String,
    /// The only authorities to believe, if not the system's.
    pub(crate) ca_bundle: Option<PathBuf>,
}

/// A request to STS: what it asks, and the words for the error if it is refused.
pub(crate) struct Question<'a> {
    /// What the API calls it.
    pub(crate) action: &'static str,
    /// Its parameters.
    pub(crate) parameters: Vec<(&'static str, &'a str)>,
    /// What is wanted, to go behind "did not let me".
    pub(crate) task: &'a str,
    /// Who wants it.
    pub(crate) asker: &'a Asker,
    /// Whose keys sign it; `None` if the question itself carries the proof.
    pub(crate) keys: Option<&'a Keys>,
}

impl Sts {
    /// The same in another region, unless somebody configured where it is.
    pub(crate) fn in_region(&self, region: &Region, mode: Mode, host: &Host) -> Result<Self> {
        let endpoint = if self.is_default {
            Endpoint::known(&sts_host(region, mode)?.name, OF_MACHINE, own_host, host)?
        } else {
            self.endpoint.clone()
        };
        Ok(Self { endpoint, signing_region: region.concrete().to_owned(), ..self.clone() })
    }

    /// What of this could change a credential: not the region, since STS is the same everywhere.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { endpoint, is_default, signing_region: _, ca_bundle } = self;
        key.maybe("sts endpoint", (!is_default).then(|| endpoint.as_str()));
        key.maybe("ca bundle", ca_bundle.as_ref().map(|path| path.to_string_lossy()).as_deref());
    }

    /// The keys that a role is lent as.
    pub(crate) async fn lent(&self, question: &Question<'_>, host: &Host) -> Result<Keys> {
        let (answer, offset) = self.ask(question, host).await?;
        self.keys(question, &answer, offset, host)
    }

    /// The same; `None` if whoever asks may not, though nothing is wrong with their code.
    pub(crate) async fn lent_if_allowed(
        &self,
        question: &Question<'_>,
        host: &Host,
    ) -> Result<Option<Keys>> {
        let (answer, offset) = self.answered(question, host).await?;
        if answer.status == 200 {
            return self.keys(question, &answer, offset, host).map(Some);
        }
        match xml::said(&answer, ERROR) {
            Some(said) if said.is_denied() && !said.is_wrong_code() => {
                let who = &question.asker.who;
                host.notes.note(&format!("STS did not let {who} {}", question.task));
                Ok(None)
            }
            said => Err(self.refused(question, &answer, said, host)),
        }
    }

    fn keys(
        &self,
        question: &Question<'_>,
        answer: &HttpResponse,
        offset: Offset,
        host: &Host,
    ) -> Result<Keys> {
        let response = format!("{}Response", question.action);
        let result = format!("{}Result", question.action);
        let at = |path: &[&str]| {
            let path: Vec<&str> = [&*response, &*result].iter().chain(path).copied().collect();
            xml::text(&answer.body, &path)
        };
        let credentials = |name| {
            at(&["Credentials", name])
                .ok_or_else(|| self.not_understood(question, &format!("no `{name}`")))
        };
        let expires: Timestamp = credentials("Expiration")?
            .parse()
            .map_err(|_| self.not_understood(question, "an `Expiration` that is no time"))?;
        let keys = Keys::checked(
            credentials("AccessKeyId")?,
            credentials("SecretAccessKey")?,
            Some(credentials("SessionToken")?),
        )
        .map_err(|flaw| self.not_understood(question, &flaw.to_string()))?;
        let arn = at(&["AssumedRoleUser", "Arn"]).unwrap_or_default();
        let is_account = |id: &&str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
        let account = arn.split(':').nth(4).filter(is_account).map(str::to_owned);
        let expires = Some(end_of_lent(expires, "STS", offset, host));
        Ok(Keys { account, expires, offset, ..keys })
    }

    /// The unique id of whoever signs, `AROA…:session` for a role's session.
    pub(crate) async fn user_id(&self, keys: &Keys, asker: &Asker, host: &Host) -> Result<String> {
        let question = Question {
            action: "GetCallerIdentity",
            parameters: Vec::new(),
            task: "learn its own name",
            asker,
            keys: Some(keys),
        };
        let (answer, _) = self.ask(&question, host).await?;
        let path = ["GetCallerIdentityResponse", "GetCallerIdentityResult", "UserId"];
        xml::text(&answer.body, &path).ok_or_else(|| self.not_understood(&question, "no `UserId`"))
    }

    /// The account of whoever signs.
    pub(crate) async fn account(&self, keys: &Keys, asker: &Asker, host: &Host) -> Result<String> {
        let question = Question {
            action: "GetCallerIdentity",
            parameters: Vec::new(),
            task: "learn its own account",
            asker,
            keys: Some(keys),
        };
        let (answer, _) = self.ask(&question, host).await?;
        let path = ["GetCallerIdentityResponse", "GetCallerIdentityResult", "Account"];
        xml::text(&answer.body, &path)
            .filter(|account| ACCOUNT_ID.check("an account", account).is_ok())
            .ok_or_else(|| self.not_understood(&question, "no `Account`"))
    }

    async fn ask(&self, question: &Question<'_>, host: &Host) -> Result<(HttpResponse, Offset)> {
        let (answer, offset) = self.answered(question, host).await?;
        if answer.status == 200 {
            return Ok((answer, offset));
        }
        Err(self.refused(question, &answer, xml::said(&answer, ERROR), host))
    }

    /// Asks, and once more for the time there if the signature was refused and the clock here is
    /// wrong. With the answer, which may be a refusal, comes how wrong it is.
    async fn answered(
        &self,
        question: &Question<'_>,
        host: &Host,
    ) -> Result<(HttpResponse, Offset)> {
        let known = question.keys.map_or_else(Offset::default, |keys| keys.offset);
        let (mut answer, mut offset) = self.send(question, known, host).await?;
        if question.keys.is_some() && offset.is_far_from(known) && is_about_the_clock(&answer) {
            host.notes.note("STS refused the signature: signed again, for the time there");
            (answer, offset) = self.send(question, offset, host).await?;
        }
        Ok((answer, offset))
    }

    fn refused(
        &self,
        question: &Question<'_>,
        answer: &HttpResponse,
        said: Option<Said>,
        host: &Host,
    ) -> Error {
        self.call(question, &question.secrets()).error(answer, said, host.clock.now())
    }

    async fn send(
        &self,
        question: &Question<'_>,
        known: Offset,
        host: &Host,
    ) -> Result<(HttpResponse, Offset)> {
        let now = host.clock.now();
        let answer = host.http.send(&self.request(question, known.there(now))?).await?;
        let offset = known.learn(now, &answer, ("STS", &self.endpoint), host)?;
        Ok((answer, offset))
    }

    fn request(&self, question: &Question<'_>, now: Timestamp) -> Result<HttpRequest> {
        let endpoint = self.endpoint.at("/", &[]);
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", question.action)
            .append_pair("Version", VERSION)
            .extend_pairs(&question.parameters)
            .finish();
        let mut headers = vec![("content-type".to_owned(), FORM.to_owned())];
        if let Some(keys) = question.keys {
            let signable = Signable {
                service: "sts",
                region: &self.signing_region,
                method: Method::Post,
                endpoint: &endpoint,
                headers: &headers,
                body: body.as_bytes(),
            };
            headers.extend(sign_with(keys, &signable, now)?);
        }
        Ok(HttpRequest {
            method: Method::Post,
            endpoint,
            headers,
            body: body.into_bytes(),
            ca_bundle: self.ca_bundle.clone(),
            retry: match question.code() {
                // good once: a second try would hear that it is wrong
                Some(_) => Retry::Never,
                None => Retry::Safe(is_throttled),
            },
        })
    }

    fn call<'a>(&'a self, question: &Question<'a>, secrets: &'a [&'a str]) -> Call<'a> {
        Call {
            service: "STS",
            endpoint: &self.endpoint,
            task: question.task,
            asker: question.asker,
            secrets,
        }
    }

    fn not_understood(&self, question: &Question<'_>, what: &str) -> Error {
        self.call(question, &[]).not_understood(what)
    }
}

impl<'a> Question<'a> {
    /// What a server must not make us print.
    fn secrets(&self) -> Vec<&'a str> {
        let token = self.parameters.iter().find(|(name, _)| *name == "WebIdentityToken");
        let given = token.map(|(_, value)| *value).into_iter().chain(self.code());
        let keys = self.keys.into_iter().flat_map(|keys| {
            [Some(&keys.secret_access_key), keys.session_token.as_ref()].into_iter().flatten()
        });
        keys.map(ExposeSecret::expose_secret).chain(given).collect()
    }

    /// The code of a second factor.
    fn code(&self) -> Option<&'a str> {
        self.parameters.iter().find(|(name, _)| *name == "TokenCode").map(|(_, code)| *code)
    }
}

/// STS asks to come again with status 400, as if the request had been wrong.
fn is_throttled(answer: &HttpResponse) -> bool {
    answer.status == 400
        && xml::said(answer, ERROR).is_some_and(|said| LATER.contains(&said.code.as_str()))
}

fn is_about_the_clock(answer: &HttpResponse) -> bool {
    (400..500).contains(&answer.status)
        && xml::said(answer, ERROR).is_some_and(|said| may_be_about_the_clock(&said.code))
}

const OF_MACHINE: &str = "the region of this machine";
/// Where errors stand.
const ERROR: &[&str] = &["ErrorResponse", "Error"];
const VERSION: &str = "2011-06-15";
const FORM: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests;
