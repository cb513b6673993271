//! A machine for tests: what its environment and files say, what the cloud answers, what was asked.

use std::path::{Path, PathBuf};

use clap::Command;
use fleetkey_provider::{
    Credential, ExecInfo, Files, Host, Provider, Request, Result,
    testing::{
        Answer, CountingEntropy, KeptNotes, ManualClock, ScriptedHttp, ScriptedPerson,
        ScriptedPrograms, StaticEnv, StaticFiles, StaticSessions,
    },
};
use url::form_urlencoded;

use crate::Aws;

pub(crate) const NOW: &str = "2026-01-02T03:04:05Z";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/eks-prod";
pub(crate) const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];

/// A profile of each kind.
pub(crate) const CONFIG: &str = "
[profile keys]
aws_access_key_id = AKIDKEYS
aws_secret_access_key = hunter2

[profile prod]
role_arn = arn:aws:iam::123456789012:role/eks-prod
source_profile = keys

[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1

[profile dev]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Admin

[profile over-sso]
role_arn = arn:aws:iam::123456789012:role/eks-prod
source_profile = dev
";

/// Where the token of session `corp` lies.
pub(crate) const CORP: &str = "/home/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// Where the firmware says who made the machine.
pub(crate) const VENDOR: &str = "/sys/devices/virtual/dmi/id/sys_vendor";

/// A machine.
#[derive(Clone, Default)]
pub(crate) struct World {
    env: Vec<(String, String)>,
    files: StaticFiles,
    pub(crate) sessions: StaticSessions,
    pub(crate) http: ScriptedHttp,
    programs: ScriptedPrograms,
    pub(crate) person: ScriptedPerson,
    pub(crate) notes: KeptNotes,
}

impl World {
    /// One with [`CONFIG`], a home and a region. Not of EC2.
    pub(crate) fn new() -> Self {
        Self::default()
            .env(&[("HOME", "/home"), ("AWS_REGION", "eu-west-1")])
            .file("/home/.aws/config", CONFIG)
            .file(VENDOR, "LENOVO\n")
            .file("/etc/machine-id", "0a1b\n")
    }

    pub(crate) fn env(mut self, pairs: &[(&str, &str)]) -> Self {
        self.env.extend(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        self
    }

    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files = self.files.with(path, text);
        self
    }

    /// With these programs.
    pub(crate) fn programs(mut self, programs: &ScriptedPrograms) -> Self {
        self.programs = programs.clone();
        self
    }

    /// With a person whose browser brings that back.
    pub(crate) fn who(mut self, answer: Answer) -> Self {
        self.person = ScriptedPerson::who(answer);
        self
    }

    /// With somebody signed in to `corp`.
    pub(crate) fn signed_in(self) -> Self {
        self.file(CORP, r#"{"accessToken":"sso-token","expiresAt":"2026-01-02T08:00:00Z"}"#)
    }

    pub(crate) fn host(&self) -> Host {
        Host {
            env: Box::new(StaticEnv::new(self.env.clone())),
            files: Box::new(self.files.clone()),
            sessions: Box::new(self.sessions.clone()),
            clock: Box::new(ManualClock::at(NOW)),
            http: Box::new(self.http.clone()),
            programs: Box::new(self.programs.clone()),
            person: Box::new(self.person.clone()),
            entropy: Box::new(CountingEntropy::default()),
            notes: Box::new(self.notes.clone()),
            ..Host::refusing()
        }
    }

    /// The files that were written, and what stands in them.
    pub(crate) fn written(&self) -> Vec<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let file = |(path, bytes): (PathBuf, _)| (path.to_str().unwrap().to_owned(), text(bytes));
        self.files.written().into_iter().map(file).collect()
    }

    /// From now on the disk is full.
    pub(crate) fn fill(&self) {
        self.files.fill();
    }

    /// Somebody else writes that file now.
    pub(crate) fn theirs(&self, path: &str, text: &str) {
        self.files.replace(Path::new(path), text.as_bytes()).unwrap();
    }

    /// Understands a command line; `--cluster-name` is added.
    pub(crate) fn ask(&self, line: &str) -> Result<Box<dyn Request>> {
        Self::ask_on(line, &self.host())
    }

    /// The same, on a host that a test changed.
    pub(crate) fn ask_on(line: &str, host: &Host) -> Result<Box<dyn Request>> {
        let command = Aws.arguments(Command::new("aws").no_binary_name(true));
        let words = ["--cluster-name", "c"].into_iter().chain(line.split_whitespace());
        let mut matches = command.try_get_matches_from(words).unwrap();
        Aws.request(&mut matches, &ExecInfo::default(), host)
    }

    /// Lends what is asked for, with the keys of its sources.
    pub(crate) fn lend(&self, request: &dyn Request) -> Result<Credential> {
        let host = self.host();
        if let Some(credential) = request.at_hand(&host)? {
            return Ok(credential);
        }
        let source = request.source().map(|source| self.lend(source)).transpose()?;
        let credential = now(request.obtain(source.as_ref(), &host))?;
        request.share(&credential, &host);
        Ok(credential)
    }

    /// STS lends the next keys.
    pub(crate) fn sts_lends(&self, action: &str) {
        self.http.answer(200, &[], &lent(action));
    }

    /// The portal lends the next keys.
    pub(crate) fn sso_lends(&self) {
        let body = r#"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"s",
            "sessionToken":"sso-lent","expiration":1767326645000}}"#;
        self.http.answer(200, &[], body);
    }

    /// The forms that were sent, as `name=value` joined by blanks.
    pub(crate) fn forms(&self) -> Vec<String> {
        let form = |body: &[u8]| {
            let pairs = form_urlencoded::parse(body).map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join(" ")
        };
        self.http.requests().iter().map(|request| form(&request.body)).collect()
    }
}

/// Runs work.
pub(crate) fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// What STS answers to a call that lends keys.
pub(crate) fn lent(action: &str) -> String {
    format!(
        r#"<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <{action}Result>
            <SourceIdentity>new</SourceIdentity>
            <AssumedRoleUser>
              <AssumedRoleId>AROA:me</AssumedRoleId>
              <Arn>arn:aws:sts::999999999999:assumed-role/eks-prod/me</Arn>
            </AssumedRoleUser>
            <Credentials>
              <AccessKeyId>ASIALENT</AccessKeyId>
              <SecretAccessKey>s</SecretAccessKey>
              <SessionToken>lent</SessionToken>
              <Expiration>2026-01-02T04:04:05Z</Expiration>
            </Credentials>
          </{action}Result>
          <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
        </{action}Response>"#
    )
}
