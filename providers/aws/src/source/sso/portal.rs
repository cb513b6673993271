//! The SSO portal: what a person's session may be lent, for the session's token.

use std::path::PathBuf;

use fleetkey_provider::{
    ExposeSecret, Host, HttpRequest, HttpResponse, Kind, Method, Result, Retry,
};

use super::session::Token;
use crate::{
    clock::Offset,
    endpoints::Target,
    errors::{Asker, Call, Said, rest_json},
};

/// The portal, where it is asked.
#[derive(Clone, Debug)]
pub(super) struct Portal {
    pub(super) target: Target,
    pub(super) ca_bundle: Option<PathBuf>,
}

/// A question to it: what it asks, and the words for the error if it is refused.
pub(super) struct Question<'a> {
    pub(super) path: &'static str,
    pub(super) query: &'a [(&'a str, &'a str)],
    /// What is wanted, to go behind "did not let me".
    pub(super) task: &'a str,
    /// Who wants it.
    pub(super) asker: &'a Asker,
    /// The token of their session.
    pub(super) token: &'a Token,
}

impl Portal {
    /// Asks. With the answer comes how wrong the clock here is.
    pub(super) async fn ask(
        &self,
        question: &Question<'_>,
        host: &Host,
    ) -> Result<(HttpResponse, Offset)> {
        self.send(Method::Get, question, host).await
    }

    /// Ends the session that the token is of. Whether there was one.
    pub(super) async fn sign_out(&self, token: &Token, asker: &Asker, host: &Host) -> Result<bool> {
        let question = Question { path: "/logout", query: &[], task: "sign out", asker, token };
        match self.send(Method::Post, &question, host).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == Kind::SignInNeeded => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn send(
        &self,
        method: Method,
        question: &Question<'_>,
        host: &Host,
    ) -> Result<(HttpResponse, Offset)> {
        let Question { path, query, task: _, asker: _, token } = question;
        let Self { target: Target { endpoint, .. }, ca_bundle } = self;
        let request = HttpRequest {
            method,
            endpoint: endpoint.at(path, query),
            headers: vec![(
                "x-amz-sso_bearer_token".into(),
                token.secret.expose_secret().to_owned(),
            )],
            body: Vec::new(),
            ca_bundle: ca_bundle.clone(),
            retry: Retry::Safe(|_| false),
        };
        let sent = host.clock.now();
        let answer = host.http.send(&request).await?;
        let offset = Offset::default().learn(sent, &answer, ("SSO", endpoint), host)?;
        if answer.status == 200 {
            return Ok((answer, offset));
        }
        let secrets = [token.secret.expose_secret()];
        Err(self.call(question, &secrets).error(&answer, said(&answer), host.clock.now()))
    }

    /// The question, as an error would put it.
    pub(super) fn call<'a>(&'a self, question: &Question<'a>, secrets: &'a [&'a str]) -> Call<'a> {
        let Question { task, asker, .. } = *question;
        Call { service: "SSO", endpoint: &self.target.endpoint, task, asker, secrets }
    }
}

/// Where the code is in neither header nor body the status means the same.
fn said(answer: &HttpResponse) -> Option<Said> {
    let (code, message) = rest_json::code_and_message(answer)?;
    let code = match (answer.status, code) {
        (401, _) => "UnauthorizedException".into(),
        (_, Some(code)) => code,
        (403, None) => "ForbiddenException".into(),
        (404, None) => "ResourceNotFoundException".into(),
        (429, None) => "TooManyRequestsException".into(),
        (_, None) => "InvalidRequestException".into(),
    };
    Some(Said { code, message })
}
