//! Applications and machines that signed in to az.

use super::*;

#[test]
fn applications_sign_in_with_what_they_gave_az() {
    let principals =
        |world: World| world.file("/az/service_principal_entries.json", data::SERVICE_PRINCIPALS);
    let world = principals(listed());
    world.entra_grants("t", None);
    assert_eq!(token(&of_subscription("CI"), &world).unwrap(), "t");
    let form = &world.forms()[0];
    assert!(form.contains("grant_type=client_credentials"), "{form}");
    assert!(form.contains("client_secret=not-a-secret"), "{form}");
    assert!(form.contains("client_id=33333333-3333-3333-3333-333333333333"), "{form}");
    assert!(world.http.requests()[0].endpoint.as_str().contains(TENANT));
    let az = AzureCli::open(&of_subscription("CI"), &world.host()).unwrap();
    assert!(az.describe().ends_with("(signed in to `az`)"), "{}", az.describe());

    let as_who = |id: &str| {
        edited(data::PROFILE, |profile| {
            profile["subscriptions"][1]["user"]["name"] = id.into();
        })
    };
    let of = |id: &str| principals(World::default().file("/az/azureProfile.json", as_who(id)));
    let certified = of("55555555-5555-5555-5555-555555555555");
    let error = fails(&of_subscription("CI"), &certified);
    assert!(error.to_string().contains("/some/cert.pem"), "{error}");

    let asserted = of("66666666-6666-6666-6666-666666666666");
    asserted.entra_grants("t", None);
    assert_eq!(token(&of_subscription("CI"), &asserted).unwrap(), "t");
    assert!(asserted.forms()[0].contains("client_assertion=header.payload.sig"));

    let gone = of("77777777-7777-7777-7777-777777777777");
    let error = fails(&of_subscription("CI"), &gone);
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert_eq!(
        error.next_line(),
        Some(&*format!(
            "az login --service-principal --username 77777777-7777-7777-7777-777777777777 --tenant {TENANT}"
        ))
    );
}

#[test]
fn an_assertion_that_has_ended_is_not_sent() {
    let ended = access_token(&json!({ "exp": 1_767_323_045 }));
    let entries = data::SERVICE_PRINCIPALS.replace("header.payload.sig", &ended);
    let profile = edited(data::PROFILE, |profile| {
        profile["subscriptions"][1]["user"]["name"] = "66666666-6666-6666-6666-666666666666".into();
    });
    let world = World::default()
        .file("/az/azureProfile.json", profile)
        .file("/az/service_principal_entries.json", entries);
    let error = fails(&of_subscription("CI"), &world);
    assert_eq!(error.kind(), Kind::SignInNeeded);
    assert!(world.http.requests().is_empty());
}

#[test]
fn machines_are_asked_as_az_asks_them() {
    let world = listed();
    world.http.answer(200, &[], r#"{"access_token":"t"}"#);
    assert_eq!(token(&of_subscription("VM"), &world).unwrap(), "t");
    let url = world.http.requests()[0].endpoint.as_str().to_owned();
    assert!(url.starts_with("http://169.254.169.254/"), "{url}");
    assert!(url.ends_with("&client_id=44444444-4444-4444-4444-444444444444"), "{url}");

    let other = AzSettings { tenant: Some("t.example".into()), ..of_subscription("VM") };
    assert_eq!(fails(&other, &world).kind(), Kind::Config);
    for (info, end) in [
        ("MSI", "/.default"),
        ("MSIObject-o", "&object_id=o"),
        ("MSIResource-/s/a-b", "&msi_res_id=%2Fs%2Fa-b"),
    ] {
        let profile = edited(data::PROFILE, |profile| {
            profile["subscriptions"][2]["user"]["assignedIdentityInfo"] = info.into();
        });
        let world = World::default().file("/az/azureProfile.json", profile);
        world.http.answer(200, &[], r#"{"access_token":"t"}"#);
        token(&of_subscription("VM"), &world).unwrap();
        let url = world.http.requests()[0].endpoint.as_str().to_owned();
        let end = if info == "MSI" { AKS } else { end };
        assert!(url.ends_with(end), "{url}");
    }
}
