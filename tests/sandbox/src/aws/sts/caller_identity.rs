//! `GetCallerIdentity`, in XML for people and in JSON for the EKS verifier.

use serde_json::json;

use super::error::{StsError, escape};
use super::success;
use crate::aws::authentication::{STS, authenticate};
use crate::http::{Request, Response};
use crate::random;
use crate::world::World;

pub(super) fn answer(request: &Request, world: &World) -> Result<Response, StsError> {
    let identity = authenticate(request, STS, &world.accounts, world.clock.now())?.identity;
    if request.header("accept").is_some_and(|accept| accept.contains("application/json")) {
        let body = json!({ "GetCallerIdentityResponse": {
            "GetCallerIdentityResult": { "Account": identity.account, "Arn": identity.arn, "UserId": identity.user_id },
            "ResponseMetadata": { "RequestId": random::uuid() },
        }});
        return Ok(Response { caller: Some(identity.arn), ..Response::json(200, &body) });
    }
    let inner = format!(
        "    <Arn>{}</Arn>\n    <UserId>{}</UserId>\n    <Account>{}</Account>\n",
        escape(&identity.arn),
        escape(&identity.user_id),
        identity.account
    );
    Ok(success("GetCallerIdentity", &inner, &identity.arn))
}
