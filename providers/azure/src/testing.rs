//! A machine for tests: what its environment and files say, what Entra answers, what was asked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Command;
use fleetkey_provider::{
    Endpoint, Error, ExecInfo, Host, HttpRequest, KeptSession, OpenSession, Result, SecretString,
    SessionKey, Sessions,
    testing::{
        CountingEntropy, KeptNotes, ManualClock, ScriptedHttp, ScriptedPerson, ScriptedPrograms,
        StaticEnv, StaticFiles, StaticSessions,
    },
};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    arguments::{self, Arguments},
    authority::Authority,
    entra::{Client, Version},
    server_id::{AKS, ServerId},
    source::Wanted,
};

pub(crate) const NOW: &str = "2026-01-02T03:04:05Z";
pub(crate) const TENANT: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const CLIENT: &str = "33333333-3333-3333-3333-333333333333";

/// A machine.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) env: Vec<(String, String)>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) http: ScriptedHttp,
    pub(crate) notes: KeptNotes,
    pub(crate) person: ScriptedPerson,
    pub(crate) programs: ScriptedPrograms,
    pub(crate) sessions: StaticSessions,
}

impl World {
    pub(crate) fn env(mut self, pairs: &[(&str, &str)]) -> Self {
        self.env.extend(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        self
    }

    pub(crate) fn file(mut self, path: &str, contents: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.into(), contents.into()));
        self
    }

    pub(crate) fn host(&self) -> Host {
        Host {
            env: Box::new(StaticEnv::new(self.env.clone())),
            files: Box::new(StaticFiles::new(self.files.clone())),
            clock: Box::new(ManualClock::at(NOW)),
            entropy: Box::new(CountingEntropy::default()),
            http: Box::new(self.http.clone()),
            notes: Box::new(self.notes.clone()),
            person: Box::new(self.person.clone()),
            programs: Box::new(self.programs.clone()),
            sessions: Box::new(self.sessions.clone()),
            ..Host::refusing()
        }
    }

    /// The token endpoint answers with tokens.
    pub(crate) fn entra_grants(&self, access_token: &str, refresh_token: Option<&str>) {
        let body = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": access_token,
            "refresh_token": refresh_token.unwrap_or_default() });
        self.http.answer(200, &[], &body.to_string());
    }

    /// The forms that were sent, as `name=value` joined by blanks.
    pub(crate) fn forms(&self) -> Vec<String> {
        self.http.requests().iter().map(form).collect()
    }
}

/// Sessions that can be read, and of which none can be marked: the disk is full before anything is
/// sent.
pub(crate) struct Unmarkable(pub(crate) StaticSessions);

impl Sessions for Unmarkable {
    fn stamp(&self, key: SessionKey) -> Option<i128> {
        self.0.stamp(key)
    }
    fn open(&self, key: SessionKey) -> Result<Box<dyn OpenSession + '_>> {
        Ok(Box::new(Unmarked(self.0.open(key)?)))
    }
}

struct Unmarked<'a>(Box<dyn OpenSession + 'a>);

impl OpenSession for Unmarked<'_> {
    fn read(&mut self) -> Result<Option<KeptSession>> {
        self.0.read()
    }
    fn redeeming(&mut self) -> Result<()> {
        Err(Error::failed("the session is not renewed").because("the disk is full"))
    }
    fn keep(&mut self, _secret: &SecretString) -> Result<()> {
        Err(Error::failed("the disk is full"))
    }
    fn unchanged(&mut self) {
        self.0.unchanged();
    }
    fn forget(&mut self) {
        self.0.forget();
    }
}

/// A request's form, as `name=value` joined by blanks.
pub(crate) fn form(request: &HttpRequest) -> String {
    let pairs =
        form_urlencoded::parse(&request.body).map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join(" ")
}

/// Runs a future to its end.
pub(crate) fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// An application of [`TENANT`] at the public authority.
pub(crate) fn client() -> Client {
    let endpoint = Endpoint::known(
        "login.microsoftonline.com",
        "a test",
        |name| name == "login.microsoftonline.com",
        &Host::refusing(),
    );
    let authority =
        Authority { endpoint: endpoint.unwrap(), tenant: TENANT.into(), is_known: true };
    Client { authority, id: CLIENT.into(), version: Version::V2 }
}

/// A token for AKS.
pub(crate) fn wanted() -> Wanted {
    Wanted { server: ServerId::parse(AKS).unwrap(), req_cnf: None }
}

/// An access token for AKS with these claims beside the usual ones; its signature is none.
pub(crate) fn access_token(more: &Value) -> String {
    let mut claims = json!({ "aud": AKS, "iss": format!("https://sts.windows.net/{TENANT}/"),
        "iat": 1_767_323_045, "nbf": 1_767_323_045, "exp": 1_767_327_545, "tid": TENANT,
        "appid": CLIENT, "oid": "o", "ver": "1.0" });
    if let (Some(claims), Some(more)) = (claims.as_object_mut(), more.as_object()) {
        claims.extend(more.clone());
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "typ": "JWT", "alg": "RS256" })), part(&claims))
}

/// What that command line says, for a client that names no cluster.
pub(crate) fn arguments(line: &str) -> Arguments {
    let command = arguments::augment(Command::new("azure").no_binary_name(true));
    let mut matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
    Arguments::read(&mut matches, &ExecInfo::default()).unwrap()
}
