//! Whoever asks EKS and EC2: keys, and the settings that say where these are.

use std::{path::PathBuf, sync::Arc};

use fleetkey_provider::{
    Error, ExposeSecret, Host, HttpRequest, HttpResponse, Kind, Method, Result, Retry,
};
use jiff::Timestamp;

use crate::{
    clock::{Offset, date},
    endpoints::{Endpoints, Service, Target, ca_bundle},
    errors::{Asker, Call, LATER, Said, may_be_about_the_clock, rest_json},
    keys::Keys,
    profiles::{Profiles, Section},
    region::Region,
    signature::{Signable, sign_with},
    xml,
};

/// Whoever asks.
#[derive(Debug)]
pub(super) struct Caller {
    /// What signs.
    pub(super) keys: Keys,
    /// As an error would call them.
    pub(super) asker: Asker,
    /// Where services are.
    pub(super) settings: Settings,
}

/// The files, and the profile in them whose settings count.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Both files.
    pub(super) profiles: Arc<Profiles>,
    /// The profile, if one counts.
    pub(super) profile: Option<String>,
}

/// A question to EKS or EC2.
pub(super) struct Question<'a> {
    /// Whom.
    pub(super) service: Service,
    /// Where.
    pub(super) region: &'a Region,
    /// What the region came from.
    pub(super) from: &'a str,
    /// What is asked.
    pub(super) ask: Ask<'a>,
    /// What is wanted, to go behind "did not let me".
    pub(super) task: &'a str,
}

/// What is asked.
pub(super) enum Ask<'a> {
    /// A path and its query.
    Get(&'a str, &'a [(&'a str, &'a str)]),
    /// A form.
    Form(&'static str),
}

/// A question that was not answered.
pub(super) struct Refusal {
    /// What the service said, if it was the service.
    pub(super) said: Option<Said>,
    /// The same for a person.
    pub(super) error: Error,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { said: None, error }
    }
}

impl Refusal {
    /// Whether it is about who may do what.
    pub(super) fn is_denied(&self) -> bool {
        self.error.kind() == Kind::Refused && self.said.as_ref().is_some_and(Said::is_denied)
    }

    /// Whether it is a rule of the organisation, which holds for every role of an account.
    pub(super) fn is_by_the_organisation(&self) -> bool {
        self.is_denied()
            && self.said.as_ref().is_some_and(|said| said.message.contains(BY_THE_ORGANISATION))
    }

    /// Whether the service said that.
    pub(super) fn is(&self, code: &str) -> bool {
        self.said.as_ref().is_some_and(|said| said.code == code)
    }
}

impl Settings {
    /// The profile's section.
    pub(super) fn section(&self) -> Option<Section<'_>> {
        self.profiles.profile(self.profile.as_deref()?)
    }

    /// Where a service is asked; `from` names where the region came from.
    pub(super) fn target(
        &self,
        service: Service,
        region: &Region,
        from: &str,
        host: &Host,
    ) -> Result<Target> {
        Endpoints::new(&self.profiles, self.section(), host)?.of(service, region, from)
    }

    /// The only authorities to believe, if not the system's.
    pub(super) fn ca_bundle(&self, host: &Host) -> Result<Option<PathBuf>> {
        ca_bundle(self.section().as_ref(), host)
    }
}

impl Caller {
    /// Asks, and once more for the time there if the signature was refused and the clock here is
    /// wrong.
    pub(super) async fn ask(
        &self,
        question: &Question<'_>,
        host: &Host,
    ) -> Result<HttpResponse, Refusal> {
        let Question { service, region, from, .. } = *question;
        let target = self.settings.target(service, region, from, host)?;
        let known = self.keys.offset;
        let (mut answer, offset) = self.send(question, &target, known, host).await?;
        let now = host.clock.now();
        let is_about_the_clock = said(service, &answer, now)
            .is_some_and(|said| answer.status < 500 && may_be_about_the_clock(&said.code));
        if offset.is_far_from(known) && is_about_the_clock {
            (answer, _) = self.send(question, &target, offset, host).await?;
        }
        if answer.status == 200 {
            return Ok(answer);
        }
        let read = || said(service, &answer, now);
        let error = self.call(question, &target, &self.secrets()).error(&answer, read(), now);
        Err(Refusal { said: read(), error })
    }

    /// An answer that is not what the service says.
    pub(super) fn not_understood(&self, question: &Question<'_>, what: &str, host: &Host) -> Error {
        let Question { service, region, from, .. } = *question;
        match self.settings.target(service, region, from, host) {
            Ok(target) => self.call(question, &target, &[]).not_understood(what),
            Err(error) => error,
        }
    }

    async fn send(
        &self,
        question: &Question<'_>,
        target: &Target,
        known: Offset,
        host: &Host,
    ) -> Result<(HttpResponse, Offset)> {
        let now = host.clock.now();
        let Target { endpoint, signing_region, is_default: _ } = target;
        let (method, endpoint, mut headers, body) = match question.ask {
            Ask::Get(path, query) => (Method::Get, endpoint.at(path, query), Vec::new(), ""),
            Ask::Form(form) => {
                let headers = vec![("content-type".to_owned(), FORM.to_owned())];
                (Method::Post, endpoint.at("/", &[]), headers, form)
            }
        };
        let signable = Signable {
            service: signing_name(question.service),
            region: signing_region,
            method,
            endpoint: &endpoint,
            headers: &headers,
            body: body.as_bytes(),
        };
        headers.extend(sign_with(&self.keys, &signable, known.there(now))?);
        let name = name(question.service);
        let request = HttpRequest {
            method,
            endpoint,
            headers,
            body: body.as_bytes().to_vec(),
            ca_bundle: self.settings.ca_bundle(host)?,
            retry: Retry::Safe(is_throttled),
        };
        let answer = host.http.send(&request).await?;
        let offset = known.learn(now, &answer, (name, &target.endpoint), host)?;
        Ok((answer, offset))
    }

    fn call<'a>(
        &'a self,
        question: &Question<'a>,
        target: &'a Target,
        secrets: &'a [&'a str],
    ) -> Call<'a> {
        Call {
            service: name(question.service),
            endpoint: &target.endpoint,
            task: question.task,
            asker: &self.asker,
            secrets,
        }
    }

    /// What a server must not make us print.
    fn secrets(&self) -> Vec<&str> {
        [Some(&self.keys.secret_access_key), self.keys.session_token.as_ref()]
            .into_iter()
            .flatten()
            .map(ExposeSecret::expose_secret)
            .collect()
    }
}

fn name(service: Service) -> &'static str {
    match service {
        Service::Ec2 => "EC2",
        Service::Eks => "EKS",
        Service::Sts => "STS",
        Service::Sso | Service::SsoOidc => "SSO",
        Service::SignIn => "AWS Sign-In",
    }
}

fn signing_name(service: Service) -> &'static str {
    match service {
        Service::Ec2 => "ec2",
        Service::Eks => "eks",
        Service::Sts => "sts",
        Service::Sso | Service::SsoOidc => "awsssoportal",
        Service::SignIn => "signin",
    }
}

/// The error of an answer.
fn said(service: Service, answer: &HttpResponse, now: Timestamp) -> Option<Said> {
    if service != Service::Ec2 {
        return rest_json::said(answer);
    }
    let said = xml::said(answer, EC2_ERROR)?;
    // of EC2 alone this is also said of keys that are over
    let is_about_keys = said.code == "RequestExpired"
        && date(answer).is_some_and(|there| now.duration_since(there).abs() < FORGIVEN);
    Some(if is_about_keys { Said { code: "ExpiredToken".into(), ..said } } else { said })
}

/// Asked to come again with status 400, as if the request had been wrong.
fn is_throttled(answer: &HttpResponse) -> bool {
    let said = || rest_json::said(answer).or_else(|| xml::said(answer, EC2_ERROR));
    answer.status == 400 && said().is_some_and(|said| LATER.contains(&said.code.as_str()))
}

const EC2_ERROR: &[&str] = &["Response", "Errors", "Error"];
const FORM: &str = "application/x-www-form-urlencoded";
/// As IAM puts it.
const BY_THE_ORGANISATION: &str = "explicit deny in a service control policy";
/// What AWS lets a signature's time differ.
const FORGIVEN: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
