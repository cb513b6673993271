//! What AWS's error codes mean to a person: who has to act, and what to type next.
//!
//! One table for STS and SSO. What a server wrote is shown as the cause, on one line, unless it is
//! known to repeat parts of the request: an answer about a signature quotes the signed headers, and
//! the session token is one of them.

pub(crate) mod rest_json;
mod table;

use fleetkey_provider::{Endpoint, Error, HttpResponse, quoted, shown};
use jiff::{SignedDuration, Timestamp};
use url::Url;

pub(crate) use table::LATER;
use table::{About, Next, TABLE, UNKNOWN};

use crate::{
    clock::{date, span},
    shell::profile_flag,
};

/// Whose keys or token stood in a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker {
    /// As a person would say it.
    pub(crate) who: String,
    /// The profile that makes `aws` ask as the same identity, if there is one.
    pub(crate) profile: Option<String>,
    /// The line with which a person signs in anew, where that helps.
    pub(crate) sign_in: Option<String>,
}

/// A request that failed.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// `STS` or `SSO`.
    pub(crate) service: &'static str,
    /// Where it went.
    pub(crate) endpoint: &'a Endpoint,
    /// What was wanted, to go behind "did not let me".
    pub(crate) task: &'a str,
    /// Who wanted it.
    pub(crate) asker: &'a Asker,
    /// What must not be shown even if the server repeats it.
    pub(crate) secrets: &'a [&'a str],
}

/// An error, as the server wrote it.
#[derive(Clone)]
pub(crate) struct Said {
    /// Its code.
    pub(crate) code: String,
    /// Its words.
    pub(crate) message: String,
}

impl Said {
    /// Whether it is about who may do what.
    pub(crate) fn is_denied(&self) -> bool {
        ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"].contains(&&*self.code)
    }

    /// Whether it is about the code of a second factor. STS has no error code for that, and more than
    /// one sentence: of a code that is wrong or used, and of a device that is not the caller's.
    pub(crate) fn is_wrong_code(&self) -> bool {
        self.is_denied() && self.message.starts_with("MultiFactorAuthentication failed")
    }
}

impl Call<'_> {
    /// The error that this answer is; `said` is what could be read of its body.
    pub(crate) fn error(&self, answer: &HttpResponse, said: Option<Said>, now: Timestamp) -> Error {
        match (answer.status, said) {
            // only 200 is what was asked for
            (..300, _) => self.not_understood(&format!("status {}", answer.status)),
            (300..400, _) => self.redirected(answer),
            (500.., said) => self.down(answer.status, said),
            (_, Some(said)) => self.refused(answer, &said, now),
            (429, None) => {
                let said = Said { code: "Throttling".into(), message: String::new() };
                self.refused(answer, &said, now)
            }
            (_, None) => self.not_understood(&format!("status {}", answer.status)),
        }
    }

    /// An answer that is not what this service says.
    pub(crate) fn not_understood(&self, what: &str) -> Error {
        let Self { service, endpoint, .. } = self;
        Error::unavailable(format!("{service}'s answer was not understood"))
            .because(format!("{what} from {}; a proxy may have answered", endpoint.origin()))
            .next(self.probe())
    }

    fn redirected(&self, answer: &HttpResponse) -> Error {
        let to = answer
            .header("location")
            .and_then(|location| Url::parse(location).ok())
            .and_then(|url| url.host_str().map(shown))
            .unwrap_or_else(|| "nowhere that could be read".into());
        Error::unavailable(format!("{} pointed elsewhere, and was not followed", self.service))
            .because(format!("{} redirected to {to}", self.endpoint.origin()))
            .next(self.probe())
    }

    fn down(&self, status: u16, said: Option<Said>) -> Error {
        let said = said.map(|said| format!(": {}", self.quote(&said))).unwrap_or_default();
        Error::unavailable(format!("{} is not well and could not {}", self.service, self.task))
            .because(format!("{} answered {status}{said}", self.endpoint.origin()))
            .next(self.probe())
    }

    fn refused(&self, answer: &HttpResponse, said: &Said, now: Timestamp) -> Error {
        let code = said.code.as_str();
        let row = TABLE.iter().find(|row| row.codes.contains(&code)).unwrap_or(&UNKNOWN);
        if let Some(error) = matches!(row.about, About::Clock | About::Signature)
            .then(|| self.clock(answer, now, matches!(row.about, About::Clock)))
            .flatten()
        {
            return error;
        }
        if said.is_wrong_code() {
            return self.wrong_code(said);
        }
        let cause = match row.about {
            About::Signature => code.to_owned(),
            About::Itself | About::Clock => self.quote(said),
        };
        let error = Error::new(row.kind, (row.message)(self)).because(cause);
        match row.next {
            Next::Nothing => error,
            Next::Probe => error.next(self.probe()),
            Next::WhoAmI => self.with_who_am_i(error),
            Next::Fresh => match &self.asker.sign_in {
                Some(line) => Error::sign_in_needed(error.message())
                    .because(error.cause().unwrap_or_default())
                    .next(line),
                None => self.with_who_am_i(error),
            },
        }
    }

    /// The error of a clock that is wrong, if it is: by more than AWS forgives, or by as much as
    /// made the server say so.
    pub(crate) fn clock(
        &self,
        answer: &HttpResponse,
        now: Timestamp,
        certain: bool,
    ) -> Option<Error> {
        let ahead = date(answer).map(|there| now.duration_since(there));
        if !certain && ahead.is_none_or(|ahead| ahead.abs() < FORGIVEN) {
            return None;
        }
        let cause = match ahead {
            Some(ahead) => {
                let way = if ahead.is_negative() { "behind" } else { "ahead of" };
                format!("it is {} {way} {}'s", span(ahead.abs()), self.service)
            }
            None => format!("{} found the signature too old or too new", self.service),
        };
        Some(Error::failed("the clock of this machine is wrong").because(cause).next("date -u"))
    }

    /// Asked again at once it could only be the same code, which is good once.
    fn wrong_code(&self, said: &Said) -> Error {
        let message = format!("{} did not take the MFA code of {}", self.service, self.asker.who);
        Error::refused(message).because(self.quote(said)).once()
    }

    /// The error with a line behind it that makes `aws` ask as the same identity, if that can be.
    fn with_who_am_i(&self, error: Error) -> Error {
        match self.asker {
            // a role that no profile stands for
            Asker { profile: None, sign_in: Some(_), .. } => error,
            Asker { profile, .. } => error
                .next(format!("aws sts get-caller-identity{}", profile_flag(profile.as_deref()))),
        }
    }

    fn probe(&self) -> String {
        let url = format!("{}/", self.endpoint.origin());
        format!(r"curl -sS -o /dev/null -w '%{{http_code}}\n' {}", quoted(&url))
    }

    /// The code, if it can be one: what stands in its place comes from a server, which could have
    /// put a secret there.
    fn word<'s>(&self, code: &'s str) -> &'s str {
        let is_word = (1..=64).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"._".contains(&b));
        let is_secret = self.secrets.iter().any(|s| !s.is_empty() && code.contains(s));
        if is_word && !is_secret { code } else { "an unknown code" }
    }

    /// What the server said, with nothing in it that must not be shown.
    pub(crate) fn quote(&self, Said { code, message }: &Said) -> String {
        let code = self.word(code);
        let message = self
            .secrets
            .iter()
            .filter(|secret| !secret.is_empty())
            .fold(message.clone(), |text, secret| text.replace(secret, "…"));
        // a word of that length is no word but something the request held
        let words = message.split_whitespace().map(|word| match word.len() {
            0..=200 => shown(word),
            _ => "…".into(),
        });
        let line = words.take(100).collect::<Vec<_>>().join(" ");
        if line.is_empty() { code.to_owned() } else { format!("{code}: {line}") }
    }
}

/// Whether that code may be an answer to the signature's time.
pub(crate) fn may_be_about_the_clock(code: &str) -> bool {
    TABLE
        .iter()
        .find(|row| row.codes.contains(&code))
        .is_some_and(|row| matches!(row.about, About::Clock | About::Signature))
}

/// What AWS lets a signature's time differ.
const FORGIVEN: SignedDuration = SignedDuration::from_mins(5);

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Host, Kind};

    use super::*;

    fn error_for(status: u16, date: &str, said: Option<(&str, &str)>, sign_in: bool) -> Error {
        let endpoint =
            Endpoint::known("sts.eu-west-1.amazonaws.com", "a test", |_| true, &Host::refusing())
                .unwrap();
        let asker = Asker {
            who: "profile `dev`".into(),
            profile: Some("dev".into()),
            sign_in: sign_in.then(|| "fleetkey login aws --profile dev".into()),
        };
        let call = Call {
            service: "STS",
            endpoint: &endpoint,
            task: "assume role r in 1",
            asker: &asker,
            secrets: &["hunter2"],
        };
        let answer = HttpResponse {
            status,
            headers: vec![
                ("date".into(), date.into()),
                ("location".into(), "https://captive.example/login?x=hunter2".into()),
            ],
            body: Vec::new(),
        };
        let said = said.map(|(code, message)| Said { code: code.into(), message: message.into() });
        call.error(&answer, said, "2026-01-02T03:04:05Z".parse().unwrap())
    }

    const DATE: &str = "Fri, 02 Jan 2026 03:04:00 GMT";

    #[test]
    fn kinds_and_next_lines_are_those_of_the_table() {
        let who_am_i = Some("aws sts get-caller-identity --profile dev");
        let curl =
            Some(r"curl -sS -o /dev/null -w '%{http_code}\n' https://sts.eu-west-1.amazonaws.com/");
        for (status, code, kind, next) in [
            (403, "AccessDenied", Kind::Refused, who_am_i),
            (403, "ExpiredToken", Kind::Refused, who_am_i),
            (403, "InvalidClientTokenId", Kind::Refused, who_am_i),
            (403, "SignatureDoesNotMatch", Kind::Refused, who_am_i),
            (400, "InvalidIdentityToken", Kind::Refused, None),
            (400, "ValidationError", Kind::Config, None),
            (400, "Throttling", Kind::Unavailable, curl),
            (403, "RegionDisabledException", Kind::Refused, who_am_i),
            (403, "Novelty", Kind::Refused, None),
            (503, "ServiceUnavailable", Kind::Unavailable, curl),
        ] {
            let error = error_for(status, DATE, Some((code, "because")), false);
            assert_eq!(error.kind(), kind, "{code}");
            assert_eq!(error.next_line(), next, "{code}");
            assert!(error.cause().unwrap().contains(code), "{error}");
        }
    }

    #[test]
    fn a_refusal_names_the_role_and_who_asked() {
        let said = Some(("AccessDenied", "User: arn:aws:iam::1:user/me is\nnot authorized"));
        assert_eq!(
            error_for(403, DATE, said, false).to_string(),
            "STS did not let profile `dev` assume role r in 1: \
             AccessDenied: User: arn:aws:iam::1:user/me is not authorized"
        );
    }

    #[test]
    fn what_expired_needs_a_person_only_where_one_can_help() {
        let error = error_for(400, DATE, Some(("ExpiredTokenException", "old")), true);
        assert_eq!(error.kind(), Kind::SignInNeeded);
        assert_eq!(error.next_line(), Some("fleetkey login aws --profile dev"));
    }

    #[test]
    fn a_wrong_clock_is_told_from_a_wrong_secret() {
        let said = Some(("SignatureDoesNotMatch", "Signature expired: …"));
        let behind = error_for(403, "Fri, 02 Jan 2026 03:24:05 GMT", said, false);
        assert_eq!(
            behind.to_string(),
            "the clock of this machine is wrong: it is 20 min behind STS's"
        );
        let ahead = error_for(403, "Thu, 01 Jan 2026 00:00:00 GMT", said, false);
        assert_eq!(
            ahead.to_string(),
            "the clock of this machine is wrong: it is 27 h ahead of STS's"
        );
        assert_eq!(ahead.next_line(), Some("date -u"));
        assert_eq!(error_for(403, "nonsense", said, false).kind(), Kind::Refused);
        let certain = error_for(400, "nonsense", Some(("RequestExpired", "")), false);
        assert!(certain.message().contains("clock"), "{certain}");
    }

    #[test]
    fn nothing_of_the_request_is_repeated() {
        let long = "x".repeat(201);
        for (code, message) in [
            ("ValidationError", "Value 'hunter2' at 'webIdentityToken'"),
            ("ValidationError", &*format!("Value {long} at 'webIdentityToken'")),
            ("SignatureDoesNotMatch", "x-amz-security-token:FwoGhunt"),
            ("hunter2", ""),
            ("Xhunter2", "no"),
            ("FwoGhunt/+==", "no"),
            (&*long, "no"),
        ] {
            let text = error_for(400, DATE, Some((code, message)), false).to_string();
            for secret in ["hunter2", "FwoGhunt", &long] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }

    #[test]
    fn a_code_that_is_no_word_is_not_shown() {
        for (code, shown) in [
            ("Sts.New2", "Sts.New2"),
            ("", "an unknown code"),
            ("a b", "an unknown code"),
            ("a/b", "an unknown code"),
            ("hunter2", "an unknown code"),
        ] {
            let error = error_for(403, DATE, Some((code, "")), false);
            assert_eq!(error.cause(), Some(shown));
        }
    }

    #[test]
    fn terminals_are_safe_from_servers() {
        let text = error_for(403, DATE, Some(("A\u{1b}[2J", "b\u{202e}\r\nc")), false).to_string();
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }

    #[test]
    fn a_redirect_is_named_and_not_followed() {
        let error = error_for(302, DATE, None, false);
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.to_string().contains("captive.example"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn an_answer_of_no_known_shape_is_nobodys_refusal() {
        assert_eq!(error_for(403, DATE, None, false).kind(), Kind::Unavailable);
        assert_eq!(error_for(429, DATE, None, false).kind(), Kind::Unavailable);
        assert_eq!(error_for(502, DATE, None, false).kind(), Kind::Unavailable);
    }
}
