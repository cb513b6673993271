//! Issuers whose tokens Entra takes in exchange for its own: a cluster's, GitHub's, Azure DevOps'.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::aws::issuer::Issuer;
use crate::entra::Directory;
use crate::home::Home;
use crate::random;
use crate::sandbox::Sandbox;

/// The audience that Entra's exchange wants.
pub const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

impl Sandbox {
    /// Who signs [`Sandbox::azure_federated_token`].
    pub fn azure_federation_issuer(&self) -> &str {
        &self.world.federation.cluster.url
    }

    /// A service account's token as an AKS cluster projects it for workload identity.
    pub fn azure_federated_token(
        &self,
        subject: &str,
        lifetime: SignedDuration,
    ) -> io::Result<String> {
        self.world.federation.cluster.token(subject, EXCHANGE_AUDIENCE, self.now(), lifetime)
    }
}

impl Home {
    /// A projected service account token, as `AZURE_FEDERATED_TOKEN_FILE` names one.
    pub fn azure_federated_token(&self, token: &str) -> io::Result<PathBuf> {
        self.write("var/run/secrets/azure/tokens/azure-identity-token", token)
    }
}

/// The issuers of a sandbox.
pub(crate) struct Federation {
    cluster: Arc<Issuer>,
    pub(crate) github: Arc<Issuer>,
    pub(crate) pipelines: Arc<Issuer>,
}

impl Federation {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            cluster: Arc::new(Issuer::named(CLUSTER)?),
            github: Arc::new(Issuer::named(GITHUB)?),
            pipelines: Arc::new(Issuer::named(PIPELINES)?),
        })
    }

    /// Lets Entra know their signatures.
    pub(crate) fn introduce(&self, entra: &Directory) {
        let Self { cluster, github, pipelines } = self;
        for issuer in [cluster, github, pipelines] {
            let known = Arc::clone(issuer);
            entra.trust_issuer(&issuer.url, Arc::new(move |token| known.signed(token)));
        }
    }
}

/// The token of a job, as both CI systems shape it: one audience, in a string.
pub(crate) fn job_token(
    issuer: &Issuer,
    subject: &str,
    audience: &str,
    now: Timestamp,
) -> io::Result<String> {
    let now = now.as_second();
    issuer.sign(&json!({
        "iss": issuer.url, "sub": subject, "aud": audience,
        "iat": now, "nbf": now, "exp": now + JOB_TOKEN.as_secs(), "jti": random::uuid(),
    }))
}

/// Jobs' tokens are short-lived: five or ten minutes, which is why they are fetched when needed.
const JOB_TOKEN: SignedDuration = SignedDuration::from_mins(5);

/// Shaped like an AKS issuer, and nobody's.
const CLUSTER: &str = "https://westeurope.oic.prod-aks.azure.com/00000000-0000-4000-a000-000000000003/00000000-0000-4000-a000-000000000004/";
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const PIPELINES: &str = "https://vstoken.dev.azure.com/00000000-0000-4000-a000-000000000005";
