//! The file that `aws login` leaves in somebody's HOME, byte for byte as Python writes it.

use std::io;
use std::path::PathBuf;

use aws_lc_rs::digest;

use super::LoginSession;
use crate::aws::files::object;
use crate::clock::iso8601;
use crate::home::Home;
use crate::random;

impl Home {
    /// `~/.aws/login/cache/SHA256.json` of who signed in.
    pub fn login_token(&self, session: &LoginSession) -> io::Result<PathBuf> {
        let LoginSession { arn, keys, refresh_token, client_id, id_token, dpop_key } = session;
        let expires = iso8601(keys.expires);
        let lent = object(
            &[
                ("accessKeyId", keys.access_key_id.as_str()),
                ("secretAccessKey", &keys.secret_access_key),
                ("sessionToken", &keys.session_token),
                ("accountId", &keys.identity.account),
                ("expiresAt", &expires),
            ],
            ", ",
            ": ",
        );
        let rest = object(
            &[
                ("tokenType", "aws_sigv4"),
                ("clientId", client_id),
                ("refreshToken", refresh_token),
                ("idToken", id_token),
                ("dpopKey", dpop_key),
            ],
            ", ",
            ": ",
        );
        let text = format!("{{\"accessToken\": {lent}, {}", &rest[1..]);
        self.write(self.login_token_file(arn), text)
    }

    /// Where that file is, whether it is or not.
    pub fn login_token_file(&self, arn: &str) -> PathBuf {
        let name = random::hex(digest::digest(&digest::SHA256, arn.as_bytes()).as_ref());
        self.join(format!(".aws/login/cache/{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_one_that_botocore_gives() {
        let home = Home::temporary().unwrap();
        let file = home.login_token_file("arn:aws:iam::0123456789012:user/Admin");
        // cache-key-goldens.json
        let name = "36db1d138ff460920374e4c3d8e01f53f9f73537e89c88d639f68393df0e2726.json";
        assert_eq!(file.file_name().unwrap().to_str(), Some(name));
    }
}
