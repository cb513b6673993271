//! What stands in an access token, and whether it is the one that was asked for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fleetkey_provider::{Error, ExposeSecret, Host, Result, SecretString, shown};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::{authority::is_guid, server_id::ServerId, source::Granted};

/// What is read of an access token. Its signature is the API server's to check.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    /// When it was issued.
    pub(crate) issued: Timestamp,
    /// When it ends.
    pub(crate) expires: Timestamp,
}

/// Reads an access token. Errors if it is for another server or of another tenant than asked for, has
/// no end, or has characters that no header may have: it is neither kept nor printed then.
pub(crate) fn check(
    granted: &Granted,
    server: &ServerId,
    tenant: Option<&str>,
    host: &Host,
) -> Result<Claims> {
    let token = granted.access_token.expose_secret();
    let claims = payload(token).ok_or_else(|| unreadable(token))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let other = |what: &str, asked: &str, came: Option<&str>| {
        let came = came.map_or_else(|| "none".to_owned(), |came| format!("`{}`", shown(came)));
        Error::failed(format!("the token that came is of another {what}"))
            .because(format!("`{}` was asked for, and {came} came", shown(asked)))
    };
    if !text("aud").is_some_and(|audience| server.is_audience(audience)) {
        return Err(other("server", server.resource(), text("aud")));
    }
    if let Some(tenant) = tenant.filter(|tenant| is_guid(tenant))
        && !text("tid").is_some_and(|tid| tid.eq_ignore_ascii_case(tenant))
    {
        return Err(other("tenant", tenant, text("tid")));
    }
    times(&claims, host.clock.now())
}

/// Whether the person who signed in is the one that was named. Checked against every name that the
/// tokens have; where they have none, nothing is known and nothing is said.
pub(crate) fn check_person(
    hint: &str,
    access_token: &SecretString,
    id_token: Option<&SecretString>,
) -> Result<()> {
    let payloads: Vec<_> = [Some(access_token), id_token]
        .into_iter()
        .flatten()
        .filter_map(|token| payload(token.expose_secret()))
        .collect();
    // of a guest with a personal account it is `live.com#me@example.com`
    let plain = |name: &str| name.strip_prefix("live.com#").unwrap_or(name).to_lowercase();
    let names: Vec<&str> = payloads
        .iter()
        .flat_map(|payload| NAMES.iter().filter_map(|name| payload.get(*name)?.as_str()))
        .collect();
    if names.is_empty() || names.iter().any(|name| plain(name) == plain(hint)) {
        return Ok(());
    }
    let came = names.first().copied().unwrap_or_default();
    Err(Error::refused("somebody else signed in").because(format!(
        "`--login-hint` asks for `{}`, and `{}` came",
        shown(hint),
        shown(came)
    )))
}

/// The name that whoever this is lent to signs in with; `None` if it has none that could be typed.
pub(crate) fn person(access_token: &str) -> Option<String> {
    let claims = payload(access_token)?;
    let name = NAMES.iter().find_map(|name| claims.get(*name)?.as_str())?;
    // of a guest with a personal account it is `live.com#me@example.com`
    let name = name.strip_prefix("live.com#").unwrap_or(name);
    let is_plain = |c: char| c.is_alphanumeric() || "@._-+'".contains(c);
    let is_one = name.contains('@') && !name.starts_with('-') && name.len() <= 254;
    (is_one && name.chars().all(is_plain)).then(|| name.to_owned())
}

/// The claims of a JWT, unchecked. `None` if it is none, or has characters that do not belong there.
pub(crate) fn payload(token: &str) -> Option<Map<String, Value>> {
    if token.len() > LONGEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    object(header)?;
    object(payload)
}

/// The header of a JWT, unchecked.
pub(crate) fn header(token: &str) -> Option<Map<String, Value>> {
    object(token.split('.').next()?)
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok()
}

fn unreadable(token: &str) -> Error {
    let cause = if token.is_empty() {
        "it is empty"
    } else if token.len() > LONGEST {
        "it is longer than any token an API server would take"
    } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        "it has characters that no header may have"
    } else {
        "it is no JWT: whom it is for and until when cannot be read, and an API server could not either"
    };
    Error::failed("the access token that came is none").because(cause)
}

fn times(claims: &Map<String, Value>, now: Timestamp) -> Result<Claims> {
    let time = |name: &str| Timestamp::from_second(claims.get(name)?.as_i64()?).ok();
    let wrong = |cause: String| {
        Err(Error::failed("the token that came is not valid now").because(cause).next("date -u"))
    };
    let Some(expires) = time("exp") else {
        return Err(Error::failed("the token that came has no end")
            .because("it has no `exp` that is a time"));
    };
    if expires <= now {
        return wrong(format!("it ended at {expires}, and this machine's clock says {now}"));
    }
    if expires.duration_since(now) > LONGEST_LIFE {
        return wrong(format!("it ends at {expires}, and this machine's clock says {now}"));
    }
    let begins = time("nbf").or_else(|| time("iat"));
    if let Some(begins) = begins.filter(|begins| begins.duration_since(now) > FORGIVEN) {
        return wrong(format!("it begins at {begins}, and this machine's clock says {now}"));
    }
    let issued = time("iat").or_else(|| time("nbf")).unwrap_or(now).min(now);
    Ok(Claims { issued, expires })
}

/// What may name a person: v1, v1 where there is no `upn`, v2.
const NAMES: &[&str] = &["upn", "unique_name", "preferred_username"];
/// Far beyond what fits into a header; Entra stops at 200 groups.
const LONGEST: usize = 64 * 1024;
/// An hour is usual, 24 hours come of a lifetime policy or a metadata service, 28 of continuous
/// access evaluation.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(48);
/// What clocks may differ.
const FORGIVEN: SignedDuration = SignedDuration::from_mins(5);

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;
    use serde_json::json;

    use super::*;
    use crate::{
        server_id::AKS,
        testing::{TENANT, World, access_token, wanted},
    };

    fn checked(token: &str) -> Result<Claims> {
        let granted = Granted { access_token: token.into() };
        check(&granted, &wanted().server, Some(TENANT), &World::default().host())
    }

    #[test]
    fn a_token_as_it_should_be() {
        let claims = checked(&access_token(&json!({}))).unwrap();
        assert_eq!(claims.issued.to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(claims.expires.to_string(), "2026-01-02T04:19:05Z");
        for good in [
            json!({ "aud": format!("spn:{AKS}") }),
            json!({ "tid": TENANT.to_uppercase() }),
            json!({ "nbf": null, "iat": null }),
            json!({ "exp": 1_767_323_045 + 28 * 3600 }),
            json!({ "nbf": 1_767_323_045 + 250 }),
        ] {
            checked(&access_token(&good)).unwrap();
        }
    }

    #[test]
    fn what_was_not_asked_for_is_refused_with_both() {
        for (bad, words) in [
            (
                json!({ "aud": "https://management.azure.com/" }),
                "`https://management.azure.com/` came",
            ),
            (json!({ "aud": null }), "none came"),
            (json!({ "aud": [AKS] }), "none came"),
            (json!({ "aud": "\u{1b}[2J" }), "came"),
            (json!({ "tid": "22222222-2222-2222-2222-222222222222" }), "`22222222"),
            (json!({ "tid": null }), "none came"),
            (json!({ "exp": null }), "no `exp`"),
            (json!({ "exp": "1767327545" }), "no `exp`"),
            (json!({ "exp": 1e300 }), "no `exp`"),
            (json!({ "exp": i64::MAX }), "no `exp`"),
            (json!({ "exp": 1_767_323_045 }), "it ended at"),
            (json!({ "exp": 1_767_323_045 + 49 * 3600 }), "it ends at"),
            (json!({ "nbf": 1_767_323_045 + 301 }), "it begins at"),
            (json!({ "nbf": null, "iat": 1_767_323_045 + 301 }), "it begins at"),
        ] {
            let error = checked(&access_token(&bad)).unwrap_err();
            assert_eq!(error.kind(), Kind::Failed);
            assert!(error.to_string().contains(words), "{bad}: {error}");
            assert!(!error.to_string().contains('\u{1b}'), "{error}");
        }
    }

    #[test]
    fn a_domain_cannot_be_compared() {
        let granted = Granted { access_token: access_token(&json!({ "tid": "x" })).into() };
        let host = World::default().host();
        check(&granted, &wanted().server, Some("contoso.com"), &host).unwrap();
        check(&granted, &wanted().server, None, &host).unwrap();
    }

    #[test]
    fn hostile_tokens_are_refused_and_never_shown() {
        let good = access_token(&json!({}));
        let deep = URL_SAFE_NO_PAD.encode("[".repeat(10_000));
        let wide = URL_SAFE_NO_PAD.encode([0xff, 0xfe]);
        for bad in [
            String::new(),
            "opaque-secret".into(),
            "a.b".into(),
            "..".into(),
            format!("{good}.x"),
            format!("{good}\r\nX-Evil: 1"),
            format!("{good}\0"),
            format!("{good}é"),
            good.replace('.', " ."),
            good.rsplit_once('.').unwrap().0.to_owned() + ".",
            good[1..].to_owned(),
            format!("e30.{deep}.x"),
            format!("e30.{wide}.x"),
            "e30.W10.x".into(),
            format!("{good}{}", "x".repeat(64 * 1024)),
        ] {
            let error = checked(&bad).unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with("the access token that came is none: it "), "{text}");
            assert!(!text.contains("secret") && !text.contains("Evil"), "{text}");
        }
    }

    #[test]
    fn the_last_of_two_claims_counts_and_is_checked() {
        let claims =
            format!(r#"{{"aud":"{AKS}","tid":"{TENANT}","exp":1767327545,"aud":"other"}}"#);
        let token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims));
        assert!(checked(&token).is_err());
    }

    #[test]
    fn the_wrong_person_is_refused() {
        let person = |hint: &str, access: &Value, id: Option<&Value>| {
            let token = |claims: &Value| -> SecretString { access_token(claims).into() };
            check_person(hint, &token(access), id.map(token).as_ref())
        };
        for (hint, access, id) in [
            ("ann@x", json!({ "upn": "Ann@X" }), None),
            ("ann@x", json!({ "unique_name": "live.com#ann@x" }), None),
            ("Ann@x", json!({ "preferred_username": "ann@x" }), None),
            ("ann@x", json!({ "upn": "ann_x#EXT#@y", "unique_name": "ann@x" }), None),
            ("ann@x", json!({}), None),
            ("ann@x", json!({ "upn": 7 }), None),
            ("ann@x", json!({}), Some(json!({ "preferred_username": "ann@x" }))),
            ("ann@x", json!({ "upn": "alias@x" }), Some(json!({ "preferred_username": "ann@x" }))),
        ] {
            person(hint, &access, id.as_ref()).unwrap();
        }
        for (access, id) in [
            (json!({ "upn": "bob@x\u{1b}" }), None),
            (json!({}), Some(json!({ "preferred_username": "bob@x" }))),
        ] {
            let error = person("ann@x", &access, id.as_ref()).unwrap_err();
            assert_eq!(error.kind(), Kind::Refused);
            assert!(error.to_string().contains("asks for `ann@x`, and `bob@x"), "{error}");
            assert!(!error.to_string().contains('\u{1b}'));
        }
        check_person("ann@x", &"opaque".into(), None).unwrap();
    }
}
