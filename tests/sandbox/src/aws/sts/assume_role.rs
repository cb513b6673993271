//! `AssumeRole`: signed, trusted by the role, and within the limits of session and chain.

use std::time::Duration;

use super::error::StsError;
use super::second_factor::second_factor;
use super::{assumed_role_xml, duration, lend, packed_policy_xml, role_and_session, success};
use crate::aws::authentication::{Caller, STS, authenticate};
use crate::http::{Request, Response};
use crate::world::World;

pub(super) fn answer(request: &Request, world: &World) -> Result<Response, StsError> {
    let now = world.clock.now();
    let Caller { identity: caller, mfa, .. } = authenticate(request, STS, &world.accounts, now)?;
    let lifetime = duration(request, 3600, 43200)?;
    let (arn, session) = role_and_session(request)?;
    let external_id = request.parameter("ExternalId");
    if let Some(id) = external_id.as_deref().filter(|id| id.len() < 2 || id.len() > 1224) {
        return Err(StsError::constraint(
            id,
            "externalId",
            "Member must have length greater than or equal to 2",
        ));
    }
    let mfa = second_factor(request, &caller, world)? || mfa;
    let denied = || StsError::access_denied(&caller.arn, "AssumeRole", &arn);
    let role = world.accounts.role(&arn).ok_or_else(denied)?;
    if !role.admits(&caller, external_id.as_deref(), mfa) {
        return Err(denied());
    }
    if caller.session_name.is_some() && lifetime > Duration::from_hours(1) {
        return Err(StsError::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    let credentials = lend(&role, &session, lifetime, world)?;
    let inner = assumed_role_xml(&credentials) + packed_policy_xml(request);
    Ok(success("AssumeRole", &inner, &caller.arn))
}
