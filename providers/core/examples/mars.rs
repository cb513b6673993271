//! Mars for fleetkey: an API key in, a cluster token out.

use clap::{Arg, ArgMatches, Command};
use fleetkey_provider::{
    BoxFuture, Credential, CredentialKey, Endpoint, Error, ExecInfo, ExposeSecret, Fingerprint,
    Host, HttpRequest, Method, Provider, Request, Result, Retry, Rule, SecretString, SessionKey,
    Token,
};
use jiff::SignedDuration;

/// The provider, for the registry.
pub const PROVIDER: &dyn Provider = &Mars;

const NAME: &str = "mars";
const MARS_API_KEY: &str = "MARS_API_KEY";

const CLUSTER: Rule = Rule {
    what: "a cluster's name",
    min: 1,
    max: 63,
    allows: |c| c.is_ascii_alphanumeric() || c == '-',
    allowed: "letters, digits and `-`",
};

struct Mars;

impl Provider for Mars {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Tokens for clusters on Mars"
    }

    fn arguments(&self, command: Command) -> Command {
        command.arg(Arg::new("cluster").long("cluster").value_name("NAME").help("The cluster"))
    }

    fn request(
        &self,
        matches: &mut ArgMatches,
        _exec: &ExecInfo,
        host: &Host,
    ) -> Result<Box<dyn Request>> {
        let Some(cluster) = matches.remove_one::<String>("cluster") else {
            return Err(Error::config("no cluster is named").next("fleetkey get-token mars --help"));
        };
        CLUSTER.check("`--cluster`", &cluster)?;
        let Some(api_key) = host.text_var(MARS_API_KEY)?.map(SecretString::from) else {
            return Err(Error::config(format!("`{MARS_API_KEY}` is not set")));
        };
        let endpoint = Endpoint::known("token.mars.example", "the planet", own_host, host)?;
        Ok(Box::new(Question { cluster, api_key, endpoint }))
    }
}

#[derive(Debug)]
struct Question {
    cluster: String,
    api_key: SecretString,
    endpoint: Endpoint,
}

impl Request for Question {
    fn provider(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> String {
        format!("the api key for {}", self.cluster)
    }

    fn session(&self) -> Option<SessionKey> {
        None // a machine's: nobody signs in
    }

    fn key(&self, key: &mut CredentialKey) {
        // destructured, so that a new field cannot be forgotten
        let Self { cluster, api_key, endpoint: _ } = self;
        key.field("cluster", cluster);
        let api_key = Fingerprint::of(api_key.expose_secret().as_bytes());
        key.field("api key", &api_key.to_string());
    }

    fn at_hand(&self, _host: &Host) -> Result<Option<Credential>> {
        Ok(None)
    }

    fn still_ours(&self, _credential: &Credential, _host: &Host) -> bool {
        true
    }

    fn obtain<'a>(
        &'a self,
        _source: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Credential>> {
        Box::pin(async move {
            let api_key = self.api_key.expose_secret();
            let request = HttpRequest {
                method: Method::Post,
                endpoint: self.endpoint.at("/lend", &[("cluster", &self.cluster)]),
                headers: vec![("authorization".into(), format!("Bearer {api_key}"))],
                body: Vec::new(),
                ca_bundle: None,
                retry: Retry::Safe(|_| false),
            };
            let answer = host.http.send(&request).await?;
            match answer.status {
                200 => {}
                401 | 403 => return Err(Error::refused("Mars did not accept the api key")),
                status => {
                    return Err(Error::unavailable("Mars did not answer as it should")
                        .because(format!("status {status}")));
                }
            }
            let text = String::from_utf8(answer.body)
                .map_err(|_| Error::unavailable("Mars's answer was not understood"))?;
            let now = host.clock.now();
            Ok(Credential::until(text.into(), now, now + SignedDuration::from_hours(1)))
        })
    }

    fn token(&self, credential: &Credential, _host: &Host) -> Result<Token> {
        let expires = credential.expires().unwrap_or(credential.issued());
        Ok(Token { secret: credential.expose().into(), expires })
    }
}

/// The planet's own hosts: where something secret may be sent without a person's word.
fn own_host(name: &str) -> bool {
    name == "token.mars.example"
}

fn main() {
    // a real provider is a library; here it is enough that it compiles and has a name
    assert_eq!(PROVIDER.name(), NAME);
}
