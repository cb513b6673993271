use super::sts::{assume, credentials};
use super::{ROLE, Signer, element, refusal};
use crate::{Fault, Role, Route, Sandbox, User};

/// Alice, her signer, and a role for which she has to show a code.
fn stage() -> (Sandbox, User, Signer) {
    let sandbox = Sandbox::start().unwrap();
    let user = sandbox.user("alice");
    sandbox.role(Role::new(ROLE).requires_mfa());
    let signer = Signer::from(&user);
    (sandbox, user, signer)
}

#[test]
fn a_second_factor_is_used_once() {
    let (sandbox, user, alice) = stage();
    assert_eq!(refusal(&assume(&sandbox, &alice, &[])).1, "AccessDenied");
    let (serial, code) = (user.mfa_serial(), sandbox.mfa_code(&user));
    let factor = [("SerialNumber", serial.as_str()), ("TokenCode", code.as_str())];
    assert_eq!(assume(&sandbox, &alice, &factor).status, 200);
    assert_eq!(refusal(&assume(&sandbox, &alice, &factor)).1, "AccessDenied");

    let code = sandbox.mfa_code(&user);
    let parameters = [
        ("Action", "GetSessionToken"),
        ("SerialNumber", serial.as_str()),
        ("TokenCode", code.as_str()),
    ];
    let session = credentials(&alice.post(&sandbox, &parameters, sandbox.now()));
    assert_eq!(assume(&sandbox, &session, &[]).status, 200);
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| request.parameter("TokenCode").is_none_or(|code| code == "(secret)"))
    );
}

#[test]
fn a_code_is_of_the_callers_own_device_and_looks_like_one() {
    let (sandbox, user, alice) = stage();
    let bob = sandbox.user("bob");
    let (own, bobs) = (user.mfa_serial(), bob.mfa_serial());
    let code = sandbox.mfa_code(&bob);
    let asked = |signer: &Signer, serial: &str, code: &str| {
        refusal(&assume(&sandbox, signer, &[("SerialNumber", serial), ("TokenCode", code)]))
    };
    assert_eq!(asked(&alice, &bobs, &code), (403, "AccessDenied".into()));
    for wrong in ["12345", "1234567", "12345x", ""] {
        assert_eq!(asked(&alice, &own, wrong), (400, "ValidationError".into()), "{wrong}");
    }
    assert_eq!(asked(&alice, "short", "123456"), (400, "ValidationError".into()));
    for half in [("SerialNumber", own.as_str()), ("TokenCode", "123456")] {
        assert_eq!(refusal(&assume(&sandbox, &alice, &[half])), (400, "ValidationError".into()));
    }
    // what was refused above was not used up
    let factor = [("SerialNumber", bobs.as_str()), ("TokenCode", code.as_str())];
    assert_eq!(assume(&sandbox, &Signer::from(&bob), &factor).status, 200);
}

#[test]
fn a_factor_is_the_sessions_and_not_the_roles() {
    let (sandbox, user, alice) = stage();
    let plain = credentials(&alice.post(&sandbox, &[("Action", "GetSessionToken")], sandbox.now()));
    assert_eq!(refusal(&assume(&sandbox, &plain, &[])).1, "AccessDenied");
    let (serial, code) = (user.mfa_serial(), sandbox.mfa_code(&user));
    let factor = [("SerialNumber", serial.as_str()), ("TokenCode", code.as_str())];
    let role = credentials(&assume(&sandbox, &alice, &factor));
    assert_eq!(refusal(&assume(&sandbox, &role, &[])).1, "AccessDenied");
    // a session is no caller of GetSessionToken
    let again = role.post(&sandbox, &[("Action", "GetSessionToken")], sandbox.now());
    assert_eq!(refusal(&again), (403, "AccessDenied".into()));
}

#[test]
fn a_session_can_be_denied_where_the_role_is_not() {
    let (sandbox, user, alice) = stage();
    sandbox.always(Route::GetSessionToken, Fault::access_denied());
    let (serial, code) = (user.mfa_serial(), sandbox.mfa_code(&user));
    let factor = [("SerialNumber", serial.as_str()), ("TokenCode", code.as_str())];
    let session = [("Action", "GetSessionToken"), factor[0], factor[1]];
    let reply = alice.post(&sandbox, &session, sandbox.now());
    assert_eq!(refusal(&reply), (403, "AccessDenied".into()));
    assert_eq!(element(&assume(&sandbox, &alice, &factor), "AssumedRoleId").len(), 24);
}
