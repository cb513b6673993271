//! From a kept credential to what the API server is shown.

use fleetkey_provider::{Credential, Error, ExposeSecret, Host, Result, SecretString, Token};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{
    pop::{Key, PopClaims},
    source::Granted,
};

/// AKS refuses an envelope that was signed more than 15 minutes ago (Azure/guard,
/// `pop-token-validity-duration`); one minute is for clocks that differ.
const ENVELOPE: SignedDuration = SignedDuration::from_mins(14);

/// What is kept of a token that is bound to a key.
#[derive(Deserialize, Serialize)]
struct Bound {
    access_token: String,
    key: String,
}

/// The secret of a credential: the access token, and with it the key it is bound to, if any.
pub(crate) fn secret(granted: &Granted, key: Option<&Key>) -> Result<SecretString> {
    let Granted { access_token } = granted;
    let Some(key) = key else { return Ok(access_token.clone()) };
    let bound = Bound {
        access_token: access_token.expose_secret().to_owned(),
        key: key.kept()?.expose_secret().to_owned(),
    };
    let text = serde_json::to_string(&bound)
        .map_err(|error| Error::failed("the token could not be kept").because(error.to_string()))?;
    Ok(text.into())
}

/// What is shown: the access token, or a fresh envelope around it.
pub(crate) fn token(
    credential: &Credential,
    pop: Option<&PopClaims>,
    host: &Host,
) -> Result<Token> {
    let expires = credential.expires().ok_or_else(|| Error::failed("the token has no end"))?;
    let Some(claims) = pop else {
        return Ok(Token { secret: credential.expose().into(), expires });
    };
    let Bound { access_token, key } = serde_json::from_str(credential.expose())
        .map_err(|_| Error::failed("the kept token is not one that is bound to a key"))?;
    let secret = Key::from_kept(&key.into())?.sign(&access_token, claims, host)?;
    let end = host.clock.now().checked_add(ENVELOPE).unwrap_or(expires);
    Ok(Token { secret, expires: expires.min(end) })
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use fleetkey_provider::testing::ManualClock;
    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;
    use crate::testing::{NOW, World};

    fn granted() -> Granted {
        Granted { access_token: "a.b.c".into() }
    }

    fn lent(secret: SecretString, minutes: i64) -> Credential {
        let issued: Timestamp = NOW.parse().unwrap();
        Credential::until(secret, issued, issued + SignedDuration::from_mins(minutes))
    }

    fn claims() -> PopClaims {
        PopClaims { host: "u".into() }
    }

    /// What is in an envelope.
    fn payload(token: &Token) -> Value {
        let part = token.secret.expose_secret().split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_bearer_token_passes_through() {
        let credential = lent(secret(&granted(), None).unwrap(), 60);
        // neither a clock nor chance is asked
        let token = token(&credential, None, &Host::refusing()).unwrap();
        assert_eq!(token.secret.expose_secret(), "a.b.c");
        assert_eq!(Some(token.expires), credential.expires());
    }

    #[test]
    fn an_envelope_is_signed_anew_each_time_with_the_kept_key() {
        let key = Key::generate().unwrap();
        let credential = lent(secret(&granted(), Some(&key)).unwrap(), 60);
        let (host, clock) = (World::default().host(), ManualClock::at(NOW));
        let host = Host { clock: Box::new(clock.clone()), ..host };
        let first = token(&credential, Some(&claims()), &host).unwrap();
        clock.set("2026-01-02T03:10:05Z".parse().unwrap());
        let second = token(&credential, Some(&claims()), &host).unwrap();
        let (first_said, second_said) = (payload(&first), payload(&second));
        assert_eq!((&first_said["at"], &second_said["at"]), (&"a.b.c".into(), &"a.b.c".into()));
        assert_eq!(second_said["ts"].as_i64().unwrap() - first_said["ts"].as_i64().unwrap(), 360);
        assert_ne!(first_said["nonce"], second_said["nonce"]);
        assert_eq!(first_said["cnf"], second_said["cnf"]);
        // 14 minutes each, from when it was signed
        assert_eq!(first.expires.to_string(), "2026-01-02T03:18:05Z");
        assert_eq!(second.expires.to_string(), "2026-01-02T03:24:05Z");
    }

    #[test]
    fn no_envelope_outlives_its_token() {
        let key = Key::generate().unwrap();
        let credential = lent(secret(&granted(), Some(&key)).unwrap(), 13);
        let token = token(&credential, Some(&claims()), &World::default().host()).unwrap();
        assert_eq!(Some(token.expires), credential.expires());
    }

    #[test]
    fn what_was_not_kept_with_a_key_is_an_error_without_the_token_in_it() {
        for kept in ["hunter2.b.c", "{}", r#"{"access_token":"hunter2","key":"hunter2"}"#] {
            let credential = lent(kept.into(), 60);
            let error = token(&credential, Some(&claims()), &World::default().host()).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
