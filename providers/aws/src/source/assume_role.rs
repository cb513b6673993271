//! A role, assumed with the keys of the step before.

use fleetkey_provider::{CredentialKey, ExposeSecret, Host, Result, shown};

use super::{SessionName, automatic_name};
use crate::{
    errors::Asker,
    keys::{Keys, SecondFactor},
    plan::Role,
    sts::{Question, Sts},
};

/// A role, assumed with the keys of the step before.
#[derive(Clone, Debug)]
pub(crate) struct AssumeRole {
    /// The role and how to assume it.
    pub(crate) role: Role,
    /// Where to ask for it.
    pub(crate) sts: Sts,
}

impl AssumeRole {
    /// Everything but whose keys assume it.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { role, sts } = self;
        // who named it does not matter
        // neither does the second factor: it is the step before, and in that one's key
        let Role { arn, external_id, session_name, duration, mfa_serial: _, profile: _ } = role;
        key.field("role", arn.as_str());
        key.maybe("external id", external_id.as_deref());
        session_name.key(key);
        key.maybe("duration", duration.map(|seconds| seconds.to_string()).as_deref());
        sts.key(key);
    }

    /// Assumes it. `sts` is where it is asked in the region that counts.
    pub(crate) async fn obtain(
        &self,
        sts: &Sts,
        source: &Keys,
        asker: &Asker,
        host: &Host,
    ) -> Result<Keys> {
        let Self { role, sts: _ } = self;
        let Role { arn, external_id, session_name, duration, mfa_serial: _, profile: _ } = role;
        let name = match session_name {
            SessionName::Fixed(name) => name.clone(),
            SessionName::Automatic => automatic_name(host),
            SessionName::Forwarded => forwarded(source, asker, sts, host).await?,
        };
        let duration = duration.map(|seconds| seconds.to_string());
        let mut parameters = vec![("RoleArn", arn.as_str()), ("RoleSessionName", &name)];
        parameters.extend(external_id.as_deref().map(|id| ("ExternalId", id)));
        parameters.extend(duration.as_deref().map(|seconds| ("DurationSeconds", seconds)));
        if let Some(SecondFactor { serial, code }) = &source.second_factor {
            parameters.extend([("SerialNumber", &**serial), ("TokenCode", code.expose_secret())]);
        }
        let question = Question {
            action: "AssumeRole",
            parameters,
            task: &format!("assume {arn}"),
            asker,
            keys: Some(source),
        };
        let keys = sts.lent(&question, host).await?;
        Ok(Keys {
            account: keys.account.or_else(|| Some(arn.account().to_owned())),
            // signing out of the session at the source ends this too
            session_stamp: source.session_stamp,
            ..keys
        })
    }

    /// Who asks with its keys; `source` is who assumed it.
    pub(crate) fn asker(&self, source: Asker) -> Asker {
        let Role { arn, profile, .. } = &self.role;
        Asker { who: arn.to_string(), profile: profile.clone().or(source.profile), ..source }
    }
}

/// The name of the session that signs. An IAM user has none, and gets the name that roles named by
/// flags have anyway.
async fn forwarded(source: &Keys, asker: &Asker, sts: &Sts, host: &Host) -> Result<String> {
    let id = sts.user_id(source, asker, host).await?;
    match id.split_once(':') {
        Some((_, name)) if !name.is_empty() => {
            host.notes.note(&format!("session name `{}` is forwarded", shown(name)));
            Ok(name.to_owned())
        }
        _ => {
            host.notes.note(&format!(
                "{} is no session and has no name to forward; `{DEFAULT}` is used",
                asker.who
            ));
            Ok(DEFAULT.into())
        }
    }
}

const DEFAULT: &str = crate::arguments::EKS_GET_TOKEN_AUTH;

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use crate::testing::{KEYS, ROLE, World};

    fn caller(id: &str) -> String {
        format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><UserId>{id}</UserId>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
    }

    #[test]
    fn what_a_profile_says_is_sent_and_signed() {
        let world = World::new().env(&[("AWS_SESSION_TOKEN", "ignored")]).file(
            "/home/.aws/credentials",
            "[prod]\nduration_seconds = 3600\nexternal_id = ext\nrole_session_name = me\n",
        );
        world.sts_lends("AssumeRole");
        let credential = world.lend(world.ask("--profile prod").unwrap().as_ref()).unwrap();
        assert_eq!(
            world.forms(),
            [format!(
                "Action=AssumeRole Version=2011-06-15 RoleArn={ROLE} RoleSessionName=me \
                 ExternalId=ext DurationSeconds=3600"
            )]
        );
        let request = &world.http.requests()[0];
        assert_eq!(request.endpoint.to_string(), "https://sts.eu-west-1.amazonaws.com/");
        let header = |name: &str| {
            request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
        };
        let signature = header("authorization").unwrap();
        assert!(signature.contains("Credential=AKIDKEYS/20260102/eu-west-1/sts/"), "{signature}");
        assert_eq!(header("x-amz-security-token"), None);
        assert!(credential.expose().contains("999999999999"), "the account STS named");
        assert_eq!(credential.expires(), "2026-01-02T04:04:05Z".parse().ok());
    }

    #[test]
    fn a_session_name_is_forwarded_and_a_user_has_none() {
        for (id, name) in [("AROAX:me@corp", "me@corp"), ("AIDAX", "EKSGetTokenAuth")] {
            let world = World::new().env(&KEYS);
            world.http.answer(200, &[], &caller(id));
            world.sts_lends("AssumeRole");
            let line = format!("--role {ROLE} --forward-session-name");
            world.lend(world.ask(&line).unwrap().as_ref()).unwrap();
            assert_eq!(world.forms()[0], "Action=GetCallerIdentity Version=2011-06-15");
            assert!(world.forms()[1].ends_with(&format!("RoleSessionName={name}")));
        }
    }

    #[test]
    fn a_refusal_names_role_and_profile() {
        let world = World::new();
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                    <Message>User: x is not authorized</Message></Error></ErrorResponse>";
        world.http.answer(403, &[], body);
        let error = world.lend(world.ask("--profile prod").unwrap().as_ref()).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(
            error.message(),
            "STS did not let profile `keys` assume role eks-prod in 123456789012"
        );
        assert_eq!(error.next_line(), Some("aws sts get-caller-identity --profile keys"));
    }

    #[test]
    fn keys_of_a_session_that_ended_ask_to_sign_in() {
        let world = World::new().signed_in();
        world.sso_lends();
        let body = "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>";
        world.http.answer(403, &[], body);
        let error = world.lend(world.ask("--profile over-sso").unwrap().as_ref()).unwrap_err();
        assert_eq!(error.kind(), Kind::SignInNeeded);
        assert_eq!(
            error.next_line(),
            Some("fleetkey login aws --cluster-name c --region eu-west-1 --profile dev")
        );
    }
}
