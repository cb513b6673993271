//! The credentials of a container, lent by a service beside it: ECS, EKS Pod Identity, and whatever
//! else speaks their protocol.
//!
//! Two variables say where it is, and two what it wants to see. Variables are somebody else's text,
//! so what it wants to see goes only to the addresses of AWS on the link, to this machine, or where a
//! person trusts it.
//!
//! A service that knows whom it lends to by something that does not show here, such as whoever is
//! behind a port of this machine, may lend to another the next time: without a token, or from
//! loopback, what it lends is kept for five minutes at most. Asking is one local call.

mod proof;

use fleetkey_provider::{
    CredentialKey, Endpoint, Error, ExposeSecret, Fingerprint, Host, HttpRequest, HttpResponse,
    Method, Result, Retry, quoted, shown, this_machine,
};
use serde_json::{Map, Value};
use url::form_urlencoded;

use self::proof::Proof;
use super::lent::{Lender, Lent};
use crate::{
    beside::beside,
    errors::{Asker, Call, Said},
    jwt::Jwt,
    keys::Keys,
    token::ClusterId,
    variables::{AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI},
};

/// The credentials of this container.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    endpoint: Endpoint,
    proof: Proof,
    /// Whom it is for, as far as that shows before it is asked.
    bearer: Option<Fingerprint>,
    machine: Fingerprint,
}

impl Container {
    /// Where the environment says; `None` if it says nothing that counts.
    pub(crate) fn here(host: &Host) -> Result<Option<Self>> {
        let Some((endpoint, from)) = endpoint(host)? else { return Ok(None) };
        // it is how containers work, so the strict take it too; but on the link alone, at the
        // addresses that the hosts of AWS answer. Who runs the network could answer there as well,
        // but could not set the variable
        if (!endpoint.is_nearby() || endpoint.is_loopback()) && host.trust.is_strict()? {
            host.notes.note(&format!("`{from}` is ignored: the configuration is strict"));
            return Ok(None);
        }
        let proof = Proof::here(host)?;
        let bearer = proof.read(host)?.map(|token| match Jwt::of(token.expose_secret()) {
            Some(jwt) => jwt.bearer(),
            None => Fingerprint::of(token.expose_secret().as_bytes()),
        });
        Ok(Some(Self { endpoint, proof, bearer, machine: this_machine(host)? }))
    }

    /// Where it is asked, for whom and from which machine.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { endpoint, proof: _, bearer, machine } = self;
        key.field("container", endpoint.as_str());
        key.maybe("container bearer", bearer.map(|bearer| bearer.to_string()).as_deref());
        key.field("machine", &machine.to_string());
    }

    /// Whether who is lent to may change without its showing in the key.
    pub(crate) fn may_change(&self) -> bool {
        matches!(self.proof, Proof::Nothing) || self.endpoint.is_loopback()
    }

    /// Asks it, with the token as it is now. `cluster` is the one that a token is wanted for.
    pub(crate) async fn obtain(&self, cluster: &ClusterId, host: &Host) -> Result<Keys> {
        let token = self.proof.read(host)?;
        let secrets: Vec<&str> = token.iter().map(ExposeSecret::expose_secret).collect();
        let asker = Self::asker();
        let call = Call {
            service: "the container's credential service",
            endpoint: &self.endpoint,
            task: "lend the container's credentials",
            asker: &asker,
            secrets: &secrets,
        };
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        headers.extend(secrets.iter().map(|token| ("authorization".into(), (*token).to_owned())));
        let request = HttpRequest {
            method: Method::Get,
            endpoint: self.endpoint.clone(),
            headers,
            body: Vec::new(),
            ca_bundle: None,
            retry: Retry::Soon(|_| false),
        };
        let answer = host.http.send(&request).await?;
        if matches!(answer.status, 401 | 403) {
            return Err(self.unknown_here(&call, &answer, cluster));
        }
        if answer.status != 200 {
            return Err(call.error(&answer, said(&answer), host.clock.now()));
        }
        let lent = Lent::read(&answer.body, Lender::Container)?;
        if let Some(code) = lent.refusal() {
            let message = lent.text("Message").unwrap_or_default().to_owned();
            let refused = HttpResponse { status: 400, ..answer };
            return Err(call.error(&refused, Some(Said { code, message }), host.clock.now()));
        }
        lent.keys(host)
    }

    /// It knows this container, or what it showed, not or not any more. EKS's agent says so too
    /// where no role is associated with the pod's service account.
    fn unknown_here(&self, call: &Call<'_>, answer: &HttpResponse, cluster: &ClusterId) -> Error {
        let answered = match said(answer) {
            Some(said) => call.quote(&said),
            None => format!("status {}", answer.status),
        };
        let error = Error::refused(format!("{} did not {}", call.service, call.task));
        if self.endpoint.url().host_str().is_some_and(|name| PODS.contains(&name)) {
            return error
                .because(format!(
                    "{answered}; the pod's service account needs a Pod Identity association"
                ))
                .next(format!(
                    "aws eks list-pod-identity-associations --cluster-name {}",
                    quoted(cluster.as_str())
                ));
        }
        error.because(answered).next("aws sts get-caller-identity")
    }

    /// As a person would say it.
    pub(crate) fn describe() -> String {
        "the container's credentials".into()
    }

    /// Who asks with its keys.
    pub(crate) fn asker() -> Asker {
        Asker { who: "this container".into(), profile: None, sign_in: None }
    }
}

/// Where the service is, and which variable says so. The relative one wins, as in botocore.
fn endpoint(host: &Host) -> Result<Option<(Endpoint, &'static str)>> {
    let variable = AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
    if let Some(path) = host.text_var(variable)? {
        if !path.starts_with('/') {
            return Err(Error::config(format!("`{variable}` is no path: `{}`", shown(&path)))
                .because("it has to begin with `/`"));
        }
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let query: Vec<_> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
        let endpoint = beside(ECS, "a constant", &ADDRESSES, host)?.at(path, &query);
        return Ok(Some((endpoint, variable)));
    }
    let variable = AWS_CONTAINER_CREDENTIALS_FULL_URI;
    match host.text_var(variable)? {
        Some(url) => {
            Ok(Some((beside(&url, &format!("`{variable}`"), &ADDRESSES, host)?, variable)))
        }
        None => Ok(None),
    }
}

/// A refusal in JSON, in either of the forms that these services have.
fn said(answer: &HttpResponse) -> Option<Said> {
    let body: Map<String, Value> = serde_json::from_slice(&answer.body).ok()?;
    let text = |name: &str| {
        let found = body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str())
    };
    let code = text("code").unwrap_or(match answer.status {
        401 | 403 => "AccessDenied",
        _ => "unknown",
    });
    Some(Said { code: code.into(), message: text("message").unwrap_or_default().into() })
}

/// Where ECS puts its service.
const ECS: &str = "http://169.254.170.2";
/// Where EKS puts its agent for Pod Identity.
const PODS: [&str; 2] = ["169.254.170.23", "[fd00:ec2::23]"];
/// All that is asked by plain http: what AWS's own tools allow.
const ADDRESSES: [&str; 3] = ["169.254.170.2", PODS[0], PODS[1]];

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Kind, testing::StaticTrust};

    use super::*;
    use crate::{
        testing::World,
        variables::{AWS_CONTAINER_AUTHORIZATION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE},
    };

    const RELATIVE: (&str, &str) = (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, "/v2/credentials/x");
    const POD: (&str, &str) =
        (AWS_CONTAINER_CREDENTIALS_FULL_URI, "http://169.254.170.23/v1/credentials");
    const FILE: (&str, &str) = (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, "/t");
    const ANSWER: &str = r#"{"RoleArn":"r","AccessKeyId":"ASIATASK","SecretAccessKey":"hunter2",
        "Token":"t","Expiration":"2026-01-02T04:04:05Z"}"#;

    fn lend(world: &World) -> Result<String> {
        world.http.answer(200, &[], ANSWER);
        world.lend(world.ask("")?.as_ref())?;
        assert!(matches!(world.http.requests()[0].retry, Retry::Soon(_)));
        Ok(world.http.requests()[0].endpoint.as_str().to_owned())
    }

    fn at(pairs: &[(&str, &str)]) -> Result<String> {
        lend(&World::new().env(pairs))
    }

    #[test]
    fn it_is_asked_where_the_variables_say_and_nowhere_else() {
        assert_eq!(at(&[RELATIVE, POD]).unwrap(), "http://169.254.170.2/v2/credentials/x");
        assert_eq!(
            at(&[(RELATIVE.0, "/x?id=1&n=%20")]).unwrap(),
            "http://169.254.170.2/x?id=1&n=+"
        );
        for trick in ["/@evil.example/", "//evil.example/x", "/\\evil.example"] {
            assert!(at(&[(RELATIVE.0, trick)]).unwrap().starts_with("http://169.254.170.2/"));
        }
        for good in [
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://localhost:1338/latest",
            "https://127.0.0.1:1/x",
        ] {
            assert_eq!(at(&[(POD.0, good)]).unwrap(), good);
        }
        for bad in [
            "http://10.0.0.1/",
            "http://169.254.1.1/",
            "http://169.254.169.254/",
            "http://[fe80::1]/",
            "https://evil.example/",
            "http://evil.example/",
            "x",
        ] {
            let error = at(&[(POD.0, bad)]).unwrap_err();
            assert!(error.message().contains("`AWS_CONTAINER_CREDENTIALS_FULL_URI`"), "{error}");
        }
        assert!(at(&[(RELATIVE.0, "x")]).is_err());
    }

    #[test]
    fn the_token_of_the_file_wins_and_is_read_each_time() {
        let text = (AWS_CONTAINER_AUTHORIZATION_TOKEN, "of-the-variable");
        let world = World::new().env(&[POD, text]);
        lend(&world).unwrap();
        let sent = |world: &World| world.http.requests().pop().unwrap().headers[1].clone();
        assert_eq!(sent(&world), ("authorization".into(), "of-the-variable".into()));
        let world = world.env(&[FILE]);
        let request = world.clone().file("/t", "old").ask("").unwrap();
        let later = world.file("/t", "new");
        later.http.answer(200, &[], ANSWER);
        later.lend(request.as_ref()).unwrap();
        assert_eq!(sent(&later).1, "new");
    }

    #[test]
    fn what_is_no_token_is_neither_sent_nor_shown() {
        for contents in ["", "hunter2\n", "hunter2\r\nx: y", "hunter2\u{e9}", "hunter2\u{0}"] {
            let world = World::new().env(&[POD, FILE]).file("/t", contents);
            let error = world.ask("").unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let world = World::new().env(&[POD, FILE]).file("/t", "hunter2\n");
        let error = world.ask("").unwrap_err();
        assert!(error.to_string().contains("ends in a line break"), "{error}");
        assert_eq!(error.next_line(), Some(r#"printf %s "$(tr -d '\r\n' </t)" >/t"#));
        let error = World::new().env(&[POD, FILE]).ask("").unwrap_err();
        assert!(error.message().starts_with("there is no token file `/t`"), "{error}");
    }

    #[test]
    fn pods_are_told_apart_and_a_rotated_token_is_the_same_pod() {
        let print = |token: &str| {
            let world = World::new().env(&[POD, FILE]).file("/t", token);
            world.ask("").unwrap().fingerprint().to_string()
        };
        // {"iss":"i","sub":"s"}, {"iss":"i","sub":"t"}
        assert_eq!(
            print("e30.eyJpc3MiOiJpIiwic3ViIjoicyJ9.b2xk"),
            print("e30.eyJpc3MiOiJpIiwic3ViIjoicyJ9.bmV3")
        );
        assert_ne!(
            print("e30.eyJpc3MiOiJpIiwic3ViIjoicyJ9.b2xk"),
            print("e30.eyJpc3MiOiJpIiwic3ViIjoidCJ9.b2xk")
        );
        assert_ne!(print("one"), print("two"));
    }

    #[test]
    fn the_strict_are_lent_to_by_the_link_alone() {
        let asks = |pair| {
            let world = World::new().env(&[pair]);
            let trust = Box::new(StaticTrust { strict: true, ..StaticTrust::default() });
            World::ask_on("", &Host { trust, ..world.host() })
        };
        assert!(asks(RELATIVE).is_ok() && asks(POD).is_ok());
        let error = asks((POD.0, "http://127.0.0.1:1/")).unwrap_err();
        assert!(error.message().starts_with("no credentials for AWS"), "{error}");
    }

    #[test]
    fn a_pod_without_a_role_is_told_where_to_look() {
        let refused = |pair| {
            let world = World::new().env(&[pair]);
            world.http.answer(401, &[], "");
            world.lend(world.ask("").unwrap().as_ref()).unwrap_err()
        };
        let line = "aws eks list-pod-identity-associations --cluster-name c";
        for pod in [POD, (POD.0, "http://[fd00:ec2::23]/v1/credentials")] {
            let error = refused(pod);
            assert_eq!(error.next_line(), Some(line));
            assert!(error.cause().unwrap().starts_with("status 401; the pod's"), "{error}");
        }
        assert_ne!(refused(RELATIVE).next_line(), Some(line));
    }

    #[test]
    fn what_may_be_another_s_the_next_time_is_kept_for_five_minutes() {
        let end = |pairs: &[(&str, &str)]| {
            let world = World::new().env(pairs);
            // its clock is not believed
            world.http.answer(200, &[("date", "Fri, 02 Jan 2026 03:24:05 GMT")], ANSWER);
            let request = world.ask("").unwrap();
            let credential = world.lend(request.as_ref()).unwrap();
            let token = request.token(&credential, &world.host()).unwrap();
            assert_eq!(token.expires.to_string(), "2026-01-02T03:18:05Z", "a token is as long");
            credential.expires().unwrap().to_string()
        };
        let text = (AWS_CONTAINER_AUTHORIZATION_TOKEN, "t");
        let local = (POD.0, "http://127.0.0.1:1/");
        for short in [&[POD][..], &[RELATIVE][..], &[local][..], &[local, text][..]] {
            assert_eq!(end(short), "2026-01-02T03:09:05Z", "{short:?}");
        }
        assert_eq!(end(&[POD, text]), "2026-01-02T04:04:05Z");
    }

    #[test]
    fn its_refusals_are_told_apart_and_repeat_no_token() {
        for (status, body, kind) in [
            (403, r#"{"code":"AccessDeniedException","message":"token hunter2"}"#, Kind::Refused),
            (401, r#"{"message":"hunter2"}"#, Kind::Refused),
            (401, "", Kind::Refused),
            (403, "no hunter2", Kind::Refused),
            (404, r#"{"message":"no"}"#, Kind::Refused),
            (200, r#"{"Code":"Failed","Message":"no"}"#, Kind::Refused),
            (500, "", Kind::Unavailable),
            (400, "<html/>", Kind::Unavailable),
            (200, "{}", Kind::Unavailable),
            (302, "", Kind::Unavailable),
        ] {
            let token = (AWS_CONTAINER_AUTHORIZATION_TOKEN, "hunter2");
            let world = World::new().env(&[POD, token]);
            world.http.answer(status, &[], body);
            let error = world.lend(world.ask("").unwrap().as_ref()).unwrap_err();
            assert_eq!(error.kind(), kind, "{body}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
