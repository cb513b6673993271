//! A person whose tokens can be read.

use super::*;

#[test]
fn a_token_az_has_is_used_without_a_request() {
    for cache in [data::CACHE, data::CACHE_FOCI] {
        let jwt = access_token(&json!({}));
        let cache = cache.replace(&format!("AT-FOR-{AKS}/.default"), &jwt);
        let world = listed().file("/az/msal_token_cache.json", cache);
        assert_eq!(token(&settings(), &world).unwrap(), jwt);
        assert!(world.http.requests().is_empty() && world.sessions.steps().is_empty());
    }
}

#[test]
fn a_token_that_is_not_exactly_the_one_wanted_is_not() {
    let jwt = access_token(&json!({}));
    let now = 1_767_323_045;
    let edits: &[fn(&mut Value)] = &[
        |token| token["expires_on"] = (1_767_323_045 + 300).to_string().into(),
        |token| token["realm"] = "organizations".into(),
        |token| token["client_id"] = "80faf920-1908-4b52-b5ef-a8e7bedfc67a".into(),
        |token| token["home_account_id"] = "a.b".into(),
        |token| token["environment"] = "login.chinacloudapi.cn".into(),
        |token| token["target"] = format!("x{AKS}/.default {AKS}/user.read").into(),
        |token| token["ext_cache_key"] = "agent".into(),
        |token| token["token_type"] = "pop".into(),
        |token| token["secret"] = access_token(&json!({ "aud": "another" })).into(),
        |token| token["secret"] = access_token(&json!({ "tid": "another" })).into(),
        |token| token["secret"] = access_token(&json!({ "exp": 1_767_323_045 + 300 })).into(),
        |token| token["secret"] = "AT\r\nx-evil: 1".into(),
        |token| token["secret"] = "opaque".into(),
    ];
    for edit in edits {
        let cache = edited(data::CACHE, |cache| {
            let token = entry(cache, "AccessToken", AKS);
            token["secret"] = jwt.clone().into();
            token["expires_on"] = (now + 301).to_string().into();
            edit(token);
        });
        let world = listed().file("/az/msal_token_cache.json", &*cache);
        let az = open(&world).unwrap();
        assert!(az.at_hand(&wanted(), &world.host()).unwrap().is_none(), "{cache}");
    }
}

#[test]
fn the_refresh_token_is_redeemed_as_az_does() {
    for (cache, log) in [(data::CACHE, data::WIRE_LOG), (data::CACHE_FOCI, data::WIRE_LOG_FOCI)] {
        let world = listed().file("/az/msal_token_cache.json", without_token(cache));
        world.entra_grants("new", None);
        assert_eq!(token(&settings(), &world).unwrap(), "new");
        let [sent] = &world.http.requests()[..] else { panic!("one request") };

        let log: Value = serde_json::from_str(log).unwrap();
        let recorded = log.as_array().unwrap().last().unwrap();
        assert_eq!(sent.endpoint.as_str(), recorded["url"]);
        let fields = |name: &str| {
            let mut fields: Vec<_> = recorded[name].as_object().unwrap().iter().collect();
            fields.retain(|(name, _)| *name != "refresh_token");
            fields.into_iter().map(|(name, value)| match value.as_str() {
                Some(text) => (name.clone(), text.to_owned()),
                None => (name.clone(), value.to_string()),
            })
        };
        let mut expected: Vec<_> = fields("data").collect();
        expected.push(("refresh_token".into(), "RT-5".into()));
        let mut form: Vec<(String, String)> =
            form_urlencoded::parse(&sent.body).into_owned().collect();
        expected.sort();
        form.sort();
        assert_eq!(form, expected);
        let mailbox = fields("headers").find(|(name, _)| name == "X-AnchorMailbox").unwrap().1;
        assert!(sent.headers.contains(&("x-anchormailbox".into(), mailbox)));
    }
}

#[test]
fn az_can_be_told_to_promise_nothing() {
    let world = signed_in().env(&[("AZURE_IDENTITY_DISABLE_CP1", "")]);
    world.entra_grants("new", None);
    token(&settings(), &world).unwrap();
    assert!(!world.forms()[0].contains("claims"), "{}", world.forms()[0]);
}

#[test]
fn an_account_of_another_home_is_not_guessed_at() {
    let twice = edited(data::CACHE, |cache| {
        let mut other = entry(cache, "Account", HOME).clone();
        other["home_account_id"] = "x.y".into();
        cache["Account"]["other"] = other;
    });
    let world = listed().file("/az/msal_token_cache.json", twice);
    let error = fails(&settings(), &world);
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.message().contains("several accounts"), "{error}");
}

#[test]
fn the_tenant_that_is_named_is_asked() {
    let world = signed_in();
    world.entra_grants("one", Some("RT-ours"));
    let tenant = Some("99999999-9999-9999-9999-999999999999".to_owned());
    token(&AzSettings { tenant, ..settings() }, &world).unwrap();
    let url = world.http.requests()[0].endpoint.as_str().to_owned();
    assert!(url.contains("/99999999-9999-9999-9999-999999999999/oauth2/v2.0/token"), "{url}");
    // a domain is another name of the tenant that the profile knows
    let domain = AzSettings { tenant: Some("Contoso.com".into()), ..settings() };
    let az = AzureCli::open(&domain, &world.host()).unwrap();
    assert_eq!(az.tenant(), Some(TENANT));
    assert_eq!(key(&az), key(&open(&world).unwrap()));
}

#[test]
fn az_may_have_a_broker_where_entra_refuses_the_device() {
    for code in [53000, 53001, 53003, 530_003, 530_084] {
        let world = with_az(signed_in(), 0, r#"{"accessToken":"brokered"}"#, "");
        refuses(&world, code, "interaction_required");
        assert_eq!(token(&settings(), &world).unwrap(), "brokered");
        assert_eq!((world.http.requests().len(), world.programs.started().len()), (1, 1));
        assert_eq!(world.sessions.steps(), ["open", "redeeming", "unchanged", "close"]);
        let notes = world.notes.lines().join("\n");
        assert!(notes.contains("it may have a broker that can show the device"), "{notes}");

        // where there is no az, or it does no better, what Entra said counts
        let failing = with_az(signed_in(), 1, "", "ERROR: Please run 'az login'\n");
        for world in [signed_in(), failing] {
            refuses(&world, code, "interaction_required");
            let error = fails(&settings(), &world);
            assert_eq!(error.kind(), Kind::Refused);
            assert!(error.cause().unwrap().starts_with(&format!("AADSTS{code}: No")), "{error}");
        }
    }
    let world = with_az(signed_in(), 0, r#"{"accessToken":"brokered"}"#, "");
    refuses(&world, 50076, "interaction_required");
    assert_eq!(fails(&settings(), &world).kind(), Kind::SignInNeeded);
    assert!(world.programs.started().is_empty());
}

#[test]
fn the_cloud_that_is_named_is_azs_active_one() {
    let china = "[cloud]\nname = AzureChinaCloud\n";
    let mars = "[cloud]\nname = Mars\n";
    let at_home =
        "[Mars]\nendpoint_active_directory = https://login.chinacloudapi.cn/\n[AzureChinaCloud]\n";
    for (config, clouds, wanted, next) in [
        ("", "", Cloud::Public, None),
        (china, "", Cloud::China, None),
        (mars, at_home, Cloud::China, None),
        ("", "", Cloud::China, Some("az cloud set --name AzureChinaCloud")),
        ("", "", Cloud::UsGovernment, Some("az cloud set --name AzureUSGovernment")),
        (china, "", Cloud::Public, Some("az cloud set --name AzureCloud")),
        (mars, "", Cloud::Public, Some("az cloud set --name AzureCloud")),
    ] {
        for native in [true, false] {
            let world = listed().file("/az/config", config).file("/az/clouds.config", clouds);
            let named = AzSettings { cloud: Some(wanted), native, ..settings() };
            let error = AzureCli::open(&named, &world.host()).err();
            let switch = error.as_ref().filter(|error| error.kind() == Kind::Config);
            assert_eq!(switch.and_then(|error| error.next_line()), next, "{config} {wanted:?}");
            if let Some(error) = switch {
                assert!(error.message().starts_with("az's active cloud is `"), "{error}");
            }
        }
    }
}

#[test]
fn a_strangers_authority_is_given_nothing() {
    let clouds = "[AzureCloud]\nendpoint_active_directory = https://login.evil.example\n";
    let world = signed_in().file("/az/clouds.config", clouds);
    let error = fails(&settings(), &world);
    assert_eq!(error.next_line(), Some("fleetkey trust add login.evil.example"));
    assert!(world.http.requests().is_empty());
}
