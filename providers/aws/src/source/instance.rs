//! The role of an EC2 instance, lent by its metadata service.
//!
//! It is kept for five minutes at most: another role may be attached at any time, and asking is one
//! local call.

use fleetkey_provider::{CredentialKey, Error, Fingerprint, Host, Result, shown, this_machine};

use super::lent::{Lender, Lent};
use crate::{errors::Asker, keys::Keys, metadata::Metadata, plan};

/// The role of this EC2 instance.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    metadata: Metadata,
    /// What to say where there is none.
    absent: plan::Absent,
    machine: Fingerprint,
}

impl Instance {
    /// The role of this machine.
    pub(crate) fn open(plan: plan::Instance, host: &Host) -> Result<Self> {
        let plan::Instance { metadata, absent } = plan;
        Ok(Self { metadata, absent, machine: this_machine(host)? })
    }

    /// The machine: what is lent to one is not another's, even if they share a home.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { metadata, absent: _, machine } = self;
        key.field("ec2 instance", &machine.to_string());
        key.maybe("metadata service", metadata.configured());
    }

    /// Asks for the role's credentials, and if nobody else knows it for the region.
    pub(crate) async fn obtain(&self, wants_region: bool, host: &Host) -> Result<Keys> {
        let absent = |why: String| self.absent.error(&why);
        let session = self.metadata.open(host).await.map_err(absent)?;
        let task = "tell which role this machine has";
        let Some(names) = session.read(ROLES, task, host).await? else {
            return Err(absent("no role is attached to this instance".into()));
        };
        let name = names.lines().next().unwrap_or_default().trim();
        if name.is_empty() {
            return Err(absent("no role is attached to this instance".into()));
        }
        let is_iam_name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !name.chars().all(is_iam_name) {
            return Err(absent("the role it names has no role's name".into()));
        }
        let task = format!("lend role {name}");
        let reply = session.read(&format!("{ROLES}{name}"), &task, host).await?;
        let reply = reply.ok_or_else(|| absent(format!("it does not lend role {name}")))?;
        let lent = Lent::read(reply.as_bytes(), Lender::Metadata)?;
        if let Some(code) = lent.refusal() {
            return Err(Error::refused(format!("EC2 cannot lend role {name}")).because(format!(
                "{}: {}",
                shown(&code),
                "its trust policy has to name EC2"
            )));
        }
        let keys = lent.keys(host)?;
        let region = if wants_region { Some(session.region(host).await?) } else { None };
        Ok(Keys { region: region.map(|region| region.as_str().to_owned()), ..keys })
    }

    /// As a person would say it.
    pub(crate) fn describe() -> String {
        "the role of this EC2 instance".into()
    }

    /// Who asks with its keys.
    pub(crate) fn asker() -> Asker {
        Asker { who: Self::describe(), profile: None, sign_in: None }
    }
}

const ROLES: &str = "latest/meta-data/iam/security-credentials/";

#[cfg(test)]
mod tests {
    use fleetkey_provider::{BoxFuture, Http, HttpRequest, HttpResponse, Kind, Method, Retry};

    use super::*;
    use crate::testing::{ROLE, VENDOR, World, now};

    const LENT: &str = r#"{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAEC2",
        "SecretAccessKey":"hunter2","Token":"t","Expiration":"2026-01-02T09:04:05Z"}"#;

    fn ec2() -> World {
        World::new().file(VENDOR, "Amazon EC2\n")
    }

    fn answers(world: &World, answers: &[(u16, &str)]) {
        for (status, body) in answers {
            world.http.answer(*status, &[], body);
        }
    }

    #[test]
    fn a_session_is_opened_and_the_role_asked_for() {
        let world = ec2();
        answers(&world, &[(200, "session=="), (200, "web/role\nother"), (200, LENT)]);
        let error = world.lend(world.ask("").unwrap().as_ref()).unwrap_err();
        assert!(error.to_string().contains("no role's name"), "{error}");

        let world = ec2();
        answers(&world, &[(200, "session=="), (200, "web\n"), (200, LENT)]);
        let request = world.ask("").unwrap();
        assert_eq!(request.describe(), "the role of this EC2 instance");
        let credential = world.lend(request.as_ref()).unwrap();
        assert_eq!(credential.expires(), "2026-01-02T03:09:05Z".parse().ok());
        let sent = world.http.requests();
        let urls: Vec<_> = sent.iter().map(|sent| sent.endpoint.to_string()).collect();
        let at = "http://169.254.169.254/latest";
        let roles = format!("{at}/meta-data/iam/security-credentials/");
        assert_eq!(urls, [format!("{at}/api/token"), roles.clone(), format!("{roles}web")]);
        assert_eq!(sent[0].method, Method::Put);
        assert!(sent.iter().all(|sent| matches!(sent.retry, Retry::Soon(_))));
        let header = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        assert_eq!(sent[0].headers, header("x-aws-ec2-metadata-token-ttl-seconds", "21600"));
        for sent in &sent[1..] {
            assert_eq!(sent.method, Method::Get);
            assert_eq!(sent.headers, header("x-aws-ec2-metadata-token", "session=="));
        }
    }

    #[test]
    fn what_is_lent_to_one_machine_is_not_anothers() {
        let print = |world: World| world.ask("").unwrap().fingerprint().to_string();
        let other = ec2().file("/etc/machine-id", "0a1c");
        let moved = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338");
        assert_eq!(print(ec2()), print(ec2()));
        assert_ne!(print(ec2()), print(other));
        assert_ne!(print(ec2()), print(ec2().env(&[moved])));
    }

    #[test]
    fn a_machine_without_a_role_is_told_where_else_was_looked() {
        for (given, words) in [
            (&[(404, "")][..], "it answered 404"),
            (&[(403, "")][..], "it is switched off"),
            (&[(200, "<html>sign in</html> to the network")][..], "is something else"),
            (&[(200, "s"), (404, "")][..], "no role is attached"),
            (&[(200, "s"), (200, " \n")][..], "no role is attached"),
        ] {
            let world = ec2();
            answers(&world, given);
            let error = world.lend(world.ask("").unwrap().as_ref()).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{error}");
            assert_eq!(error.message(), "no credentials for AWS were found");
            assert!(error.to_string().contains("profile `default` in"), "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
        // and who wanted it by name is told that
        let text = format!("[p]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n");
        let world = ec2().file("/home/.aws/credentials", &text);
        answers(&world, &[(200, "s"), (404, "")]);
        let error = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap_err();
        assert!(error.message().starts_with("profile `p` has `credential_source ="), "{error}");
        assert!(error.cause().unwrap().contains("no role is attached"), "{error}");
    }

    #[test]
    fn what_the_service_cannot_do_is_not_taken_for_its_absence() {
        let refused = r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"m"}"#;
        for (last, kind) in [
            ((200, refused), Kind::Refused),
            ((200, "{}"), Kind::Unavailable),
            ((200, &*LENT.replace("T09", "T03")), Kind::Unavailable),
            ((500, ""), Kind::Unavailable),
        ] {
            let world = ec2();
            answers(&world, &[(200, "s"), (200, "web"), last]);
            let error = world.lend(world.ask("").unwrap().as_ref()).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    /// A network in which nobody is.
    struct Nobody;

    impl Http for Nobody {
        fn send<'a>(&'a self, _: &'a HttpRequest) -> BoxFuture<'a, Result<HttpResponse>> {
            let error = Error::unavailable("`http://169.254.169.254` cannot be reached");
            Box::pin(async { Err(error.because("no route to host")) })
        }
    }

    #[test]
    fn a_machine_of_which_nothing_is_known_is_tried_once() {
        let unknown = World::new().file(VENDOR, "");
        let host = Host { http: Box::new(Nobody), ..unknown.host() };
        let request = unknown.ask("").unwrap();
        let error = now(request.obtain(None, &host)).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.to_string().contains("(nobody answers: no route to host)"), "{error}");
    }
}
