//! Authorization codes: each is good once, for ten minutes, for whoever knows what its challenge was made of.

use std::collections::HashMap;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::authorize::Asked;
use super::errors::{Refusal, Result};
use crate::random;

/// All that were ever handed out.
#[derive(Debug, Default)]
pub(crate) struct Codes(HashMap<String, Code>);

#[derive(Debug)]
struct Code {
    asked: Asked,
    username: String,
    issued: Timestamp,
    redeemed: bool,
}

impl Codes {
    pub(crate) fn issue(&mut self, asked: Asked, username: &str, now: Timestamp) -> String {
        let code = format!("1.A{}", random::base64(510).replace('+', "-").replace('/', "_"));
        let username = username.to_owned();
        self.0.insert(code.clone(), Code { asked, username, issued: now, redeemed: false });
        code
    }

    /// What was asked and who signed in, once.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        client_id: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        now: Timestamp,
    ) -> Result<(Asked, String)> {
        let Some(found) = self.0.get_mut(code) else {
            return Err(Refusal::new(
                70000,
                "The provided value for the input parameter 'code' is not valid.",
            ));
        };
        if !found.asked.client_id.eq_ignore_ascii_case(client_id) {
            return Err(Refusal::new(700_007, "The grant was issued for a different client id."));
        }
        if found.redeemed {
            return Err(Refusal::new(
                54005,
                "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing \
                 refresh token.",
            ));
        }
        if found.issued.saturating_add(LIFE).unwrap_or(Timestamp::MAX) <= now {
            return Err(Refusal::new(
                70008,
                "The provided authorization code or refresh token has expired.",
            ));
        }
        if found.asked.redirect_uri != redirect_uri {
            return Err(Refusal::new(
                500_112,
                format!(
                    "The reply address '{redirect_uri}' does not match the reply address '{}' provided when requesting \
                     Authorization code.",
                    found.asked.redirect_uri
                ),
            ));
        }
        let made = digest::digest(&digest::SHA256, verifier.unwrap_or_default().as_bytes());
        if !verifier.is_some_and(well_formed)
            || URL_SAFE_NO_PAD.encode(made) != found.asked.challenge
        {
            return Err(Refusal::new(
                501_481,
                "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
            ));
        }
        found.redeemed = true;
        Ok((found.asked.clone(), found.username.clone()))
    }
}

/// 43 to 128 unreserved characters (RFC 7636, section 4.1).
fn well_formed(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

const LIFE: SignedDuration = SignedDuration::from_mins(10);
