//! `CreateOAuth2Token`: keys for a code or a refresh token, for whoever proves that they hold the session's key.
//!
//! The real service ignores members that it does not know, and so hides misspelt ones; this one refuses them.

use std::io;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::directory::{Brought, Refused};
use super::{CROSS_DEVICE, SAME_DEVICE, proof};
use crate::aws::accounts::{Identity, User};
use crate::http::{Request, Response};
use crate::random;
use crate::world::World;

/// `POST /v1/token`.
pub(super) fn create(request: &Request, world: &World) -> Response {
    let answer = || -> Result<Response, Response> {
        let kind = request.header("content-type").unwrap_or_default();
        if kind.split(';').next().unwrap_or_default().trim() != "application/json" {
            return Err(invalid("The body is not said to be JSON"));
        }
        let asked: Asked =
            serde_json::from_slice(&request.body).map_err(|error| invalid(&error.to_string()))?;
        let now = world.clock.now();
        let proof = proof::read(request, now).map_err(|why| invalid(&format!("DPoP: {why}")))?;
        if !world.signin.is_fresh(proof.id) {
            return Err(invalid("DPoP: this proof was shown before"));
        }
        let Asked { client_id, grant_type, code, code_verifier, redirect_uri, refresh_token } =
            asked;
        if ![SAME_DEVICE, CROSS_DEVICE].contains(&&*client_id) {
            return Err(invalid("There is no such client"));
        }
        let key = &proof.thumbprint;
        let of_code = code.zip(code_verifier).zip(redirect_uri);
        let is_sign_in = of_code.is_some();
        let (user, refresh_token) = match (&*grant_type, of_code, refresh_token) {
            ("authorization_code", Some(((code, verifier), redirect_uri)), None) => {
                let (code, verifier, redirect_uri) = (&*code, &*verifier, &*redirect_uri);
                let brought = Brought { client: &client_id, code, redirect_uri, verifier };
                world.signin.redeem(&brought, key, now)
            }
            ("refresh_token", None, Some(token)) => {
                world.signin.refresh(&client_id, &token, key, now)
            }
            _ => return Err(invalid("The grant is not whole")),
        }
        .map_err(|Refused(error)| refusal(error, words(error)))?;
        let expires = world.accounts.end(now, Duration::from_mins(15));
        let keys = world.accounts.issue(Identity::of_user(&user), expires, false);
        let mut body = json!({
            "accessToken": {
                "accessKeyId": keys.access_key_id, "secretAccessKey": keys.secret_access_key,
                "sessionToken": keys.session_token,
            },
            "tokenType": "aws_sigv4", "expiresIn": expires.duration_since(now).as_secs(),
            "refreshToken": refresh_token,
        });
        if is_sign_in {
            let token = id_token(world, &user, &client_id);
            body["idToken"] = token.map_or(Value::Null, Value::from);
        }
        Ok(Response { caller: Some(user.arn), ..Response::json(200, &body) })
    };
    answer().unwrap_or_else(|refusal| refusal)
}

/// Who signed in, as AWS says it.
pub(super) fn id_token(world: &World, user: &User, client: &str) -> io::Result<String> {
    let now = world.clock.now().as_second();
    world.issuer.sign(&json!({
        "iss": format!("https://{REGION}.signin.aws.amazon.com/signin"), "sub": user.arn,
        "aud": client, "session_arn": user.arn, "iat": now, "exp": now + 900,
    }))
}

fn invalid(words: &str) -> Response {
    refusal("INVALID_REQUEST", words)
}

/// Statuses and exceptions are those of the service's model.
fn refusal(error: &str, words: &str) -> Response {
    let (status, kind) = match error {
        "TOKEN_EXPIRED" | "AUTHCODE_EXPIRED" => (401, "AccessDeniedException"),
        "USER_CREDENTIALS_CHANGED" | "INSUFFICIENT_PERMISSIONS" => (403, "AccessDeniedException"),
        _ => (400, "ValidationException"),
    };
    let mut response = Response::json(status, &json!({ "error": error, "message": words }));
    response.headers.push(("x-amzn-ErrorType".to_owned(), kind.to_owned()));
    response.headers.push(("x-amzn-RequestId".to_owned(), random::uuid()));
    response.error = Some(error.to_owned());
    response
}

fn words(error: &str) -> &'static str {
    match error {
        "AUTHCODE_EXPIRED" => "The authorization code has expired.",
        "INSUFFICIENT_PERMISSIONS" => "The user may not call signin:CreateOAuth2Token.",
        "TOKEN_EXPIRED" => "The refresh token has expired.",
        "USER_CREDENTIALS_CHANGED" => "The user's credentials were changed.",
        _ => "The provided authorization grant is invalid, expired, revoked, or malformed",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    client_id: String,
    grant_type: String,
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
    refresh_token: Option<String>,
}

const REGION: &str = "us-east-1";
