//! The security token service: the query protocol over POST, and the presigned GET that an EKS cluster makes.

mod assume_role;
mod caller_identity;
pub(crate) mod error;
mod second_factor;
mod session_token;
mod web_identity;

use std::sync::Arc;
use std::time::Duration;

use self::error::{StsError, escape};
use crate::aws::accounts::{Credentials, Identity};
use crate::aws::role::Role;
use crate::clock::iso8601;
use crate::http::{Request, Response};
use crate::random;
use crate::route::Route;
use crate::server::Handler;
use crate::world::World;

pub(crate) struct Sts(pub(crate) Arc<World>);

impl Handler for Sts {
    fn service(&self) -> String {
        "sts".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        match request.parameter("Action").as_deref() {
            Some("AssumeRole") => Route::AssumeRole,
            Some("AssumeRoleWithWebIdentity") => Route::AssumeRoleWithWebIdentity,
            Some("GetCallerIdentity") => Route::GetCallerIdentity,
            Some("GetSessionToken") => Route::GetSessionToken,
            _ => Route::Sts,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let answer = if request.path() != "/" {
            Err(StsError::new(404, "UnknownOperationException", "Unknown path"))
        } else if request.parameter("Version").is_some_and(|version| version != VERSION) {
            Err(invalid_action(request))
        } else {
            match self.route(request) {
                Route::AssumeRole => assume_role::answer(request, &self.0),
                Route::AssumeRoleWithWebIdentity => web_identity::answer(request, &self.0),
                Route::GetCallerIdentity => caller_identity::answer(request, &self.0),
                Route::GetSessionToken => session_token::answer(request, &self.0),
                _ => Err(invalid_action(request)),
            }
        };
        answer.unwrap_or_else(|error| error.response())
    }
}

fn invalid_action(request: &Request) -> StsError {
    let [action, version] =
        ["Action", "Version"].map(|name| request.parameter(name).unwrap_or_default());
    if action.is_empty() {
        return StsError::new(400, "MissingAction", "Missing Action");
    }
    StsError::new(
        400,
        "InvalidAction",
        &format!("Could not find operation {action} for version {version}"),
    )
}

/// A good answer: `<ACTIONResponse><ACTIONResult>inner</ACTIONResult>...`.
fn success(action: &str, inner: &str, caller: &str) -> Response {
    let id = random::uuid();
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <{action}Result>\n{inner}  </{action}Result>\n  \
         <ResponseMetadata>\n    <RequestId>{id}</RequestId>\n  </ResponseMetadata>\n</{action}Response>\n"
    );
    let mut response = Response::new(200, "text/xml", body);
    response.headers.push(("x-amzn-RequestId".to_owned(), id));
    response.caller = Some(caller.to_owned());
    response
}

/// The `AssumedRoleUser` and `Credentials` elements.
fn assumed_role_xml(credentials: &Credentials) -> String {
    format!(
        "    <AssumedRoleUser>\n      <AssumedRoleId>{}</AssumedRoleId>\n      <Arn>{}</Arn>\n    </AssumedRoleUser>\n{}",
        escape(&credentials.identity.user_id),
        escape(&credentials.identity.arn),
        credentials_xml(credentials),
    )
}

fn credentials_xml(credentials: &Credentials) -> String {
    format!(
        "    <Credentials>\n      <AccessKeyId>{}</AccessKeyId>\n      <SecretAccessKey>{}</SecretAccessKey>\n      \
         <SessionToken>{}</SessionToken>\n      <Expiration>{}</Expiration>\n    </Credentials>\n",
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        iso8601(credentials.expires),
    )
}

/// `DurationSeconds` within its bounds, or the default.
fn duration(request: &Request, default: u64, longest: u64) -> Result<Duration, StsError> {
    let Some(text) = request.parameter("DurationSeconds") else {
        return Ok(Duration::from_secs(default));
    };
    let wrong = |constraint: &str| StsError::constraint(&text, "durationSeconds", constraint);
    match text.parse::<u64>() {
        Ok(seconds) if seconds < SHORTEST => {
            Err(wrong("Member must have value greater than or equal to 900"))
        }
        Ok(seconds) if seconds > longest => {
            Err(wrong(&format!("Member must have value less than or equal to {longest}")))
        }
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => Err(StsError::new(400, "MalformedInput", "durationSeconds is not a number")),
    }
}

/// `RoleArn` and `RoleSessionName`, both present and well formed.
fn role_and_session(request: &Request) -> Result<(String, String), StsError> {
    let missing = |name: &str| {
        let message = format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        );
        StsError::validation(&message)
    };
    let arn = request.parameter("RoleArn").ok_or_else(|| missing("roleArn"))?;
    let session = request.parameter("RoleSessionName").ok_or_else(|| missing("roleSessionName"))?;
    if arn.len() < 20 {
        return Err(StsError::constraint(
            &arn,
            "roleArn",
            "Member must have length greater than or equal to 20",
        ));
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if !matches!(parts.as_slice(), ["arn", _, "iam", "", account, resource]
        if account.len() == 12 && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty()))
    {
        return Err(StsError::validation(&format!("{arn} is invalid")));
    }
    let wrong =
        |constraint: &str| Err(StsError::constraint(&session, "roleSessionName", constraint));
    if session.len() < 2 {
        return wrong("Member must have length greater than or equal to 2");
    }
    if session.len() > 64 {
        return wrong("Member must have length less than or equal to 64");
    }
    if !session.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)) {
        return wrong("Member must satisfy regular expression pattern: [\\w+=,.@-]*");
    }
    Ok((arn, session))
}

/// Credentials of a role, for no longer than the role allows.
fn lend(
    role: &Role,
    session: &str,
    lifetime: Duration,
    world: &World,
) -> Result<Credentials, StsError> {
    if lifetime > role.max_session {
        return Err(StsError::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let end = world.accounts.end(world.clock.now(), lifetime);
    Ok(world.accounts.issue(Identity::assumed(&role.arn, session), end, false))
}

/// The packed size of a session policy, as a percentage: any will do.
fn packed_policy_xml(request: &Request) -> &'static str {
    if request.parameter("Policy").is_some() {
        "    <PackedPolicySize>6</PackedPolicySize>\n"
    } else {
        ""
    }
}

const VERSION: &str = "2011-06-15";
const SHORTEST: u64 = 900;
