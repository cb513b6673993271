//! An application that shows a token of its platform: of a pod, from a file, or of a job of GitHub
//! Actions.
//!
//! A file's owner writes it anew every hour or so: it is read again for each exchange. Access tokens are
//! told apart by whom the file's token is about, not by the token, so a new one does not cost a call.

use std::path::{Path, PathBuf};

use fleetkey_provider::{BoxFuture, CredentialKey, Error, Host, Result, quoted, shown};
use jiff::{SignedDuration, Timestamp};

use super::{Granted, Source, Wanted, application, federated::Federated, github::GitHub};
use crate::entra::Client;

/// An application, and where its platform's token comes from.
#[derive(Debug)]
pub(crate) struct WorkloadIdentity {
    client: Client,
    platform: Platform,
}

#[derive(Debug)]
enum Platform {
    File { path: PathBuf, from: String, issuer: String, subject: String },
    GitHub(GitHub),
}

impl WorkloadIdentity {
    /// Reads whom the token in that file is about. `from` names the flag or variable that names it.
    pub(crate) fn open(client: Client, path: PathBuf, from: &str, host: &Host) -> Result<Self> {
        let Federated { issuer, subject, .. } = read(&path, from, host)?;
        let platform = Platform::File { path, from: from.to_owned(), issuer, subject };
        Ok(Self { client, platform })
    }

    /// With the token of this job of GitHub Actions, which is asked for when it is needed.
    pub(crate) fn github(client: Client, host: &Host) -> Result<Self> {
        Ok(Self { client, platform: Platform::GitHub(GitHub::open(host)?) })
    }
}

impl Source for WorkloadIdentity {
    fn describe(&self) -> String {
        application::describe(&self.client)
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { client, platform } = self;
        application::key(client, key);
        match platform {
            Platform::File { path: _, from: _, issuer, subject } => {
                key.field("federated issuer", issuer);
                key.field("federated subject", subject);
            }
            Platform::GitHub(github) => github.key(key),
        }
    }

    fn tenant(&self) -> Option<&str> {
        application::tenant(&self.client)
    }

    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            let token = match &self.platform {
                Platform::File { path, from, .. } => {
                    let token = read(path, from, host)?;
                    not_over(&token, path, host.clock.now())?;
                    token
                }
                Platform::GitHub(github) => github.token(host).await?,
            };
            let Federated { issuer, subject, .. } = &token;
            host.notes.note(&format!(
                "exchanging a token of {} about {}",
                shown(issuer),
                shown(subject)
            ));
            token.exchange(&self.client, wanted, host).await
        })
    }
}

/// The token, without what editors leave around it.
fn read(path: &Path, from: &str, host: &Host) -> Result<Federated> {
    let name = path.to_string_lossy();
    let name = shown(&name);
    let Some(bytes) = host.files.read(path)? else {
        return Err(Error::config(format!("there is no token file `{name}`"))
            .because(format!("{from} names it")));
    };
    let token = str::from_utf8(&bytes)
        .ok()
        .map(|text| {
            text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
        })
        .and_then(Federated::read);
    token.ok_or_else(|| {
        Error::config(format!("`{name}`, which {from} names, holds no token")).because(
            "it is not a JWT that says who issued it (`iss`) and whom it is about (`sub`); not sent",
        )
    })
}

/// Refuses a token that is over, since Entra would, with a secret in hand that need not have traveled.
fn not_over(token: &Federated, path: &Path, now: Timestamp) -> Result<()> {
    let Some(end) = token.end.filter(|end| now.duration_since(*end) > LEEWAY) else {
        return Ok(());
    };
    let path = path.to_string_lossy();
    Err(Error::config(format!("the token in `{}` is over, and was not sent", shown(&path)))
        .because(format!("it ended at {end}, and nobody has written a new one there since"))
        .next(format!("ls -l {}", quoted(&path))))
}

/// How wrong this machine's clock may be.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use fleetkey_provider::{ExposeSecret, Fingerprint, Kind, Retry};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        server_id::AKS,
        testing::{CLIENT, NOW, World, access_token, client, now, wanted},
    };

    const FROM: &str = "the variable `AZURE_FEDERATED_TOKEN_FILE`";

    fn jwt(claims: &Value, signature: &str) -> String {
        let [claims, signature] = [claims.to_string(), signature.to_owned()]
            .map(|text| BASE64_URL_SAFE_NO_PAD.encode(text));
        format!("e30.{claims}.{signature}")
    }

    fn pod(signature: &str) -> String {
        jwt(
            &json!({ "iss": "https://oidc.example/", "sub": "system:serviceaccount:a:b" }),
            signature,
        )
    }

    fn open(world: &World) -> Result<WorkloadIdentity> {
        WorkloadIdentity::open(client(), "/t".into(), FROM, &world.host())
    }

    fn fingerprint(token: &str) -> Fingerprint {
        let mut key = CredentialKey::new("azure");
        open(&World::default().file("/t", token)).unwrap().key(&mut key);
        key.finish()
    }

    #[test]
    fn the_token_is_exchanged_as_it_is_then() {
        let source = open(&World::default().file("/t", pod("old"))).unwrap();
        let world = World::default().file("/t", format!(" {}\r\n\0", pod("new")));
        world.entra_grants(&access_token(&json!({})), None);
        let granted = now(source.obtain(&wanted(), &world.host())).unwrap();
        assert_eq!(granted.access_token.expose_secret(), access_token(&json!({})));
        assert_eq!(
            world.forms(),
            [format!(
                "grant_type=client_credentials \
                 client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
                 client_assertion={} client_id={CLIENT} scope={AKS}/.default",
                pod("new")
            )]
        );
        assert!(matches!(world.http.requests()[0].retry, Retry::Safe(_)));
        let shown = format!("{source:?} {:?}", world.notes.lines());
        assert!(shown.contains("system:serviceaccount:a:b"), "{shown}");
        assert!(!shown.contains("e30."), "{shown}");
    }

    #[test]
    fn another_bearer_is_another_credential_and_a_newer_token_is_not() {
        let same = fingerprint(&pod("a"));
        assert_eq!(same, fingerprint(&pod("b")));
        for other in [
            json!({ "iss": "https://oidc.example/", "sub": "system:serviceaccount:a:c" }),
            json!({ "iss": "https://other.example/", "sub": "system:serviceaccount:a:b" }),
        ] {
            assert_ne!(same, fingerprint(&jwt(&other, "a")), "{other}");
        }
    }

    #[test]
    fn what_is_no_token_is_neither_sent_nor_shown() {
        let key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----";
        for contents in [
            String::new(),
            "hunter2".to_owned(),
            "hunter2 hunter2".to_owned(),
            "hunter2.hunter2.hunter2".to_owned(),
            key.to_owned(),
            "x".repeat(1 << 20),
            jwt(&json!({}), "s"),
            jwt(&json!({ "iss": "i" }), "s"),
            jwt(&json!({ "iss": "i", "sub": 7 }), "s"),
            jwt(&json!([{ "iss": "i", "sub": "s" }]), "s"),
            jwt(&json!({ "iss": "i", "sub": "s" }), ""),
            format!("{}.{0}", pod("s")),
        ] {
            let error = open(&World::default().file("/t", contents.as_str())).expect_err(&contents);
            assert_eq!(error.kind(), Kind::Config);
            assert_eq!(error.message(), format!("`/t`, which {FROM} names, holds no token"));
            assert!(error.cause().unwrap().contains("not sent"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert!(open(&World::default().file("/t", *b"\xff\xfe")).is_err());
        let error = open(&World::default()).unwrap_err().to_string();
        assert_eq!(error, format!("there is no token file `/t`: {FROM} names it"));
    }

    #[test]
    fn a_token_that_is_over_is_not_sent() {
        let seconds = NOW.parse::<Timestamp>().unwrap().as_second();
        let with = |end: i64| {
            let token = jwt(&json!({ "iss": "i", "sub": "s", "exp": end }), "s");
            let world = World::default().file("/t", token);
            world.entra_grants(&access_token(&json!({})), None);
            let outcome = now(open(&world).unwrap().obtain(&wanted(), &world.host()));
            (outcome, world.http.requests().len())
        };
        for end in [seconds + 60, seconds - 300, i64::MAX, i64::MIN] {
            assert!(with(end).0.is_ok(), "{end}");
        }
        let (error, sent) = with(seconds - 301);
        let error = error.unwrap_err();
        assert_eq!((error.kind(), sent), (Kind::Config, 0));
        assert_eq!(error.message(), "the token in `/t` is over, and was not sent");
        assert_eq!(error.next_line(), Some("ls -l /t"));
    }

    #[test]
    fn nobody_trusts_the_token_and_its_names_are_shown() {
        let claims = json!({ "iss": "https://oidc.example/", "sub": "system:serviceaccount:a:b",
            "aud": ["api://AzureADTokenExchange"] });
        let world = World::default().file("/t", jwt(&claims, "s"));
        let body = json!({ "error": "invalid_client", "error_codes": [700_213],
            "error_description": "AADSTS700213: No matching federated identity record found." });
        world.http.answer(401, &[], &body.to_string());
        let error = now(open(&world).unwrap().obtain(&wanted(), &world.host())).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        for word in
            ["https://oidc.example/", "system:serviceaccount:a:b", "api://AzureADTokenExchange"]
        {
            assert!(error.to_string().contains(word), "{error}");
        }
        assert!(!error.to_string().contains("e30."), "{error}");
        assert_eq!(world.http.requests().len(), 1);
    }
}
