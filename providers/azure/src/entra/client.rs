//! An application asking Entra, at one authority, in one tenant.

use fleetkey_provider::{Endpoint, Error, Host, HttpRequest, Method, Result, Retry};

use super::{Endpoints, Form, Tokens, request_id};
use crate::{
    authority::Authority,
    errors::{Asker, Call, Said, is_transient},
    source::Wanted,
};

/// Which of the two endpoints, which differ in names and in what they issue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    /// `/oauth2/token`, `resource`; what `--legacy` wants.
    V1,
    /// `/oauth2/v2.0/token`, `scope`.
    V2,
}

/// Who asks, and where.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Where, and in which tenant.
    pub(crate) authority: Authority,
    /// As which application.
    pub(crate) id: String,
    /// At which endpoint.
    pub(crate) version: Version,
}

/// Sent again after what passes: only for what can be used twice.
pub(crate) const AGAIN: Retry = Retry::Safe(is_transient);

/// Why there are no tokens.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No answer came, or none of Entra's: what was sent may have been redeemed or not.
    Lost(Error),
    /// Entra said no.
    Refused(Box<Said>, Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(error) | Failure::Refused(_, error) => error,
        }
    }
}

/// On whose behalf, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose<'a> {
    /// Decides what a person is told to do about a refusal.
    pub(crate) asker: &'a Asker,
    /// What is wanted.
    pub(crate) wanted: &'a Wanted,
}

impl Client {
    /// Asks the token endpoint for what is wanted, as an application. Adds `client_id`, the scope or
    /// resource, and what proof of possession needs to the form; errors are those of
    /// [`crate::errors`].
    pub(crate) async fn token(
        &self,
        form: Form,
        wanted: &Wanted,
        retry: Retry,
        host: &Host,
    ) -> Result<Tokens> {
        let endpoints = self.endpoints(host).await?;
        let purpose = Purpose { asker: &Asker::Application, wanted };
        Ok(self.redeem(&endpoints, form, purpose, retry, host).await?)
    }

    /// Where this authority's endpoints are. Asks only an authority that is not known.
    pub(crate) async fn endpoints(&self, host: &Host) -> Result<Endpoints> {
        if self.authority.is_known {
            return Ok(Endpoints::built(self));
        }
        Endpoints::discovered(self, host).await
    }

    /// Asks the token endpoint, as whoever that is.
    pub(crate) async fn redeem(
        &self,
        endpoints: &Endpoints,
        form: Form,
        purpose: Purpose<'_>,
        retry: Retry,
        host: &Host,
    ) -> Result<Tokens, Failure> {
        let form = self.scoped(form, purpose);
        let form = match &purpose.wanted.req_cnf {
            Some(req_cnf) => form.with("token_type", "pop").with("req_cnf", req_cnf),
            None => form,
        };
        self.ask(&endpoints.token, &form, purpose, retry, Tokens::parse, host).await
    }

    /// The form with who asks and what for.
    pub(super) fn scoped(&self, form: Form, Purpose { asker, wanted }: Purpose<'_>) -> Form {
        let form = form.with("client_id", &self.id);
        match self.version {
            _ if form.value("scope").is_some() => form,
            Version::V1 => form.with("resource", wanted.server.resource()),
            Version::V2 if *asker == Asker::Application => {
                form.with("scope", wanted.server.scope())
            }
            Version::V2 => form.with("scope", people_scope(wanted)),
        }
    }

    /// Posts a form, and reads the answer.
    pub(super) async fn ask<T>(
        &self,
        endpoint: &Endpoint,
        form: &Form,
        purpose: Purpose<'_>,
        retry: Retry,
        read: impl Fn(&[u8]) -> Option<T>,
        host: &Host,
    ) -> Result<T, Failure> {
        let id = request_id(host).map_err(Failure::Lost)?;
        let mut request = HttpRequest {
            method: Method::Post,
            endpoint: endpoint.clone(),
            headers: [
                ("content-type", "application/x-www-form-urlencoded"),
                ("accept", "application/json"),
                ("client-request-id", &id),
                ("return-client-request-id", "true"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            body: form.encoded(),
            ca_bundle: None,
            retry,
        };
        let mailbox = form.mailbox().map(|mailbox| ("x-anchormailbox".into(), mailbox.into()));
        request.headers.extend(mailbox);
        host.notes.note(&format!("asking {endpoint} for {} (request id {id})", form.purpose()));
        let answer = host.http.send(&request).await.map_err(Failure::Lost)?;
        let call = self.call(purpose, form, &id);
        if answer.status == 200 {
            return read(&answer.body).ok_or_else(|| Failure::Lost(call.not_understood(&answer)));
        }
        match Said::read(&answer) {
            Some(said) => {
                let error = call.refused(&said, host.clock.now());
                Err(Failure::Refused(Box::new(said), error))
            }
            None => Err(Failure::Lost(call.not_understood(&answer))),
        }
    }

    /// What the errors of a request have to know.
    pub(super) fn call<'a>(
        &'a self,
        Purpose { asker, wanted }: Purpose<'a>,
        form: &'a Form,
        request_id: &'a str,
    ) -> Call<'a> {
        Call {
            client: self,
            server: &wanted.server,
            asker,
            assertion: form.value("client_assertion"),
            secrets: form.secrets(),
            request_id,
        }
    }
}

/// What a person's application asks for: the server, and a session that outlives the token.
pub(super) fn people_scope(wanted: &Wanted) -> String {
    format!("{} openid offline_access profile", wanted.server.scope())
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ExposeSecret, Kind};

    use super::*;
    use crate::{
        server_id::AKS,
        testing::{CLIENT, TENANT, World, client, form, now, wanted},
    };

    fn asked(world: &World, client: &Client, wanted: &Wanted, asker: &Asker) -> Result<Tokens> {
        let host = world.host();
        let purpose = Purpose { asker, wanted };
        let grant = Form::grant("g").with("client_secret", "hunter2");
        now(async {
            let endpoints = client.endpoints(&host).await?;
            Ok(client.redeem(&endpoints, grant, purpose, AGAIN, &host).await?)
        })
    }

    fn person() -> Asker {
        Asker::Person { login: None, hint: None }
    }

    #[test]
    fn one_post_with_everything_entra_wants() {
        let world = World::default();
        world.entra_grants("at", Some("rt"));
        let tokens = asked(&world, &client(), &wanted(), &person()).unwrap();
        assert_eq!(tokens.access_token.expose_secret(), "at");
        assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "rt");
        let [request] = &world.http.requests()[..] else { panic!("more than one request") };
        assert_eq!(request.method, Method::Post);
        let url = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
        assert_eq!(request.endpoint.as_str(), url);
        let headers: Vec<_> =
            request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            headers,
            [
                ("content-type", "application/x-www-form-urlencoded"),
                ("accept", "application/json"),
                ("client-request-id", "00010203-0405-4607-8809-0a0b0c0d0e0f"),
                ("return-client-request-id", "true"),
            ]
        );
        assert_eq!(
            form(request),
            format!(
                "grant_type=g client_secret=hunter2 client_id={CLIENT} \
                 scope={AKS}/.default openid offline_access profile"
            )
        );
        assert!(world.notes.lines().iter().all(|line| !line.contains("hunter2")));
    }

    #[test]
    fn an_application_asks_for_the_server_alone() {
        let world = World::default();
        world.entra_grants("at", None);
        let host = world.host();
        let tokens =
            now(client().token(Form::grant("client_credentials"), &wanted(), AGAIN, &host));
        assert!(tokens.unwrap().refresh_token.is_none());
        assert!(world.forms()[0].ends_with(&format!(" scope={AKS}/.default")));
    }

    #[test]
    fn version_1_names_a_resource() {
        let world = World::default();
        world.entra_grants("at", None);
        let mut client = client();
        client.version = Version::V1;
        asked(&world, &client, &wanted(), &person()).unwrap();
        let url =
            format!("https://login.microsoftonline.com/{TENANT}/oauth2/token?api-version=1.0");
        assert_eq!(world.http.requests()[0].endpoint.as_str(), url);
        assert!(world.forms()[0].ends_with(&format!(" client_id={CLIENT} resource={AKS}")));
    }

    #[test]
    fn a_token_is_bound_where_that_is_wanted() {
        let world = World::default();
        world.entra_grants("at", None);
        let wanted = Wanted { req_cnf: Some("cnf".into()), ..wanted() };
        asked(&world, &client(), &wanted, &Asker::Application).unwrap();
        assert!(world.forms()[0].ends_with(" token_type=pop req_cnf=cnf"), "{:?}", world.forms());
    }

    #[test]
    fn a_stranger_is_asked_first() {
        let world = World::default();
        world.http.answer(404, &[], "");
        let mut client = client();
        client.authority.is_known = false;
        let error = asked(&world, &client, &wanted(), &person()).unwrap_err();
        assert_eq!((error.kind(), world.http.requests().len()), (Kind::Unavailable, 1));
    }

    #[test]
    fn answers_that_are_no_tokens() {
        let deep = "[".repeat(10_000);
        for body in [
            "",
            "{",
            "{}",
            "[]",
            "null",
            "<html>",
            &deep,
            r#"{"access_token":"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":"a","access_token":"b"}"#,
            r#"{"access_token":1}"#,
            r#"{"access_token":null}"#,
            r#"{"error":"invalid_grant"}"#,
            "\u{0}\u{0}",
        ] {
            let world = World::default();
            world.http.answer(200, &[], body);
            let error = asked(&world, &client(), &wanted(), &person()).unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable, "{body:.40}: {error}");
            assert!(error.message().contains("was not understood"), "{body:.40}: {error}");
        }
        for (status, kind) in
            [(400, Kind::SignInNeeded), (503, Kind::Unavailable), (201, Kind::SignInNeeded)]
        {
            let world = World::default();
            world.http.answer(
                status,
                &[],
                r#"{"error":"invalid_grant","error_description":"hunter2"}"#,
            );
            let error = asked(&world, &client(), &wanted(), &person()).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
