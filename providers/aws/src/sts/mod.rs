//! STS, as far as a credential needs it: three calls of its query protocol.
//!
//! A form goes out, a small XML document comes back. Only `AssumeRoleWithWebIdentity` goes unsigned,
//! since the token in it is the proof.

mod xml;

use std::{path::PathBuf, time::SystemTime};

use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use fleetkey_provider::{
    CredentialKey, Endpoint, Error, ExposeSecret, Host, HttpRequest, HttpResponse, Method, Result,
    Retry,
};
use jiff::Timestamp;
use url::form_urlencoded;

use crate::{
    errors::{Asker, Call, LATER},
    keys::{Keys, end_of_lent},
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
    /// What of this could change a credential: not the region, since STS is the same everywhere.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { endpoint, is_default, signing_region: _, ca_bundle } = self;
        key.maybe("sts endpoint", (!is_default).then(|| endpoint.as_str()));
        key.maybe("ca bundle", ca_bundle.as_ref().map(|path| path.to_string_lossy()).as_deref());
    }

    /// The keys that a role is lent as.
    pub(crate) async fn lent(&self, question: &Question<'_>, host: &Host) -> Result<Keys> {
        let answer = self.ask(question, host).await?;
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
        Ok(Keys { account, expires: Some(end_of_lent(expires, "STS", host)), ..keys })
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
        let answer = self.ask(&question, host).await?;
        let path = ["GetCallerIdentityResponse", "GetCallerIdentityResult", "UserId"];
        xml::text(&answer.body, &path).ok_or_else(|| self.not_understood(&question, "no `UserId`"))
    }

    async fn ask(&self, question: &Question<'_>, host: &Host) -> Result<HttpResponse> {
        let request = self.request(question, host.clock.now())?;
        let answer = host.http.send(&request).await?;
        if answer.status == 200 {
            return Ok(answer);
        }
        let said = xml::error(&answer);
        Err(self.call(question, &question.secrets()).error(&answer, said, host.clock.now()))
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
            headers.extend(signature(keys, &self.signing_region, &endpoint, &body, now)?);
        }
        Ok(HttpRequest {
            method: Method::Post,
            endpoint,
            headers,
            body: body.into_bytes(),
            ca_bundle: self.ca_bundle.clone(),
            retry: Retry::Safe(is_throttled),
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
        let keys = self.keys.into_iter().flat_map(|keys| {
            [Some(&keys.secret_access_key), keys.session_token.as_ref()].into_iter().flatten()
        });
        keys.map(ExposeSecret::expose_secret).chain(token.map(|(_, value)| *value)).collect()
    }
}

/// STS asks to come again with status 400, as if the request had been wrong.
fn is_throttled(answer: &HttpResponse) -> bool {
    answer.status == 400
        && xml::error(answer).is_some_and(|said| LATER.contains(&said.code.as_str()))
}

/// The headers that sign a form.
fn signature(
    keys: &Keys,
    region: &str,
    endpoint: &Endpoint,
    body: &str,
    now: Timestamp,
) -> Result<Vec<(String, String)>> {
    let failed = || Error::failed("a request to STS could not be signed");
    let identity = keys.to_aws().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(SystemTime::from(now))
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| failed())?
        .into();
    let request = SignableRequest::new(
        "POST",
        endpoint.url().as_str(),
        [("content-type", FORM)].into_iter(),
        SignableBody::Bytes(body.as_bytes()),
    )
    .map_err(|_| failed())?;
    let (instructions, _) = sign(request, &parameters).map_err(|_| failed())?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

const VERSION: &str = "2011-06-15";
const FORM: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use super::*;
    use crate::testing::{World, lent};

    fn fails(status: u16, body: &str) -> Error {
        let world = World::new();
        world.http.answer(status, &[], body);
        world.lend(world.ask("--profile prod").unwrap().as_ref()).unwrap_err()
    }

    #[test]
    fn an_answer_that_lacks_something_lends_nothing() {
        let whole = lent("AssumeRole");
        for name in ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] {
            let error = fails(200, &whole.replace(name, "Strange"));
            assert_eq!(error.kind(), Kind::Unavailable, "{error}");
            assert!(error.message().contains("was not understood"), "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
        for body in [
            "",
            "<html><body>sign in to the network</body></html>",
            &lent("AssumeRoleWithWebIdentity"),
            &whole.replace("2026-01-02T04", "tomorrow"),
        ] {
            assert_eq!(fails(200, body).kind(), Kind::Unavailable, "{body}");
        }
    }

    #[test]
    fn keys_that_cannot_be_keys_are_an_answer_not_understood() {
        let whole = lent("AssumeRole");
        for (from, to) in [
            ("ASIALENT", "ASIA/2020&amp;X-Amz=1"),
            ("ASIALENT", "ASIA&#x1b;"),
            ("<SecretAccessKey>s<", "<SecretAccessKey>é<"),
            ("<SessionToken>lent<", &format!("<SessionToken>{}<", "x".repeat(500_000))),
        ] {
            assert!(whole.contains(from));
            let error = fails(200, &whole.replace(from, to));
            assert_eq!(error.kind(), Kind::Unavailable, "{error}");
            assert!(error.message().contains("was not understood"), "{error}");
            assert!(error.to_string().len() < 500, "{error}");
        }
    }

    #[test]
    fn only_status_200_lends_keys() {
        for status in [201, 204, 206] {
            assert_eq!(fails(status, &lent("AssumeRole")).kind(), Kind::Unavailable, "{status}");
        }
    }

    #[test]
    fn keys_are_used_for_twelve_hours_at_most_whatever_sts_says() {
        let world = World::new();
        let body = lent("AssumeRole").replace("2026-01-02T04:04:05Z", "2126-01-02T04:04:05Z");
        world.http.answer(200, &[], &body);
        let credential = world.lend(world.ask("--profile prod").unwrap().as_ref()).unwrap();
        assert_eq!(credential.expires(), "2026-01-02T15:04:05Z".parse().ok());
    }

    #[test]
    fn two_paths_of_one_host_are_two_keys() {
        let print = |url| {
            let world = World::new().env(&[("AWS_ENDPOINT_URL", url)]);
            let print = |profile| world.ask(profile).unwrap().fingerprint().to_string();
            [print("--profile prod"), print("--profile dev")]
        };
        let (one, two) = (print("http://127.0.0.1:1/a"), print("http://127.0.0.1:1/b"));
        assert!(one[0] != two[0] && one[1] != two[1]);
    }

    #[test]
    fn being_busy_is_told_from_being_wrong() {
        let says = |code: &str| HttpResponse {
            status: 400,
            headers: Vec::new(),
            body: format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>")
                .into_bytes(),
        };
        assert!(is_throttled(&says("Throttling")));
        assert!(is_throttled(&says("IDPCommunicationError")));
        assert!(!is_throttled(&says("ValidationError")));
        assert!(!is_throttled(&HttpResponse { status: 200, ..says("Throttling") }));
    }

    #[test]
    fn a_page_of_some_proxy_is_no_refusal() {
        for status in [302, 400, 403, 407, 502] {
            assert_eq!(fails(status, "<html/>").kind(), Kind::Unavailable, "{status}");
        }
    }
}
