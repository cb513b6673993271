//! Tokens that the Resource Manager does not take, and those that Entra does not give for it.

use jiff::SignedDuration;
use serde_json::json;

use super::arm::{AZ, GUESTS, ONE, TWO, alice, ask, refusal, stage, token};
use super::entra::{AKS, ALICE, APP, Answer, PUBLIC, Stage, claims};
use crate::entra::{App, Caller, Person};
use crate::{AzLogin, Fault, Home, ManagedIdentity, Route, Sandbox};

const LIST: &str = "/subscriptions?api-version=2022-12-01";

fn clusters(subscription: &str) -> String {
    format!(
        "/subscriptions/{subscription}/providers/Microsoft.ContainerService/managedClusters?api-version=2024-09-01"
    )
}

#[test]
fn tokens_for_something_else() {
    let stage = stage();
    let entra = stage.entra();
    let person = Caller::person(ALICE, AZ);
    let get = |token: &str, path: &str| ask(&stage.sandbox, "GET", token, path);
    for audience in [
        "https://management.azure.com",
        "https://management.azure.com/",
        "https://management.core.windows.net",
        "https://management.core.windows.net/",
    ] {
        let token = entra.access_token(&stage.contoso, audience, &person);
        assert_eq!(get(&token, LIST).status, 200, "{audience}");
    }
    for audience in [AKS, "https://management.azure.com//", "https://graph.microsoft.com"] {
        let token = entra.access_token(&stage.contoso, audience, &person);
        let reply = get(&token, LIST);
        assert_eq!(refusal(&reply), (401, "InvalidAuthenticationTokenAudience".into()));
        assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer authorization_uri="));
    }
    let invalid = (401, "InvalidAuthenticationToken".to_owned());
    let good = alice(&stage);
    assert_eq!(refusal(&get("x", LIST)), invalid);
    assert_eq!(refusal(&get(&format!("{}A", &good[..good.len() - 1]), LIST)), invalid);
    let strangers = super::arm::stage();
    assert_eq!(refusal(&get(&alice(&strangers), LIST)), invalid);

    let unsent = stage.sandbox.client().unwrap();
    let url = format!("{}{}", stage.sandbox.resource_manager_url(), clusters(GUESTS));
    let unsent = unsent.get(&url, &[]).unwrap();
    assert_eq!(refusal(&unsent), (401, "AuthenticationFailed".into()));
    let authority = format!("authorization_uri=\"{}/{}\"", entra.url(), stage.fabrikam);
    assert!(unsent.header("www-authenticate").unwrap().contains(&authority));
    let elsewhere = (401, "InvalidAuthenticationTokenTenant".to_owned());
    assert_eq!(refusal(&get(&good, &clusters(GUESTS))), elsewhere);
    let guest = token(&stage, &stage.fabrikam, &person);
    assert_eq!(get(&guest, &clusters(GUESTS)).status, 200);

    stage.sandbox.advance(SignedDuration::from_mins(90));
    assert_eq!(refusal(&get(&good, LIST)), (401, "ExpiredAuthenticationToken".into()));
}

#[test]
fn places_that_are_not_there_or_not_for_everybody() {
    let stage = stage();
    let get = |token: &str, path: &str| refusal(&ask(&stage.sandbox, "GET", token, path));
    let good = alice(&stage);
    let nowhere = "cccccccc-0000-4000-a000-000000000001";
    assert_eq!(get(&good, &clusters(nowhere)), (404, "SubscriptionNotFound".into()));
    assert_eq!(get(&good, &clusters("one")), (400, "InvalidSubscriptionId".into()));
    let app = Caller::app(APP, &stage.entra().object_id(APP, &stage.contoso));
    let app = token(&stage, &stage.contoso, &app);
    let forbidden = (403, "AuthorizationFailed".to_owned());
    assert_eq!(get(&app, &clusters(TWO)), forbidden);
    stage.sandbox.deny(Route::ArmClusters, ONE);
    assert_eq!(get(&good, &clusters(ONE)), forbidden);
    stage.sandbox.deny(Route::ArmSubscriptions, APP);
    assert_eq!(get(&app, LIST), forbidden);
    for (path, code) in [
        ("/subscriptions", "MissingApiVersionParameter"),
        ("/subscriptions?api-version=2020-02-30", "InvalidApiVersionParameter"),
        ("/subscriptions?api-version=2022-12-01&top=1", "InvalidQueryParameter"),
        ("/subscriptions?api-version=2022-12-01&$skiptoken=x", "InvalidSkipToken"),
        (&clusters(TWO).replace("2024-09-01", "2022-12-01"), "NoRegisteredProviderFound"),
    ] {
        assert_eq!(get(&good, path), (400, code.to_owned()), "{path}");
    }
    assert_eq!(get(&good, "/providers?api-version=2022-12-01").0, 404);
    assert_eq!(refusal(&ask(&stage.sandbox, "POST", &good, LIST)).0, 404);
    assert_eq!(stage.sandbox.count(Route::Arm), 2);

    stage.sandbox.throttle(TWO, Some(3));
    let reply = ask(&stage.sandbox, "GET", &good, &clusters(TWO));
    assert_eq!(refusal(&reply), (429, "SubscriptionRequestsThrottled".into()));
    assert_eq!(reply.header("retry-after"), Some("3"));
    stage.sandbox.script(
        Route::ArmSubscriptions,
        [Fault::arm_error(429, "TooManyRequests", "slower").after(7)],
    );
    let reply = ask(&stage.sandbox, "GET", &good, LIST);
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
    assert_eq!(ask(&stage.sandbox, "GET", &good, LIST).status, 200);
}

/// What a refresh token of an application brings for ARM.
fn renew(stage: &Stage, client_id: &str, scope: &str) -> Answer {
    let token = stage.entra().refresh_token(&stage.contoso, client_id, ALICE);
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", client_id),
        ("refresh_token", &token),
        ("scope", scope),
    ];
    stage.token(&stage.contoso, &form)
}

#[test]
fn whom_entra_gives_tokens_for_arm() {
    let stage = stage();
    let scopes =
        ["https://management.azure.com/.default", "https://management.core.windows.net//.default"];
    for scope in scopes {
        let answer = renew(&stage, AZ, scope);
        assert_eq!(answer.claims()["aud"], scope.strip_suffix("/.default").unwrap());
        assert_eq!(answer.claims()["scp"], "user_impersonation");
        let token = answer.text("access_token");
        assert_eq!(ask(&stage.sandbox, "GET", &token, LIST).status, 200);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", APP),
            ("client_secret", "s3cret~"),
            ("scope", scope),
        ];
        let token = stage.token(&stage.contoso, &form).text("access_token");
        assert_eq!(ask(&stage.sandbox, "GET", &token, LIST).status, 200);

        let refused = (400, "invalid_request".to_owned(), 65002);
        assert_eq!(renew(&stage, PUBLIC, scope).refusal(), refused);
        let path = format!("/{}/oauth2/v2.0/devicecode", stage.contoso);
        let device = |client: &str| {
            Answer::of(&stage.post(&path, &[("client_id", client), ("scope", scope)]))
        };
        assert_eq!(device(PUBLIC).refusal(), refused);
        assert_eq!(device(AZ).status, 200);
    }
    assert_eq!(renew(&stage, PUBLIC, &format!("{AKS}/.default")).status, 200);
    let page = |client: &str| {
        let url = format!(
            "{}/{}/oauth2/v2.0/authorize?response_type=code&client_id={client}&redirect_uri=http%3A%2F%2Flocalhost%3A7777&\
             scope=https%3A%2F%2Fmanagement.azure.com%2F.default&code_challenge_method=S256&\
             code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            stage.entra().url(),
            stage.contoso
        );
        stage.sandbox.client().unwrap().get(&url, &[]).unwrap()
    };
    assert_eq!(page(AZ).status, 200);
    let refused = page(PUBLIC);
    assert_eq!(refused.status, 302);
    let location = refused.header("location").unwrap();
    assert!(location.contains("error=invalid_request&error_description=AADSTS65002"), "{location}");
}

#[test]
fn machines_and_whoever_az_knows() {
    let sandbox = Sandbox::start().unwrap();
    let tenant = sandbox.entra().tenant("contoso.com");
    sandbox.subscription(crate::Subscription::new(ONE, "one", &tenant));
    sandbox.managed_identity(ManagedIdentity::system(&tenant));
    let env = sandbox.imds_environment().unwrap();
    let url = format!(
        "{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F",
        super::azure::value(&env, "AZURE_POD_IDENTITY_AUTHORITY_HOST")
    );
    let reply = sandbox.client().unwrap().get(&url, &[("metadata", "true")]).unwrap();
    let (_, body) = super::azure::body(&reply);
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["aud"], json!("https://management.azure.com/"));
    assert_eq!(ask(&sandbox, "GET", token, LIST).status, 200);

    sandbox.entra().person(Person::new(ALICE, &[&tenant]));
    let home = Home::temporary().unwrap();
    let login = AzLogin::person(&tenant, ALICE).at_sandbox();
    let account = home.az_login(&sandbox, &login).unwrap();
    let stage = Stage { sandbox, contoso: tenant.clone(), fabrikam: tenant };
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", AZ),
        ("refresh_token", account.refresh_token.as_deref().unwrap()),
        ("scope", "https://management.core.windows.net//.default"),
    ];
    let token = stage.token(&stage.contoso, &form).text("access_token");
    assert_eq!(ask(&stage.sandbox, "GET", &token, LIST).status, 200);
    // a tenant cannot make Microsoft's own application its own
    stage.entra().app(App::new(&stage.contoso, PUBLIC).public());
    let scope = "https://management.azure.com/.default";
    assert_eq!(renew(&stage, PUBLIC, scope).refusal().2, 65002);
}
