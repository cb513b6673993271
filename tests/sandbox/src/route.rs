//! What can be asked of the sandbox, named once: requests are counted and faults are scripted by these names.

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// STS `AssumeRole`.
    AssumeRole,
    /// STS `AssumeRoleWithWebIdentity`.
    AssumeRoleWithWebIdentity,
    /// STS `GetCallerIdentity`, header-signed or presigned.
    GetCallerIdentity,
    /// STS `GetSessionToken`.
    GetSessionToken,
    /// Any other request to STS.
    Sts,
    /// `GET /federation/credentials` of the SSO portal.
    SsoCredentials,
    /// Any other request to the SSO portal.
    Sso,
    /// Any request to any API server.
    Api,
    /// Anything that came to a canary.
    Canary,
}

/// One kind of listener: certificates are chosen by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// The security token service.
    Sts,
    /// The SSO portal.
    Sso,
    /// All API servers.
    Api,
    /// All canaries.
    Canary,
}
