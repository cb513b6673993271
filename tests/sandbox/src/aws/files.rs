//! The files that `aws` leaves in somebody's HOME, byte for byte as Python writes them.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use aws_lc_rs::digest;

use crate::aws::accounts::{Credentials, User};
use crate::aws::sso::SsoSession;
use crate::clock::iso8601;
use crate::home::Home;
use crate::random;

/// How a profile names the SSO session that it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsoName<'a> {
    /// The `sso_session` of the profile.
    Session(&'a str),
    /// The `sso_start_url` of a profile that has no session.
    StartUrl(&'a str),
}

impl Home {
    /// `~/.aws/config`.
    pub fn aws_config(&self, text: &str) -> io::Result<PathBuf> {
        self.write(".aws/config", text)
    }

    /// `~/.aws/credentials` with one profile per user.
    pub fn aws_credentials(&self, profiles: &[(&str, &User)]) -> io::Result<PathBuf> {
        let section = |(profile, user): &(&str, &User)| {
            let User { access_key_id, secret_access_key, .. } = user;
            format!(
                "[{profile}]\naws_access_key_id = {access_key_id}\naws_secret_access_key = {secret_access_key}\n"
            )
        };
        self.write(".aws/credentials", profiles.iter().map(section).collect::<Vec<_>>().join("\n"))
    }

    /// What `aws sso login` leaves: `~/.aws/sso/cache/SHA1.json` of the session's name, or of the start URL where a
    /// profile has no session. Such a profile asks for no scopes, so its file has no refresh token whatever the
    /// session has.
    pub fn sso_token(
        &self,
        session_name_or_start_url: &str,
        session: &SsoSession,
    ) -> io::Result<PathBuf> {
        let SsoSession {
            user: _,
            access_token,
            expires,
            refresh_token,
            client_id,
            client_secret,
            registration_expires,
            start_url,
            region,
        } = session;
        let (expires, registration) = (iso8601(*expires), iso8601(*registration_expires));
        let mut members = vec![
            ("startUrl", start_url.as_str()),
            ("region", region),
            ("accessToken", access_token),
            ("expiresAt", &expires),
            ("clientId", client_id),
            ("clientSecret", client_secret),
            ("registrationExpiresAt", &registration),
        ];
        if !session_name_or_start_url.contains("://") {
            members.extend(refresh_token.as_deref().map(|token| ("refreshToken", token)));
        }
        let name = sha1(session_name_or_start_url);
        self.write(format!(".aws/sso/cache/{name}.json"), object(&members, ", ", ": "))
    }

    /// What `aws` v2 keeps of a role that the portal lent: `~/.aws/cli/cache/SHA1.json` of account, role and session.
    /// (v1 keeps SSO roles nowhere.)
    pub fn aws_cli_cache(
        &self,
        name: SsoName<'_>,
        account: &str,
        role: &str,
        credentials: &Credentials,
    ) -> io::Result<PathBuf> {
        let Credentials { access_key_id, secret_access_key, session_token, expires, identity: _ } =
            credentials;
        let expires = iso8601(*expires);
        let members = [
            ("AccessKeyId", access_key_id.as_str()),
            ("SecretAccessKey", secret_access_key),
            ("SessionToken", session_token),
            ("Expiration", &expires),
            ("AccountId", account),
        ];
        let credentials = object(&members, ", ", ": ");
        let text = format!("{{\"ProviderType\": \"sso\", \"Credentials\": {credentials}}}");
        self.write(self.aws_cli_cache_file(name, account, role), text)
    }

    /// Where that file is, whether it is or not.
    pub fn aws_cli_cache_file(&self, name: SsoName<'_>, account: &str, role: &str) -> PathBuf {
        let (key, value) = match name {
            SsoName::Session(name) => ("sessionName", name),
            SsoName::StartUrl(url) => ("startUrl", url),
        };
        let key = object(&[("accountId", account), ("roleName", role), (key, value)], ",", ":");
        self.join(format!(".aws/cli/cache/{}.json", sha1(&key)))
    }

    /// A projected service account token, as `AWS_WEB_IDENTITY_TOKEN_FILE` names one.
    pub fn web_identity_token(&self, token: &str) -> io::Result<PathBuf> {
        self.write("var/run/secrets/eks.amazonaws.com/serviceaccount/token", token)
    }

    /// The same for the Pod Identity agent. Written again, it was rotated.
    pub fn pod_identity_token(&self, token: &str) -> io::Result<PathBuf> {
        let folder = "var/run/secrets/pods.eks.amazonaws.com/serviceaccount";
        self.write(format!("{folder}/eks-pod-identity-token"), token)
    }
}

/// An object as Python's `json.dumps` writes one with these separators.
pub(crate) fn object(members: &[(&str, &str)], comma: &str, colon: &str) -> String {
    let members: Vec<_> = members
        .iter()
        .map(|(key, value)| format!("{}{colon}{}", quoted(key), quoted(value)))
        .collect();
    format!("{{{}}}", members.join(comma))
}

/// A string in ASCII.
fn quoted(text: &str) -> String {
    let mut ascii = String::new();
    for character in serde_json::Value::from(text).to_string().chars() {
        if matches!(character, ' '..='~') {
            ascii.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(ascii, "\\u{unit:04x}"); // a String takes everything
        }
    }
    ascii
}

fn sha1(text: &str) -> String {
    random::hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_botocore_gives() {
        let home = Home::temporary().unwrap();
        let file = |name| {
            let path = home.aws_cli_cache_file(name, "123456789012", "Admin");
            path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        // cache-key-goldens.json
        let session = file(SsoName::Session("corp"));
        assert_eq!(session, "8457bc68cf9d4aa8d629a61563948e8bd3159d49.json");
        let legacy = file(SsoName::StartUrl("https://my.awsapps.com/start"));
        assert_eq!(legacy, "2022a26817a8409407d383b27f88f3656d96b72b.json");
        assert_eq!(sha1("corp"), "ee0bfd2552fbd840c02cc48b6e823320543c450f");
        assert_eq!(
            sha1(&object(
                &[("ExternalId", "é\"\\/"), ("RoleArn", "arn:aws:iam::123456789012:role/R")],
                ", ",
                ": "
            )),
            "b0853bf3b64ecaeb6039b11259ebcc64c67302b7"
        );
    }

    #[test]
    fn a_string_in_ascii() {
        assert_eq!(quoted("a/\u{7f}\n\u{1f512}"), r#""a/\u007f\n\ud83d\udd12""#);
    }
}
