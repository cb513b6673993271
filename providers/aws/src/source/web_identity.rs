//! A federated token, such as a pod's, exchanged for a role.
//!
//! Its owner writes the file anew every hour or so: it is read again for each exchange. Credentials
//! are told apart by what the token says of its bearer, not by the token, so a new one does not cost
//! a call.
//!
//! A variable can point the file anywhere, to a private key or a password for instance. So only what
//! can be nothing but such a token is sent: a JWT that names who issued it and for whom.

use std::path::{Path, PathBuf};

use fleetkey_provider::{
    CredentialKey, Error, ExposeSecret, Fingerprint, Host, Result, quoted, shown,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{SessionName, automatic_name};
use crate::{
    errors::Asker,
    jwt::Jwt,
    keys::Keys,
    plan, profiles,
    role_arn::RoleArn,
    sts::{Question, Sts},
};

/// A federated token, exchanged for a role.
#[derive(Clone, Debug)]
pub(crate) struct WebIdentity {
    role: RoleArn,
    token_file: PathBuf,
    session_name: SessionName,
    profile: Option<String>,
    /// What the token says of its bearer.
    bearer: Fingerprint,
    sts: Sts,
}

impl WebIdentity {
    /// Reads whom the token is for.
    pub(crate) fn open(plan: plan::WebIdentity, sts: Sts, host: &Host) -> Result<Self> {
        let plan::WebIdentity { role, token_file, session_name, profile } = plan;
        let token_file = profiles::expand(&token_file, host).unwrap_or(token_file);
        let bearer = read(&token_file, host)?.bearer();
        Ok(Self { role, token_file, session_name, profile, bearer, sts })
    }

    /// Role, session name and whom the token is for.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { role, token_file: _, session_name, profile: _, bearer, sts } = self;
        key.field("web identity role", role.as_str());
        session_name.key(key);
        key.field("web identity claims", &bearer.to_string());
        sts.key(key);
    }

    /// Where it is exchanged, unless only the machine knows the region.
    pub(crate) fn sts(&self) -> &Sts {
        &self.sts
    }

    /// Exchanges the token, as it is now.
    pub(crate) async fn obtain(&self, sts: &Sts, host: &Host) -> Result<Keys> {
        let Jwt { token, claims } = read(&self.token_file, host)?;
        not_over(&claims, &self.token_file, host.clock.now())?;
        let name = match &self.session_name {
            SessionName::Fixed(name) => name.clone(),
            SessionName::Forwarded | SessionName::Automatic => automatic_name(host),
        };
        let file = shown(&self.token_file.to_string_lossy());
        let question = Question {
            action: "AssumeRoleWithWebIdentity",
            parameters: vec![
                ("RoleArn", self.role.as_str()),
                ("RoleSessionName", &name),
                ("WebIdentityToken", token.expose_secret()),
            ],
            task: &format!("assume {}", self.role),
            asker: &Asker {
                who: format!("the token in `{file}`"),
                profile: self.profile.clone(),
                sign_in: None,
            },
            keys: None,
        };
        let keys = sts.lent(&question, host).await?;
        let account = keys.account.or_else(|| Some(self.role.account().to_owned()));
        Ok(Keys { account, ..keys })
    }

    /// As a person would say it.
    pub(crate) fn describe(&self) -> String {
        let of = match &self.profile {
            Some(profile) => format!("profile `{}`", shown(profile)),
            None => "the environment".into(),
        };
        format!("{} (web identity of {of})", self.role)
    }

    /// Who asks with its keys.
    pub(crate) fn asker(&self) -> Asker {
        Asker { who: self.role.to_string(), profile: self.profile.clone(), sign_in: None }
    }
}

/// Refuses a token that is over, since STS would, with a secret in hand that need not have traveled.
fn not_over(claims: &Map<String, Value>, path: &Path, now: Timestamp) -> Result<()> {
    let end = claims.get("exp").and_then(Value::as_f64);
    // a number of seconds beyond all times is no end
    #[allow(clippy::cast_possible_truncation, reason = "as a time it is whole seconds anyway")]
    let Some(end) = end.and_then(|end| Timestamp::from_second(end as i64).ok()) else {
        return Ok(());
    };
    if now.duration_since(end) <= LEEWAY {
        return Ok(());
    }
    let path = path.to_string_lossy();
    Err(Error::config(format!("the token in `{}` is over, and was not sent", shown(&path)))
        .because(format!("it ended at {end}, and nobody has written a new one there since"))
        .next(format!("ls -l {}", quoted(&path))))
}

/// The token, without what editors leave around it.
fn read(path: &Path, host: &Host) -> Result<Jwt> {
    let name = shown(&path.to_string_lossy());
    let Some(bytes) = host.files.read(path)? else {
        return Err(Error::config(format!("there is no token file `{name}`"))
            .because("`AWS_WEB_IDENTITY_TOKEN_FILE` or `web_identity_token_file` names it"));
    };
    let wrong = |cause: &str| Error::config(format!("`{name}` holds no token")).because(cause);
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not text"))?;
    let token = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    if token.is_empty() {
        return Err(wrong("it is empty"));
    }
    if token.len() > LONGEST {
        return Err(wrong("it is longer than any token that STS takes"));
    }
    Jwt::of(token).ok_or_else(|| {
        wrong("it is not a JWT that names its issuer (`iss`) and its subject (`sub`); not sent")
    })
}

/// How wrong this machine's clock may be.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);

/// The longest token STS takes.
const LONGEST: usize = 20_000;

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use fleetkey_provider::testing::StaticFiles;

    use super::*;
    use crate::testing::{NOW, ROLE, World};

    fn token(contents: &[u8]) -> Result<Jwt> {
        let files = Box::new(StaticFiles::new([("/t", contents)]));
        read(Path::new("/t"), &Host { files, ..Host::refusing() })
    }

    /// A token that says this, with that signature.
    fn jwt(claims: &str, signature: &str) -> String {
        let [claims, signature] =
            [claims, signature].map(|text| BASE64_URL_SAFE_NO_PAD.encode(text));
        format!("e30.{claims}.{signature}")
    }

    #[test]
    fn a_token_is_read_without_what_editors_leave_behind() {
        let file = format!(" {TOKEN}.bmV3\r\n\0");
        let read = token(file.as_bytes()).unwrap();
        assert_eq!(read.token.expose_secret(), format!("{TOKEN}.bmV3"));
    }

    #[test]
    fn what_is_no_token_is_neither_sent_nor_shown() {
        let key = b"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----".as_slice();
        for contents in [key, b"", b" \n", b"hunter2 hunter2", b"hunter2\xff", &vec![b'x'; 20_001]]
        {
            let error = token(contents).err().unwrap().to_string();
            assert!(error.starts_with("`/t` holds no token"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_secret_of_one_word_is_no_token() {
        for contents in [
            "hunter2".to_owned(),
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter2".to_owned(),
            "hunter2.hunter2.hunter2".to_owned(),
            jwt("hunter2", "s"),
            jwt("{}", "s"),
            jwt(r#"{"iss":"i"}"#, "s"),
            jwt(r#"{"iss":"i","sub":7}"#, "s"),
            jwt(r#"[{"iss":"i","sub":"s"}]"#, "s"),
            jwt(r#"{"iss":"i","sub":"s"}"#, ""),
            format!("{TOKEN}.bmV3.bmV3"),
            format!("{TOKEN}.a b"),
            format!("e?30.{}", jwt(r#"{"iss":"i","sub":"s"}"#, "s").trim_start_matches("e30.")),
        ] {
            let error = token(contents.as_bytes()).err().expect(&contents);
            assert_eq!(error.message(), "`/t` holds no token");
            assert!(error.cause().unwrap().contains("not sent"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        // nothing is sent either
        let world = World::new().env(&WEB).file("/t", "hunter2");
        assert!(world.ask("").is_err());
        assert!(world.http.requests().is_empty());
    }

    #[test]
    fn a_token_that_is_over_is_not_sent() {
        let with = |end: i64| {
            let world = World::new().env(&WEB);
            let claims = format!(r#"{{"iss":"i","sub":"s","exp":{end}}}"#);
            let world = world.file("/t", &jwt(&claims, "s"));
            world.sts_lends("AssumeRoleWithWebIdentity");
            let request = world.ask("").unwrap();
            (world.lend(request.as_ref()), world.http.requests().len())
        };
        let now = NOW.parse::<Timestamp>().unwrap().as_second();
        for end in [now + 60, now - 300, i64::MAX] {
            assert!(with(end).0.is_ok(), "{end}");
        }
        let (error, sent) = with(now - 301);
        let error = error.unwrap_err();
        assert_eq!((error.kind(), sent), (fleetkey_provider::Kind::Config, 0));
        assert_eq!(error.message(), "the token in `/t` is over, and was not sent");
        assert_eq!(error.next_line(), Some("ls -l /t"));
    }

    const WEB: [(&str, &str); 3] = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"),
        ("AWS_ROLE_ARN", ROLE),
        ("AWS_ROLE_SESSION_NAME", "pod"),
    ];
    const TOKEN: &str = "e30.eyJpc3MiOiJpIiwic3ViIjoicyJ9";

    #[test]
    fn the_token_is_exchanged_as_it_is_then_and_unsigned() {
        let world = World::new().env(&WEB);
        let request = world.clone().file("/t", &format!("{TOKEN}.b2xk")).ask("").unwrap();
        let later = world.file("/t", &format!("{TOKEN}.bmV3\n"));
        later.sts_lends("AssumeRoleWithWebIdentity");
        later.lend(request.as_ref()).unwrap();
        assert_eq!(
            later.forms(),
            [format!(
                "Action=AssumeRoleWithWebIdentity Version=2011-06-15 RoleArn={ROLE} \
                 RoleSessionName=pod WebIdentityToken={TOKEN}.bmV3"
            )]
        );
        let [content_type] = &later.http.requests()[0].headers[..] else { panic!("signed") };
        assert_eq!(content_type.0, "content-type");
        assert_eq!(request.fingerprint(), later.ask("").unwrap().fingerprint());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = World::new().env(&WEB).ask("").unwrap_err().to_string();
        assert!(error.starts_with("there is no token file `/t`"), "{error}");
    }
}
