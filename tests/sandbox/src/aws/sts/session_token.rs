//! `GetSessionToken`: temporary credentials of the user itself, usually for the sake of one MFA code.

use super::error::StsError;
use super::second_factor::second_factor;
use super::{credentials_xml, duration, success};
use crate::aws::authentication::{Caller, STS, authenticate};
use crate::http::{Request, Response};
use crate::world::World;

pub(super) fn answer(request: &Request, world: &World) -> Result<Response, StsError> {
    let now = world.clock.now();
    let Caller { identity, access_key_id, .. } = authenticate(request, STS, &world.accounts, now)?;
    if access_key_id.starts_with("ASIA") {
        return Err(StsError::new(
            403,
            "AccessDenied",
            "Cannot call GetSessionToken with session credentials",
        ));
    }
    let lifetime = duration(request, 43200, 129_600)?;
    let mfa = second_factor(request, &identity, world)?;
    let arn = identity.arn.clone();
    let credentials = world.accounts.issue(identity, world.accounts.end(now, lifetime), mfa);
    Ok(success("GetSessionToken", &credentials_xml(&credentials), &arn))
}
