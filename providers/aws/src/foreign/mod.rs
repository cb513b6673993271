//! What `aws` and `aws-iam-authenticator` left behind: users of kubeconfigs, and command lines that
//! were written for them.
//!
//! Each program's grammar is in a file of its own, and so is its manner of answering. Both are
//! understood into the same flags of ours: to be written into a kubeconfig ([`adopt()`]), into a
//! cluster's extension ([`extension()`]), or to be run at once ([`stands_in()`]).

mod adopt;
mod argparse;
mod authenticator_line;
mod authenticator_manner;
mod aws_answer;
mod aws_line;
mod aws_manner;
mod check;
mod extension;
mod failure;
mod recognise;
mod stand_in;
mod words;

use fleetkey_provider::Token;

pub(crate) use adopt::adopt;
pub(crate) use check::check;
pub(crate) use extension::extension;
pub(crate) use recognise::recognises;
pub(crate) use stand_in::stands_in;

use crate::variables;

/// The variables whose value is a secret. No flag's is.
pub(crate) const SECRETS: &[&str] = &[
    variables::AWS_SECRET_ACCESS_KEY,
    variables::AWS_SESSION_TOKEN,
    variables::AWS_SECURITY_TOKEN,
    variables::AWS_CONTAINER_AUTHORIZATION_TOKEN,
];

/// Whether that is the name of the AWS CLI.
fn is_aws(program: &str) -> bool {
    program == "aws"
}

/// Whether that is a name of the authenticator, the one from before it moved among them.
fn is_authenticator(program: &str) -> bool {
    matches!(program, "aws-iam-authenticator" | "heptio-authenticator-aws")
}

/// When a token ends, as both programs write it.
fn expires(token: &Token) -> String {
    token.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
