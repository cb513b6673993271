//! The query of a request: the version that is spoken, and the little else that may be said.

use url::form_urlencoded;

use super::error::error;
use super::place::Place;
use crate::http::{Request, Response};

/// What a query says.
#[derive(Debug, Default)]
pub(super) struct Question {
    version: String,
    /// Where the page before this one ended.
    pub(super) skip: Option<String>,
    /// `format=exec`.
    pub(super) exec: bool,
    /// `server-fqdn=public`.
    pub(super) public: bool,
}

impl Question {
    /// The original ignores what it does not know, and so hides what is misspelt; this one refuses it.
    pub(super) fn read(request: &Request, place: &Place) -> Result<Self, Response> {
        let user = matches!(place, Place::Credential { admin: false, .. });
        let credential = matches!(place, Place::Credential { .. });
        let mut question = Self::default();
        for (name, value) in form_urlencoded::parse(request.query().as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("api-version", version) if question.version.is_empty() => {
                    version.clone_into(&mut question.version);
                }
                ("$skiptoken", token) if !credential => question.skip = Some(token.to_owned()),
                ("format", "exec") if user => question.exec = true,
                ("format", "azure") if user => {}
                ("server-fqdn", "public") if credential => question.public = true,
                _ => {
                    let message = format!("The query parameter '{name}' is not expected here.");
                    return Err(error(400, "InvalidQueryParameter", &message));
                }
            }
        }
        question.check(place)?;
        Ok(question)
    }

    fn check(&self, place: &Place) -> Result<(), Response> {
        let version = self.version.as_str();
        if version.is_empty() {
            let message =
                "The api-version query parameter (?api-version=) is required for all requests.";
            return Err(error(400, "MissingApiVersionParameter", message));
        }
        let (known, code): (&[&str], _) = match place {
            Place::Clusters { .. } | Place::Cluster { .. } | Place::Credential { .. } => {
                (&CLUSTERS, "NoRegisteredProviderFound")
            }
            _ => (&SUBSCRIPTIONS, "InvalidApiVersionParameter"),
        };
        if known.contains(&version) {
            return Ok(());
        }
        let message = format!(
            "The api-version '{version}' is invalid. The supported versions are '{}'.",
            known.join(",")
        );
        Err(error(400, code, &message))
    }

    /// The URL of the page that a token brings.
    pub(super) fn link(&self, to: &str, token: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("api-version", &self.version).append_pair("$skiptoken", token);
        format!("{to}?{}", query.finish())
    }
}

/// Whether a version of Kubernetes is older than 1.24, whose clients had Azure built in.
pub(super) fn is_old(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let version: (u32, u32) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    version < (1, 24)
}

/// Of subscriptions and tenants.
const SUBSCRIPTIONS: [&str; 8] = [
    "2016-06-01",
    "2018-02-01",
    "2019-06-01",
    "2019-11-01",
    "2020-01-01",
    "2021-01-01",
    "2021-04-01",
    "2022-12-01",
];

/// Of AKS, without those that are a preview.
const CLUSTERS: [&str; 22] = [
    "2023-01-01",
    "2023-02-01",
    "2023-03-01",
    "2023-04-01",
    "2023-05-01",
    "2023-06-01",
    "2023-07-01",
    "2023-08-01",
    "2023-09-01",
    "2023-10-01",
    "2023-11-01",
    "2024-01-01",
    "2024-02-01",
    "2024-05-01",
    "2024-07-01",
    "2024-08-01",
    "2024-09-01",
    "2024-10-01",
    "2025-01-01",
    "2025-02-01",
    "2025-03-01",
    "2025-04-01",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        for (version, old) in
            [("1.9.11", true), ("1.23.17", true), ("1.24.0", false), ("1.33", false)]
        {
            assert_eq!(is_old(version), old, "{version}");
        }
    }
}
