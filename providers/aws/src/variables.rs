//! Every environment variable that the AWS code reads, spelled once.

/// The id of a pair of access keys.
pub(crate) const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The secret of that pair.
pub(crate) const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// The session token of that pair, if it was lent.
pub(crate) const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// The same under its older name; botocore asks for it first, and so do we.
pub(crate) const AWS_SECURITY_TOKEN: &str = "AWS_SECURITY_TOKEN";
/// The account that pair belongs to.
pub(crate) const AWS_ACCOUNT_ID: &str = "AWS_ACCOUNT_ID";
/// When that pair ends (RFC 3339), as `aws configure export-credentials` prints it.
pub(crate) const AWS_CREDENTIAL_EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

/// The profile to use.
pub(crate) const AWS_PROFILE: &str = "AWS_PROFILE";
/// The same under its older name, asked second.
pub(crate) const AWS_DEFAULT_PROFILE: &str = "AWS_DEFAULT_PROFILE";
/// The region to use.
pub(crate) const AWS_REGION: &str = "AWS_REGION";
/// The same under its older name, asked second.
pub(crate) const AWS_DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";

/// Where the config file is, if not in `~/.aws/config`.
pub(crate) const AWS_CONFIG_FILE: &str = "AWS_CONFIG_FILE";
/// Where the credentials file is, if not in `~/.aws/credentials`.
pub(crate) const AWS_SHARED_CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";

/// Where `aws login` keeps its sessions, if not in `~/.aws/login/cache`.
pub(crate) const AWS_LOGIN_CACHE_DIRECTORY: &str = "AWS_LOGIN_CACHE_DIRECTORY";

/// The role that a web identity token is exchanged for.
pub(crate) const AWS_ROLE_ARN: &str = "AWS_ROLE_ARN";
/// The file with that token.
pub(crate) const AWS_WEB_IDENTITY_TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
/// The name of the session that comes of it.
pub(crate) const AWS_ROLE_SESSION_NAME: &str = "AWS_ROLE_SESSION_NAME";

/// Where a container's credentials are, on the host that lends them.
pub(crate) const AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: &str =
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
/// Where a container's credentials are, host and all.
pub(crate) const AWS_CONTAINER_CREDENTIALS_FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/// What the container's credential service wants to see.
pub(crate) const AWS_CONTAINER_AUTHORIZATION_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
/// The file that it stands in, asked first.
pub(crate) const AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: &str =
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
/// Whether the metadata service of EC2 is to be left alone.
pub(crate) const AWS_EC2_METADATA_DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
/// Where the metadata service is, if not at its own address.
pub(crate) const AWS_EC2_METADATA_SERVICE_ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// By which of its own addresses it is asked: `IPv4` or `IPv6`.
pub(crate) const AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: &str =
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";

/// The endpoint of every service.
pub(crate) const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
/// The endpoint of STS.
pub(crate) const AWS_ENDPOINT_URL_STS: &str = "AWS_ENDPOINT_URL_STS";
/// The endpoint of the SSO portal.
pub(crate) const AWS_ENDPOINT_URL_SSO: &str = "AWS_ENDPOINT_URL_SSO";
/// The endpoint that issues SSO tokens.
pub(crate) const AWS_ENDPOINT_URL_SSO_OIDC: &str = "AWS_ENDPOINT_URL_SSO_OIDC";
/// The endpoint on which people sign in to the console.
pub(crate) const AWS_ENDPOINT_URL_SIGNIN: &str = "AWS_ENDPOINT_URL_SIGNIN";
/// The endpoint of EKS.
pub(crate) const AWS_ENDPOINT_URL_EKS: &str = "AWS_ENDPOINT_URL_EKS";
/// The endpoint of EC2.
pub(crate) const AWS_ENDPOINT_URL_EC2: &str = "AWS_ENDPOINT_URL_EC2";
/// Whether all configured endpoints are to be ignored.
pub(crate) const AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
/// Whether hosts with FIPS 140 cryptography are wanted.
pub(crate) const AWS_USE_FIPS_ENDPOINT: &str = "AWS_USE_FIPS_ENDPOINT";
/// Whether hosts that are reached by IPv4 and IPv6 are wanted.
pub(crate) const AWS_USE_DUALSTACK_ENDPOINT: &str = "AWS_USE_DUALSTACK_ENDPOINT";
/// A PEM file of the only authorities to believe.
pub(crate) const AWS_CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The home folder.
pub(crate) const HOME: &str = "HOME";
/// The home folder on Windows.
pub(crate) const USERPROFILE: &str = "USERPROFILE";
/// The home folder's drive on Windows, where there is no `USERPROFILE`.
pub(crate) const HOMEDRIVE: &str = "HOMEDRIVE";
/// The home folder's path on that drive.
pub(crate) const HOMEPATH: &str = "HOMEPATH";

/// How `aws` prints where no flag says it. Read where fleetkey stands in for it.
pub(crate) const AWS_DEFAULT_OUTPUT: &str = "AWS_DEFAULT_OUTPUT";
/// The pager of `aws`. Not read: a user that is taken over does without.
pub(crate) const AWS_PAGER: &str = "AWS_PAGER";
/// Whether version 1 of `aws` makes tokens for STS's global host. Not read: a user that is taken over
/// does without.
pub(crate) const AWS_STS_REGIONAL_ENDPOINTS: &str = "AWS_STS_REGIONAL_ENDPOINTS";

/// The cluster, where no flag of `aws-iam-authenticator` names one.
pub(crate) const KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID: &str =
    "KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID";
/// The role, where no flag of `aws-iam-authenticator` names one.
pub(crate) const DEFAULT_ROLE: &str = "DEFAULT_ROLE";
/// Where `aws-iam-authenticator` keeps credentials. Not read: fleetkey keeps its own.
pub(crate) const AWS_IAM_AUTHENTICATOR_CACHE_FILE: &str = "AWS_IAM_AUTHENTICATOR_CACHE_FILE";
/// How much `aws-iam-authenticator` says. Not read.
pub(crate) const AWS_IAM_AUTHENTICATOR_LOG_VERBOSITY: &str = "AWS_IAM_AUTHENTICATOR_LOG_VERBOSITY";
