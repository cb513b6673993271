//! Why a cluster turned a token away: one name for each rule, in the order they are looked at.

use std::fmt;

/// The rule that a token broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// No bearer token at all.
    Anonymous,
    /// 1: longer than 4096 bytes.
    TooLarge,
    /// 2: does not begin with `k8s-aws-v1.`.
    Prefix,
    /// 3: the rest is not unpadded base64url.
    Base64,
    /// 4: not a URL.
    Url,
    /// 4: not https.
    Scheme,
    /// 5: a host this cluster does not believe.
    Host(String),
    /// 6: a path other than `/`.
    Path,
    /// 7: a query that cannot be read.
    MalformedQuery,
    /// 8: two names that differ in case only.
    DuplicateParameter(String),
    /// 8: one name twice.
    MultipleValues(String),
    /// 9: a name that is not on the list.
    UnknownParameter(String),
    /// 10: not `GetCallerIdentity`.
    Action,
    /// 11: the cluster's name is not signed.
    UnsignedCluster,
    /// 12: X-Amz-Expires is no number from 0 to 900.
    Expires,
    /// 13: X-Amz-Date is missing or no date.
    Date,
    /// 13: signed more than 15 minutes ago.
    TooOld,
    /// 14: no access key id.
    AccessKey,
    /// STS did not agree, with its code and words.
    Sts(String),
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("no bearer token"),
            Self::TooLarge => f.write_str("token is too large"),
            Self::Prefix => f.write_str("token is missing expected \"k8s-aws-v1.\" prefix"),
            Self::Base64 => f.write_str("token is not unpadded base64url"),
            Self::Url => f.write_str("token is not a URL"),
            Self::Scheme => f.write_str("unexpected scheme in pre-signed URL"),
            Self::Host(host) => write!(f, "unexpected hostname \"{host}\" in pre-signed URL"),
            Self::Path => f.write_str("unexpected path in pre-signed URL"),
            Self::MalformedQuery => f.write_str("malformed query parameter"),
            Self::DuplicateParameter(name) => {
                write!(f, "duplicate query parameter found: \"{name}\"")
            }
            Self::MultipleValues(name) => {
                write!(f, "query parameter with multiple values not supported: \"{name}\"")
            }
            Self::UnknownParameter(name) => write!(f, "non-whitelisted query parameter \"{name}\""),
            Self::Action => f.write_str("unexpected action parameter in pre-signed URL"),
            Self::UnsignedCluster => {
                f.write_str("client did not sign the x-k8s-aws-id header in the pre-signed URL")
            }
            Self::Expires => f.write_str("invalid X-Amz-Expires parameter in pre-signed URL"),
            Self::Date => f.write_str("X-Amz-Date parameter is missing or malformed"),
            Self::TooOld => f.write_str("X-Amz-Date parameter is expired (15 minute limit)"),
            Self::AccessKey => f.write_str("X-Amz-Credential names no access key"),
            Self::Sts(answer) => write!(f, "error from AWS: {answer}"),
        }
    }
}
