//! Azure Resource Manager on the wire: pages of a list, and a question by POST.
//!
//! The token goes to the host that was asked first and to no other: a page that lies elsewhere is not
//! fetched.

use std::{collections::HashSet, sync::Arc};

use fleetkey_provider::{
    Credential, Endpoint, Error, ExposeSecret, Host, HttpRequest, HttpResponse, Method, Result,
    Retry, SecretString, shown,
};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::refusal::{Question, not_understood, refused};
use crate::entra::request_id;

/// Azure Resource Manager, as one account sees it.
#[derive(Clone)]
pub(super) struct Arm {
    endpoint: Endpoint,
    token: Arc<SecretString>,
    /// What that account types to sign in anew, if it is a person's.
    pub(super) sign_in: Option<String>,
}

/// What is in a list.
pub(super) struct Pages {
    /// The values, of all pages that came.
    pub(super) values: Vec<Value>,
    /// Why a further page did not.
    pub(super) failure: Option<Error>,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Value>,
    #[serde(rename = "nextLink")]
    next_link: Option<String>,
}

impl Arm {
    /// What is at that endpoint, for whoever has the credential.
    pub(super) fn new(
        endpoint: &Endpoint,
        credential: Option<&Credential>,
        sign_in: Option<String>,
    ) -> Result<Self> {
        let credential = credential
            .ok_or_else(|| Error::failed("there is no token for Azure Resource Manager"))?;
        let token = Arc::new(SecretString::from(credential.expose()));
        Ok(Self { endpoint: endpoint.clone(), token, sign_in })
    }

    /// The host, for a person.
    pub(super) fn origin(&self) -> String {
        self.endpoint.origin()
    }

    /// A list. Errors if not even its first page came.
    pub(super) async fn list(
        &self,
        path: &str,
        version: &str,
        question: &Question<'_>,
        host: &Host,
    ) -> Result<Pages> {
        let mut pages = Pages { values: Vec::new(), failure: None };
        let mut at = self.endpoint.at(path, &[("api-version", version)]);
        let mut seen = HashSet::from([at.as_str().to_owned()]);
        for number in 1.. {
            match self.page(at, question, host).await {
                Ok(Page { value, next_link }) => {
                    pages.values.extend(value);
                    let Some(link) = next_link.filter(|link| !link.is_empty()) else { break };
                    match self.follow(&link, number) {
                        Ok(next) if !seen.insert(next.as_str().to_owned()) => {
                            pages.failure = Some(
                                Error::failed("the list has no end")
                                    .because("its next page is one that was there before"),
                            );
                            break;
                        }
                        Ok(next) => at = next,
                        Err(error) => {
                            pages.failure = Some(error);
                            break;
                        }
                    }
                }
                Err(error) if number == 1 => return Err(error),
                Err(error) => {
                    pages.failure = Some(error);
                    break;
                }
            }
        }
        Ok(pages)
    }

    /// Asks by POST, with nothing but path and query.
    pub(super) async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        question: &Question<'_>,
        host: &Host,
    ) -> Result<HttpResponse> {
        self.send(Method::Post, self.endpoint.at(path, query), question, host).await
    }

    async fn page(&self, at: Endpoint, question: &Question<'_>, host: &Host) -> Result<Page> {
        let answer = self.send(Method::Get, at, question, host).await?;
        serde_json::from_slice(&answer.body).map_err(|_| not_understood(&answer, self))
    }

    async fn send(
        &self,
        method: Method,
        endpoint: Endpoint,
        question: &Question<'_>,
        host: &Host,
    ) -> Result<HttpResponse> {
        let id = request_id(host)?;
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let token = self.token.expose_secret();
        let mut headers = vec![
            header("authorization", &format!("Bearer {token}")),
            header("accept", "application/json"),
            header("x-ms-client-request-id", &id),
        ];
        if method == Method::Post {
            // there is no body, and a POST without a length is refused
            headers.push(header("content-length", "0"));
        }
        host.notes.note(&format!("asking {endpoint} (request id {id})"));
        let retry = Retry::Safe(|_| false);
        // a page of clusters has all that is known of each, and nobody can ask for a shorter one
        let endpoint = endpoint.answering_up_to(LONGEST_PAGE);
        let request =
            HttpRequest { method, endpoint, headers, body: Vec::new(), ca_bundle: None, retry };
        let answer = host.http.send(&request).await?;
        if answer.status == 200 { Ok(answer) } else { Err(refused(&answer, question, self, &id)) }
    }

    /// The next page, if it is at the same host.
    fn follow(&self, link: &str, number: u32) -> Result<Endpoint> {
        if number >= MOST_PAGES {
            return Err(Error::failed("the list has no end")
                .because(format!("there are more than {MOST_PAGES} pages of it")));
        }
        let own = self.endpoint.url();
        let base = own.path().trim_end_matches('/');
        let url = Url::parse(link).ok().filter(|url| {
            url.origin() == own.origin() && url.username().is_empty() && url.password().is_none()
        });
        let Some(url) = url.filter(|url| url.path().starts_with(&format!("{base}/"))) else {
            let host = Url::parse(link).ok().and_then(|url| url.host_str().map(shown));
            return Err(Error::refused("the next page is elsewhere, and was not fetched").because(
                format!(
                    "{} names {}, and a token goes to no other host than the one that was asked",
                    self.origin(),
                    host.map_or_else(|| "no host".into(), |host| format!("`{host}`")),
                ),
            ));
        };
        let query: Vec<_> = url.query_pairs().collect();
        let query: Vec<_> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
        let path = url.path().strip_prefix(base).unwrap_or_default();
        Ok(self.endpoint.at(path, &query))
    }
}

/// The longest page of a list, in bytes.
const LONGEST_PAGE: usize = 32 << 20;

/// Far beyond what any account sees.
const MOST_PAGES: u32 = 500;
