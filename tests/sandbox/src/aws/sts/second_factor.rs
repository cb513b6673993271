//! A code of somebody's MFA device, as `AssumeRole` and `GetSessionToken` take one.

use super::error::StsError;
use crate::aws::accounts::Identity;
use crate::http::Request;
use crate::world::World;

/// Whether a code was given; a wrong one is an error.
pub(super) fn second_factor(
    request: &Request,
    caller: &Identity,
    world: &World,
) -> Result<bool, StsError> {
    let (serial, code) = (request.parameter("SerialNumber"), request.parameter("TokenCode"));
    let (serial, code) = match (serial, code) {
        (None, None) => return Ok(false),
        (Some(serial), Some(code)) => (serial, code),
        _ => return Err(StsError::validation("Both SerialNumber and TokenCode must be provided.")),
    };
    if serial.len() < 9 {
        let constraint = "Member must have length greater than or equal to 9";
        return Err(StsError::constraint(&serial, "serialNumber", constraint));
    }
    if let Some(constraint) = broken(&code) {
        return Err(StsError::constraint(&code, "tokenCode", constraint));
    }
    let failed = |why: &str| {
        StsError::new(403, "AccessDenied", &format!("MultiFactorAuthentication failed{why}"))
    };
    // the device has to be the caller's own
    if device_of(caller).as_deref() != Some(&serial) {
        return Err(failed(
            ", unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
        ));
    }
    if world.accounts.redeem_mfa(&serial, &code) {
        return Ok(true);
    }
    Err(failed(" with invalid MFA one time pass code. "))
}

/// What is wrong with how a code looks.
fn broken(code: &str) -> Option<&'static str> {
    match code.len() {
        0..=5 => Some("Member must have length greater than or equal to 6"),
        7.. => Some("Member must have length less than or equal to 6"),
        _ if !code.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some("Member must satisfy regular expression pattern: [\\d]*")
        }
        _ => None,
    }
}

/// Users have devices; roles have none.
fn device_of(caller: &Identity) -> Option<String> {
    let name = caller.arn.strip_prefix(&format!("arn:aws:iam::{}:user/", caller.account))?;
    Some(format!("arn:aws:iam::{}:mfa/{name}", caller.account))
}
