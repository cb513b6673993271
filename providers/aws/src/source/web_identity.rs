//! A federated token, such as a pod's, exchanged for a role.
//!
//! Its owner writes the file anew every hour or so: it is read again for each exchange. Credentials
//! are told apart by whom the token is for, not by the token, so a new one does not cost a call.

use std::path::{Path, PathBuf};

use fleetkey_provider::{
    CredentialKey, Error, ExposeSecret, Fingerprint, Host, Result, SecretString, shown,
};
use serde::Deserialize;

use super::{SessionName, automatic_name};
use crate::{
    errors::Asker,
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
    identity: Identity,
    sts: Sts,
}

/// Whom a token is for.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Identity {
    /// What it says itself. It is not verified: STS will.
    Jwt { iss: String, sub: String },
    /// Unknown, so the token stands for itself.
    Opaque(Fingerprint),
}

impl WebIdentity {
    /// Reads whom the token is for.
    pub(crate) fn open(plan: plan::WebIdentity, sts: Sts, host: &Host) -> Result<Self> {
        let plan::WebIdentity { role, token_file, session_name, profile } = plan;
        let token_file = profiles::expand(&token_file, host).unwrap_or(token_file);
        let identity = Identity::of(&read(&token_file, host)?);
        Ok(Self { role, token_file, session_name, profile, identity, sts })
    }

    /// Role, session name and whom the token is for.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { role, token_file: _, session_name, profile: _, identity, sts } = self;
        key.field("web identity role", role.as_str());
        session_name.key(key);
        let (iss, sub, token) = match identity {
            Identity::Jwt { iss, sub } => (Some(iss.as_str()), Some(sub.as_str()), None),
            Identity::Opaque(token) => (None, None, Some(token.to_string())),
        };
        key.maybe("iss", iss);
        key.maybe("sub", sub);
        key.maybe("token", token.as_deref());
        sts.key(key);
    }

    /// Exchanges the token, as it is now.
    pub(crate) async fn obtain(&self, host: &Host) -> Result<Keys> {
        let token = read(&self.token_file, host)?;
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
        let keys = self.sts.lent(&question, host).await?;
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

impl Identity {
    fn of(token: &SecretString) -> Self {
        #[derive(Deserialize)]
        struct Claims {
            iss: String,
            sub: String,
        }
        match jsonwebtoken::dangerous::insecure_decode_claims(token.expose_secret()) {
            Ok(Claims { iss, sub }) => Self::Jwt { iss, sub },
            Err(_) => Self::Opaque(Fingerprint::of(token.expose_secret().as_bytes())),
        }
    }
}

/// The token, as STS would take it. What is no token is not sent: a variable can point the file
/// anywhere, to a private key for instance.
fn read(path: &Path, host: &Host) -> Result<SecretString> {
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
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("a blank, a line break or some other such character stands in it"));
    }
    Ok(token.into())
}

/// The longest token STS takes.
const LONGEST: usize = 20_000;

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticFiles;

    use super::*;
    use crate::testing::{ROLE, World};

    fn token(contents: &[u8]) -> Result<SecretString> {
        let files = Box::new(StaticFiles::new([("/t", contents)]));
        read(Path::new("/t"), &Host { files, ..Host::refusing() })
    }

    #[test]
    fn a_token_is_read_without_what_editors_leave_behind() {
        assert_eq!(token(b" a.b.c\r\n\0").unwrap().expose_secret(), "a.b.c");
    }

    #[test]
    fn what_is_no_token_is_neither_sent_nor_shown() {
        let key = b"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----".as_slice();
        for contents in [key, b"", b" \n", b"hunter2 hunter2", b"hunter2\xff", &vec![b'x'; 20_001]]
        {
            let error = token(contents).unwrap_err().to_string();
            assert!(error.starts_with("`/t` holds no token"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_token_is_told_apart_by_whom_it_is_for() {
        // {"iss":"i","sub":"s"}, with different signatures
        let one = Identity::of(&"e30.eyJpc3MiOiJpIiwic3ViIjoicyJ9.x".into());
        let two = Identity::of(&"e30.eyJpc3MiOiJpIiwic3ViIjoicyJ9.y".into());
        assert_eq!(one, Identity::Jwt { iss: "i".into(), sub: "s".into() });
        assert_eq!(one, two);
        let opaque = Identity::of(&"sometoken".into());
        assert_eq!(opaque, Identity::Opaque(Fingerprint::of(b"sometoken")));
        let no_sub = Identity::of(&"e30.e30.x".into());
        assert!(matches!(no_sub, Identity::Opaque(_)));
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
        let request = world.clone().file("/t", &format!("{TOKEN}.old")).ask("").unwrap();
        let later = world.file("/t", &format!("{TOKEN}.new\n"));
        later.sts_lends("AssumeRoleWithWebIdentity");
        later.lend(request.as_ref()).unwrap();
        assert_eq!(
            later.forms(),
            [format!(
                "Action=AssumeRoleWithWebIdentity Version=2011-06-15 RoleArn={ROLE} \
                 RoleSessionName=pod WebIdentityToken={TOKEN}.new"
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
