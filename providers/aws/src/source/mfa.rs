//! A person's second factor: a code of their MFA device, typed once.
//!
//! With a code STS lends a session of the same identity for twelve hours (`GetSessionToken`). It
//! assumes every role that asks for the device, so it is kept in its own right, and one code serves
//! them all. STS lends none for keys that were lent themselves, and a policy may forbid it; the code
//! then goes with the role's own request, and serves that role alone.

use fleetkey_provider::{
    CredentialKey, Error, ExposeSecret, Host, Result, Rule, SecretString, SessionKey, shown,
};

use crate::{
    NAME,
    errors::Asker,
    keys::{Keys, SecondFactor},
    sts::{Question, Sts},
};

/// A person's second factor.
#[derive(Clone, Debug)]
pub(crate) struct Mfa {
    serial: String,
    /// The access key id the device goes with, or what stands for a source that lends new ones.
    source: String,
    sts: Sts,
    sign_in_line: String,
}

impl Mfa {
    /// The device of whoever has that access key id.
    pub(crate) fn new(serial: String, source: String, sts: Sts, sign_in_line: String) -> Self {
        Self { serial, source, sts, sign_in_line }
    }

    /// Who types: the owner of a device and a pair of keys.
    pub(crate) fn session(&self) -> SessionKey {
        SessionKey::new(NAME, &[("mfa serial", &self.serial), ("access key id", &self.source)])
    }

    /// The device and the pair, wherever the pair stands.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { serial, source, sts, sign_in_line: _ } = self;
        key.field("mfa serial", serial);
        key.field("mfa access key id", source);
        sts.key(key);
    }

    /// As a person would say it.
    pub(crate) fn describe(&self) -> String {
        format!("the MFA device {}", shown(&self.serial))
    }

    /// The line with which a person types the code by hand.
    pub(crate) fn sign_in_line(&self) -> &str {
        &self.sign_in_line
    }

    /// Where a code is shown.
    pub(crate) fn sts(&self) -> &Sts {
        &self.sts
    }

    /// Nobody typed a code of late.
    pub(crate) fn needed(&self, asker: &Asker) -> Error {
        Error::sign_in_needed(format!("{} needs an MFA code", asker.who))
            .because(format!("a role asks for the device {}", shown(&self.serial)))
            .next(&self.sign_in_line)
    }

    /// Has a person type a code: the keys of a session that showed it, or the same keys with the code
    /// beside them, for one request. `sts` is where it is asked in the region that counts.
    pub(crate) async fn sign_in(
        &self,
        sts: &Sts,
        source: Keys,
        asker: &Asker,
        host: &Host,
    ) -> Result<Keys> {
        let with_line = |error: Error| error.or_next(|| self.sign_in_line.clone());
        let code = host.person.ask(&format!("MFA code for {}: ", self.serial));
        let code = code.and_then(|code| six_digits(&code).map(|()| code)).map_err(with_line)?;
        if source.session_token.is_none() {
            let question = Question {
                action: "GetSessionToken",
                parameters: vec![
                    ("DurationSeconds", TWELVE_HOURS),
                    ("SerialNumber", &self.serial),
                    ("TokenCode", code.expose_secret()),
                ],
                task: "have a session with an MFA code",
                asker,
                keys: Some(&source),
            };
            let lent = sts.lent_if_allowed(&question, host).await.map_err(with_line)?;
            if let Some(keys) = lent {
                let Keys { account, session_stamp, region, .. } = source;
                return Ok(Keys { account, session_stamp, region, ..keys });
            }
        }
        let second_factor = Some(SecondFactor { serial: self.serial.clone(), code });
        // no end: with the code they are good for one request, and are not to be kept
        Ok(Keys { expires: None, second_factor, ..source })
    }
}

/// What STS takes as `TokenCode`. The error does not repeat it: it may be a password.
fn six_digits(code: &SecretString) -> Result<()> {
    CODE.check("what was typed", code.expose_secret()).map_err(|_| {
        Error::sign_in_needed("what was typed is no MFA code").because("a code has six digits")
    })
}

const CODE: Rule =
    Rule { what: "a code", min: 6, max: 6, allows: |c| c.is_ascii_digit(), allowed: "digits" };

/// The most that an assumed role can have, and less than an IAM user may ask for (36 hours).
const TWELVE_HOURS: &str = "43200";

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        Credential, Error, Host, Kind, Means, Request, Result, Retry, SignIn, SignedIn,
        testing::ScriptedPerson,
    };

    use crate::testing::{ROLE, World, now};

    const DEVICE: &str = "arn:aws:iam::123456789012:mfa/me";
    const OTHER: &str = "arn:aws:iam::123456789012:role/other";
    const LINE: &str = "fleetkey login aws --cluster-name c --region eu-west-1 --profile prod-mfa";

    /// A profile with a device over keys, another one, and one over SSO.
    fn world() -> World {
        let profile = |name: &str, role: &str, source: &str| {
            format!(
                "[{name}]\nrole_arn = {role}\nsource_profile = {source}\nmfa_serial = {DEVICE}\n"
            )
        };
        let text = profile("prod-mfa", ROLE, "keys")
            + &profile("other-mfa", OTHER, "twin")
            + &profile("sso-mfa", ROLE, "dev")
            + "[twin]\naws_access_key_id = AKIDKEYS\naws_secret_access_key = hunter2\n"
            + &profile("own-device", ROLE, "keys").replace(DEVICE, "GAHT12345678")
            + &profile("lent", ROLE, "temporary")
            + "[temporary]\naws_access_key_id = ASIA1\naws_secret_access_key = s\n\
               aws_session_token = t\n";
        World::new().signed_in().file("/home/.aws/credentials", &text)
    }

    fn step(world: &World, profile: &str) -> Box<dyn Request> {
        world.ask(&format!("--profile {profile}")).unwrap()
    }

    /// Somebody types that line for the step below the role.
    fn typed(world: &World, role: &dyn Request, line: &'static str) -> (Result<Credential>, Host) {
        let host = Host { person: Box::new(ScriptedPerson::who_types(line)), ..world.host() };
        let mfa = role.source().unwrap();
        let source = world.lend(mfa.source().unwrap()).unwrap();
        let done =
            now(mfa.sign_in(SignIn::Terminal, Some(&source), &host)).map(|done| match done {
                SignedIn::Credential(credential) => credential,
                SignedIn::Session => panic!("a code makes no session of ours"),
            });
        (done, host)
    }

    #[test]
    fn the_line_names_the_files_that_the_kubeconfig_named() {
        let keys = "[keys]\naws_access_key_id = A\naws_secret_access_key = s\n";
        let mfa = format!("[m]\nrole_arn = {ROLE}\nsource_profile = keys\nmfa_serial = {DEVICE}\n");
        let world = World::new()
            .env(&[("AWS_CONFIG_FILE", "/my files/config")])
            .file("/my files/config", "")
            .file("/home/.aws/credentials", &(keys.to_owned() + &mfa));
        let line = step(&world, "m").source().unwrap().sign_in_line();
        let expected = "AWS_CONFIG_FILE='/my files/config' ".to_owned() + LINE;
        assert_eq!(line, Some(expected.replace("prod-mfa", "m")));
    }

    fn denied(message: &str) -> String {
        format!(
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message></Error>\
             </ErrorResponse>"
        )
    }

    const WRONG: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";

    #[test]
    fn a_code_makes_a_session_of_twelve_hours_that_assumes_the_role() {
        let world = world();
        let role = step(&world, "prod-mfa");
        world.http.answer(200, &[], &crate::testing::lent("GetSessionToken"));
        let person = ScriptedPerson::who_types("123456");
        let host = Host { person: Box::new(person.clone()), ..world.host() };
        let mfa = role.source().unwrap();
        let source = world.lend(mfa.source().unwrap()).unwrap();
        let done = now(mfa.sign_in(SignIn::Terminal, Some(&source), &host)).unwrap();
        let SignedIn::Credential(session) = done else { panic!("no credential") };
        assert_eq!(person.prompts(), [format!("MFA code for {DEVICE}: ")]);
        assert!(session.expires().is_some(), "it is kept");
        assert!(!session.expose().contains("123456"), "the code is kept");
        world.sts_lends("AssumeRole");
        now(role.obtain(Some(&session), &host)).unwrap();
        let forms = world.forms();
        assert_eq!(
            forms[0],
            format!(
                "Action=GetSessionToken Version=2011-06-15 DurationSeconds=43200 \
                 SerialNumber={DEVICE} TokenCode=123456"
            )
        );
        assert!(forms[1].starts_with("Action=AssumeRole") && !forms[1].contains("Token"));
        let sent = world.http.requests();
        assert!(matches!(sent[0].retry, Retry::Never), "a code is good once");
        let signature = |n: usize| format!("{:?}", sent[n].headers);
        assert!(signature(0).contains("Credential=AKIDKEYS/"), "{}", signature(0));
        assert!(signature(1).contains("Credential=ASIALENT/"), "{}", signature(1));
    }

    #[test]
    fn one_session_serves_every_role_of_one_pair_and_device() {
        let world = world();
        let of = |profile| {
            let role = step(&world, profile);
            let mfa = role.source().unwrap();
            assert_eq!(role.session(), mfa.session());
            (mfa.fingerprint(), mfa.session().unwrap(), role.fingerprint())
        };
        let (one, twin, device) = (of("prod-mfa"), of("other-mfa"), of("own-device"));
        assert_eq!((one.0, one.1), (twin.0, twin.1), "the pair counts, not where it stands");
        assert!(one.2 != twin.2 && one.0 != device.0 && one.1 != device.1);
        assert!(one.1 != of("lent").1 && one.1 != of("sso-mfa").1);
        assert_ne!(one.2, step(&world, "prod").fingerprint());
    }

    #[test]
    fn where_nobody_typed_a_code_the_line_to_type_is_said() {
        let world = world();
        let role = step(&world, "prod-mfa");
        let mfa = role.source().unwrap();
        let error = world.lend(mfa).unwrap_err();
        assert_eq!(error.kind(), Kind::SignInNeeded);
        assert_eq!(
            error.to_string(),
            format!("profile `keys` needs an MFA code: a role asks for the device {DEVICE}")
        );
        assert_eq!((error.next_line(), mfa.sign_in_line().as_deref()), (Some(LINE), Some(LINE)));
        let keyboard = Means { keyboard: true, ..Means::default() };
        assert_eq!(mfa.how(keyboard), Some(SignIn::Terminal));
        assert_eq!(mfa.how(Means { browser: true, terminal: true, keyboard: false }), None);
        assert_eq!(role.how(keyboard), None, "the step below asks");
        assert!(world.http.requests().is_empty());
    }

    #[test]
    fn where_sts_lends_no_session_the_code_goes_with_the_role() {
        for (profile, is_refused) in [("prod-mfa", true), ("lent", false), ("sso-mfa", false)] {
            let world = world();
            if profile == "sso-mfa" {
                world.sso_lends();
            }
            let role = step(&world, profile);
            if is_refused {
                world.http.answer(403, &[], &denied("User: x is not authorized"));
            }
            let (session, host) = typed(&world, role.as_ref(), "123456");
            let session = session.unwrap();
            assert_eq!(session.expires(), None, "a code is not kept");
            world.sts_lends("AssumeRole");
            let lent = now(role.obtain(Some(&session), &host)).unwrap();
            assert!(!lent.expose().contains("123456"), "the code is kept");
            let sent = world.http.requests();
            let last = world.forms().pop().unwrap();
            let code = format!("SerialNumber={DEVICE} TokenCode=123456");
            assert!(last.starts_with("Action=AssumeRole") && last.ends_with(&code), "{last}");
            assert!(matches!(sent.last().unwrap().retry, Retry::Never));
        }
    }

    #[test]
    fn a_role_of_a_session_that_ended_ends_with_it() {
        let world = world();
        world.sso_lends();
        let role = step(&world, "sso-mfa");
        let (session, host) = typed(&world, role.as_ref(), "123456");
        world.sts_lends("AssumeRole");
        let lent = now(role.obtain(Some(&session.unwrap()), &host)).unwrap();
        assert!(role.still_ours(&lent, &host));
        assert!(!role.still_ours(&lent, &World::new().host()), "signed out");
    }

    fn fails(answer: (u16, &str), line: &'static str) -> (Error, usize) {
        let world = world();
        world.http.answer(answer.0, &[], answer.1);
        let role = step(&world, "prod-mfa");
        let error = typed(&world, role.as_ref(), line).0.unwrap_err();
        (error, world.http.requests().len())
    }

    #[test]
    fn a_wrong_code_is_told_from_a_policy_and_is_not_repeated() {
        for message in [WRONG, "MultiFactorAuthentication failed, unable to validate MFA code."] {
            let (error, sent) = fails((403, &denied(message)), "123456");
            assert_eq!((error.kind(), error.is_once(), sent), (Kind::Refused, true, 1));
            assert_eq!(error.message(), "STS did not take the MFA code of profile `keys`");
            assert!(error.cause().unwrap().contains("MultiFactorAuthentication"), "{error}");
            assert_eq!(error.next_line(), Some(LINE));
        }
    }

    #[test]
    fn a_wrong_code_with_the_role_is_not_repeated_either() {
        let world = world();
        let role = step(&world, "lent");
        let (session, host) = typed(&world, role.as_ref(), "123456");
        world.http.answer(403, &[], &denied(WRONG));
        let error = now(role.obtain(Some(&session.unwrap()), &host)).unwrap_err();
        assert_eq!((error.kind(), error.is_once()), (Kind::Refused, true));
    }

    #[test]
    fn what_is_no_code_is_not_sent_and_not_shown() {
        for line in ["12345", "1234567", "12345a", "hunter2", "１２３４５６"] {
            let (error, sent) = fails((200, ""), line);
            assert_eq!((error.kind(), sent), (Kind::SignInNeeded, 0), "{line}");
            assert!(!error.to_string().contains(line), "{error}");
            assert_eq!(error.next_line(), Some(LINE));
        }
    }

    #[test]
    fn other_failures_are_what_they_are_elsewhere() {
        let code = |code: &str| {
            format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>")
        };
        for (status, body, kind) in [
            (403, code("InvalidClientTokenId"), Kind::Refused),
            (400, code("ValidationError"), Kind::Config),
            (400, code("Throttling"), Kind::Unavailable),
            (503, String::new(), Kind::Unavailable),
            (200, "<html/>".into(), Kind::Unavailable),
        ] {
            let (error, sent) = fails((status, &body), "123456");
            assert_eq!((error.kind(), sent), (kind, 1), "{error}");
            assert!(!error.to_string().contains("123456"), "{error}");
        }
    }
}
