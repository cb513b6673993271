//! The lists of the SSO portal: the accounts that something was granted in, and the roles that were granted there.

use serde_json::{Value, json};

use super::portal::portal_error;
use crate::http::{Request, Response};
use crate::paging::{Page, page};
use crate::route::Route;
use crate::world::World;

/// `ListAccounts`.
pub(super) fn accounts(request: &Request, world: &World, user: String) -> Response {
    let list = || {
        let asked = Asked::read(request, false)?;
        if world.control_plane.denies(Route::SsoAccounts, &[&user]) {
            return Err(forbidden());
        }
        let mut accounts: Vec<_> =
            world.portal.grants(&user).into_iter().map(|(account, _)| account).collect();
        accounts.dedup();
        let account = |account: String| {
            let email = format!("aws+{account}@example.com");
            let name = world.portal.account_name(&account);
            json!({ "accountId": account, "accountName": name, "emailAddress": email })
        };
        let accounts = accounts.into_iter().map(account).collect();
        asked.page(accounts, "accountList", &format!("accounts/{user}"), world)
    };
    let answer = list().unwrap_or_else(|refusal| refusal);
    Response { caller: Some(user), ..answer }
}

/// `ListAccountRoles`.
pub(super) fn roles(request: &Request, world: &World, user: String) -> Response {
    let list = || {
        let asked = Asked::read(request, true)?;
        let account = asked.account.as_deref().ok_or_else(|| invalid("account_id is required"))?;
        if let Some(throttle) = world.control_plane.throttles(account) {
            let words = "HTTP 429 Unknown Code";
            return Err(throttle.tell(portal_error(429, "TooManyRequestsException", words)));
        }
        let grants = world.portal.grants(&user).into_iter();
        let roles: Vec<Value> = grants
            .filter(|(granted, _)| granted == account)
            .map(|(_, role)| json!({ "roleName": role, "accountId": account }))
            .collect();
        if roles.is_empty() || world.control_plane.denies(Route::SsoRoles, &[account, &user]) {
            return Err(forbidden());
        }
        asked.page(roles, "roleList", &format!("roles/{user}/{account}"), world)
    };
    let answer = list().unwrap_or_else(|refusal| refusal);
    Response { caller: Some(user), ..answer }
}

/// What of a list is wanted.
struct Asked {
    account: Option<String>,
    size: usize,
    token: Option<String>,
}

impl Asked {
    fn read(request: &Request, of_account: bool) -> Result<Self, Response> {
        let mut asked = Self { account: None, size: LONGEST, token: None };
        for (name, value) in request.parameters() {
            match name.as_str() {
                "account_id" if of_account => {
                    let good = value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit());
                    asked.account = good.then_some(value);
                }
                "max_result" => {
                    let size = value.parse().ok().filter(|size| (1..=LONGEST).contains(size));
                    asked.size = size.ok_or_else(|| invalid("max_result must be from 1 to 100"))?;
                }
                "next_token" => asked.token = Some(value),
                // the real service ignores what it does not know, and so hides what is misspelt
                _ => return Err(invalid(&format!("{name} is not expected"))),
            }
        }
        Ok(asked)
    }

    fn page(
        &self,
        items: Vec<Value>,
        name: &str,
        list: &str,
        world: &World,
    ) -> Result<Response, Response> {
        let size = world.control_plane.page(self.size);
        let Page { items, next } = page(items, list, self.token.as_deref(), size)
            .ok_or_else(|| invalid("next_token is not of this list"))?;
        let mut body = json!({ "nextToken": next });
        body[name] = items.into();
        Ok(Response::json(200, &body))
    }
}

fn invalid(message: &str) -> Response {
    portal_error(400, "InvalidRequestException", message)
}

fn forbidden() -> Response {
    portal_error(403, "ForbiddenException", "No access")
}

/// What a page has, and the most that can be asked for.
const LONGEST: usize = 100;
