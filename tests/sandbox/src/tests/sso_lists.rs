use serde_json::{Value, json};

use crate::{Route, Sandbox};

/// Status and body of a GET at the portal.
fn get(sandbox: &Sandbox, token: &str, path: &str) -> (u16, Value) {
    let url = format!("{}{path}", sandbox.sso_url());
    let reply = sandbox.client().unwrap().get(&url, &[("x-amz-sso_bearer_token", token)]).unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

fn names(body: &Value, list: &str, name: &str) -> Vec<String> {
    let list = body[list].as_array().unwrap_or_else(|| panic!("no {list} in {body}"));
    list.iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
}

#[test]
fn accounts_and_roles_that_were_granted() {
    let sandbox = Sandbox::start().unwrap();
    for (account, role) in
        [("222222222222", "Admin"), ("111111111111", "Viewer"), ("111111111111", "Admin")]
    {
        sandbox.grant_sso("carol", account, role);
    }
    sandbox.grant_sso("dave", "333333333333", "Admin");
    sandbox.account_name("111111111111", "prod");
    let token = sandbox.sso_session("carol").access_token;
    let (status, body) = get(&sandbox, &token, "/assignment/accounts");
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({ "nextToken": null, "accountList": [
            { "accountId": "111111111111", "accountName": "prod", "emailAddress": "aws+111111111111@example.com" },
            { "accountId": "222222222222", "accountName": "account 222222222222",
              "emailAddress": "aws+222222222222@example.com" },
        ]})
    );
    let (_, body) = get(&sandbox, &token, "/assignment/roles?account_id=111111111111");
    assert_eq!(names(&body, "roleList", "roleName"), ["Admin", "Viewer"]);
    assert_eq!(body["roleList"][0]["accountId"], "111111111111");

    sandbox.page_size(Some(1));
    let (_, first) = get(&sandbox, &token, "/assignment/accounts?max_result=100");
    let next = crate::aws::sigv4::encode(first["nextToken"].as_str().unwrap());
    let (_, second) = get(&sandbox, &token, &format!("/assignment/accounts?next_token={next}"));
    assert_eq!(names(&second, "accountList", "accountId"), ["222222222222"]);
    assert_eq!(second["nextToken"], Value::Null);
    let (_, first) = get(&sandbox, &token, "/assignment/roles?account_id=111111111111");
    let next = crate::aws::sigv4::encode(first["nextToken"].as_str().unwrap());
    let path = format!("/assignment/roles?account_id=111111111111&max_result=1&next_token={next}");
    assert_eq!(names(&get(&sandbox, &token, &path).1, "roleList", "roleName"), ["Viewer"]);
    let path = format!("/assignment/roles?account_id=222222222222&next_token={next}");
    assert_eq!(get(&sandbox, &token, &path).0, 400, "a token of another list");
    assert_eq!((sandbox.count(Route::SsoAccounts), sandbox.count(Route::SsoRoles)), (3, 4));
}

#[test]
fn what_the_lists_refuse() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.grant_sso("carol", "111111111111", "Admin");
    sandbox.grant_sso("carol", "222222222222", "Admin");
    let token = sandbox.sso_session("carol").access_token;
    let kind = |path: &str| {
        let (status, body) = get(&sandbox, &token, path);
        (status, body["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned())
    };
    assert_eq!(get(&sandbox, "unknown", "/assignment/accounts").0, 401);
    for path in [
        "/assignment/roles",
        "/assignment/roles?account_id=1",
        "/assignment/accounts?max_result=0",
        "/assignment/accounts?max_results=1",
        "/assignment/accounts?next_token=x",
        "/assignment/accounts?account_id=111111111111",
    ] {
        assert_eq!(kind(path), (400, "InvalidRequestException".to_owned()), "{path}");
    }
    let forbidden = (403, "ForbiddenException".to_owned());
    assert_eq!(kind("/assignment/roles?account_id=333333333333"), forbidden);
    sandbox.deny(Route::SsoRoles, "111111111111");
    sandbox.deny(Route::SsoCredentials, "111111111111");
    assert_eq!(kind("/assignment/roles?account_id=111111111111"), forbidden);
    let credentials = "/federation/credentials?role_name=Admin&account_id=";
    assert_eq!(kind(&format!("{credentials}111111111111")), forbidden);
    assert_eq!(get(&sandbox, &token, &format!("{credentials}222222222222")).0, 200);
    assert_eq!(get(&sandbox, &token, "/assignment/accounts").0, 200);
    sandbox.throttle("222222222222", Some(2));
    let throttled = (429, "TooManyRequestsException".to_owned());
    assert_eq!(kind("/assignment/roles?account_id=222222222222"), throttled);
}
