//! A machine for tests: what its environment and files say, what the cloud answers, what was asked.

use clap::Command;
use fleetkey_provider::{
    Credential, ExecInfo, Host, Provider, Request, Result,
    testing::{KeptNotes, ManualClock, ScriptedHttp, StaticEnv, StaticFiles},
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

/// A machine.
#[derive(Clone, Default)]
pub(crate) struct World {
    env: Vec<(String, String)>,
    files: Vec<(String, String)>,
    pub(crate) http: ScriptedHttp,
    pub(crate) notes: KeptNotes,
}

impl World {
    /// One with [`CONFIG`], a home and a region.
    pub(crate) fn new() -> Self {
        Self::default()
            .env(&[("HOME", "/home"), ("AWS_REGION", "eu-west-1")])
            .file("/home/.aws/config", CONFIG)
    }

    pub(crate) fn env(mut self, pairs: &[(&str, &str)]) -> Self {
        self.env.extend(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        self
    }

    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.into(), text.into()));
        self
    }

    /// With somebody signed in to `corp`.
    pub(crate) fn signed_in(self) -> Self {
        self.file(CORP, r#"{"accessToken":"sso-token","expiresAt":"2026-01-02T08:00:00Z"}"#)
    }

    pub(crate) fn host(&self) -> Host {
        Host {
            env: Box::new(StaticEnv::new(self.env.clone())),
            files: Box::new(StaticFiles::new(self.files.clone())),
            clock: Box::new(ManualClock::at(NOW)),
            http: Box::new(self.http.clone()),
            notes: Box::new(self.notes.clone()),
            ..Host::refusing()
        }
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
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(request.obtain(source.as_ref(), &host))
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
