use jiff::SignedDuration;

use super::azure::{AKS, body, claims, value};
use super::form;
use crate::{App, Certificate, EXCHANGE_AUDIENCE, Home, Route, Sandbox, Service};

const CLIENT: &str = "33333333-3333-3333-3333-333333333333";
const CONNECTION: &str = "88888888-8888-8888-8888-888888888888";

/// What Entra says to an app with a token of somebody else's: nothing if all is well, else a number.
fn exchange(sandbox: &Sandbox, tenant: &str, assertion: &str) -> Option<u64> {
    let scope = format!("{AKS}/.default");
    let form = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
        ("scope", &scope),
    ]);
    let url = format!("{}/{tenant}/oauth2/v2.0/token", sandbox.entra().url());
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let reply = sandbox.client().unwrap().send("POST", &url, &headers, form.as_bytes()).unwrap();
    let (status, answer) = body(&reply);
    if status == 200 {
        assert!(answer["access_token"].is_string(), "{answer}");
        return None;
    }
    answer["error_codes"][0].as_u64().or_else(|| panic!("{status} {answer}"))
}

/// A tenant with an app that this issuer's tokens stand for.
fn federated(sandbox: &Sandbox, issuer: &str, subject: &str) -> String {
    let tenant = sandbox.entra().tenant("contoso.com");
    sandbox.entra().app(App::new(&tenant, CLIENT).federated(issuer, subject, EXCHANGE_AUDIENCE));
    tenant
}

#[test]
fn a_pod_is_believed_by_entra() {
    let sandbox = Sandbox::start().unwrap();
    let subject = "system:serviceaccount:ci:deployer";
    let tenant = federated(&sandbox, sandbox.azure_federation_issuer(), subject);
    let token = |subject: &str| {
        sandbox.azure_federated_token(subject, SignedDuration::from_hours(1)).unwrap()
    };
    let good = token(subject);
    assert_eq!(claims(&good)["aud"], serde_json::json!([EXCHANGE_AUDIENCE]));
    assert_eq!(exchange(&sandbox, &tenant, &good), None);
    assert_eq!(
        exchange(&sandbox, &tenant, &token("system:serviceaccount:ci:other")),
        Some(700_213)
    );
    let stranger = Sandbox::start().unwrap();
    let forged = stranger.azure_federated_token(subject, SignedDuration::from_hours(1)).unwrap();
    assert_eq!(
        exchange(&sandbox, &tenant, &forged),
        Some(50013),
        "of the right issuer, not signed by it"
    );
    let late = sandbox.azure_federated_token(subject, SignedDuration::from_secs(-600)).unwrap();
    assert_eq!(exchange(&sandbox, &tenant, &late), Some(700_024));

    let home = Home::temporary().unwrap();
    let path = home.azure_federated_token(&good).unwrap();
    assert!(path.ends_with("var/run/secrets/azure/tokens/azure-identity-token"));
}

#[test]
fn a_job_of_github_has_a_token_for_whom_it_asks() {
    let sandbox = Sandbox::start().unwrap();
    let subject = "repo:contoso/shop:ref:refs/heads/main";
    let tenant = federated(&sandbox, sandbox.github_issuer(), subject);
    let env = sandbox.github_environment(subject).unwrap();
    let url = value(&env, "ACTIONS_ID_TOKEN_REQUEST_URL");
    let bearer = format!("bearer {}", value(&env, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
    let get = |url: &str, bearer: &str| {
        body(&sandbox.client().unwrap().get(url, &[("Authorization", bearer)]).unwrap())
    };
    let good = format!("{url}&audience={EXCHANGE_AUDIENCE}");
    let (status, answer) = get(&good, &bearer);
    assert_eq!(status, 200, "{answer}");
    let token = answer["value"].as_str().unwrap();
    assert_eq!(
        (&claims(token)["aud"], &claims(token)["sub"]),
        (&EXCHANGE_AUDIENCE.into(), &subject.into())
    );
    assert_eq!(exchange(&sandbox, &tenant, token), None);
    let (status, answer) = get(url, &bearer);
    assert_eq!(
        (status, exchange(&sandbox, &tenant, answer["value"].as_str().unwrap())),
        (200, Some(700_212))
    );

    assert_eq!(get(&good, "bearer guess").0, 401);
    assert_eq!(get(&good, &bearer.replace("bearer", "Basic")).0, 401);
    let without_query = url.split('?').next().unwrap();
    for wrong in [
        format!("{without_query}?audience={EXCHANGE_AUDIENCE}"),
        format!("{url}?audience={EXCHANGE_AUDIENCE}"),
        format!("{good}&audience=other"),
    ] {
        assert_eq!(get(&wrong, &bearer).0, 400, "{wrong}");
    }
    assert_eq!(sandbox.count(Route::GithubOidc), 7);
    sandbox.certificate(Service::Oidc, Certificate::UnknownIssuer);
    assert!(sandbox.client().unwrap().get(&good, &[]).is_err());
}

#[test]
fn a_job_of_azure_pipelines_has_a_token_for_its_connection() {
    let sandbox = Sandbox::start().unwrap();
    let tenant = federated(&sandbox, sandbox.pipelines_issuer(), CONNECTION);
    let env = sandbox.pipelines_environment(CONNECTION).unwrap();
    let uri = value(&env, "SYSTEM_OIDCREQUESTURI");
    let bearer = format!("Bearer {}", value(&env, "SYSTEM_ACCESSTOKEN"));
    let send = |method: &str, query: &str, headers: &[(&str, &str)]| {
        sandbox.client().unwrap().send(method, &format!("{uri}?{query}"), headers, b"").unwrap()
    };
    let good = format!("api-version=7.1&serviceConnectionId={CONNECTION}");
    let right = [("Authorization", &*bearer), ("X-TFS-FedAuthRedirect", "Suppress")];
    let (status, answer) = body(&send("POST", &good, &right));
    assert_eq!(status, 200, "{answer}");
    let token = answer["oidcToken"].as_str().unwrap();
    assert_eq!(exchange(&sandbox, &tenant, token), None);
    sandbox.advance(SignedDuration::from_mins(10));
    assert_eq!(exchange(&sandbox, &tenant, token), Some(700_024), "tokens of jobs are short-lived");

    let stranger = send("POST", &good, &[("Authorization", "Bearer guess")]);
    assert_eq!(stranger.status, 302);
    assert!(stranger.header("location").unwrap().contains("/_signin"));
    let spared = [("Authorization", "Bearer guess"), ("X-TFS-FedAuthRedirect", "Suppress")];
    assert_eq!(send("POST", &good, &spared).status, 401);
    assert_eq!(send("GET", &good, &right).status, 405);
    for (query, status) in [
        (format!("serviceConnectionId={CONNECTION}"), 400),
        (format!("api-version=5.0&serviceConnectionId={CONNECTION}"), 400),
        ("api-version=7.1".to_owned(), 404),
        (format!("api-version=7.1&serviceConnectionId={CLIENT}"), 404),
    ] {
        assert_eq!(send("POST", &query, &right).status, status, "{query}");
    }
    assert_eq!(sandbox.count(Route::PipelinesOidc), 8);
    assert!(!format!("{:?}", sandbox.requests()).contains(&bearer["Bearer ".len()..]));
}
