//! `AssumeRoleWithWebIdentity`: unsigned; the token is the proof.

use super::error::{StsError, escape};
use super::{assumed_role_xml, duration, lend, packed_policy_xml, role_and_session, success};
use crate::http::{Request, Response};
use crate::world::World;

pub(super) fn answer(request: &Request, world: &World) -> Result<Response, StsError> {
    let now = world.clock.now();
    let lifetime = duration(request, 3600, 43200)?;
    let (arn, session) = role_and_session(request)?;
    let invalid = |message: &str| StsError::new(400, "InvalidIdentityToken", message);
    let token = request.parameter("WebIdentityToken").unwrap_or_default();
    let claims = world.issuer.read(&token).ok_or_else(|| invalid(NOT_A_JWT))?;
    if claims.exp <= now.as_second() {
        let message = format!(
            "Token expired: current date/time {} must be before the expiration date/time {}",
            now.as_second(),
            claims.exp
        );
        return Err(StsError::new(400, "ExpiredTokenException", &message));
    }
    if !claims.aud.iter().any(|audience| audience == "sts.amazonaws.com") {
        return Err(invalid("Incorrect token audience"));
    }
    let denied = || {
        StsError::new(
            403,
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        )
    };
    let role = world
        .accounts
        .role(&arn)
        .filter(|role| role.admits_subject(&claims.sub))
        .ok_or_else(denied)?;
    let credentials = lend(&role, &session, lifetime, world)?;
    let inner = format!(
        "{}{}    <Provider>{}</Provider>\n    <Audience>sts.amazonaws.com</Audience>\n    \
         <SubjectFromWebIdentityToken>{}</SubjectFromWebIdentityToken>\n",
        assumed_role_xml(&credentials),
        packed_policy_xml(request),
        escape(claims.iss.trim_start_matches("https://")),
        escape(&claims.sub),
    );
    Ok(success("AssumeRoleWithWebIdentity", &inner, &claims.sub))
}

const NOT_A_JWT: &str = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
