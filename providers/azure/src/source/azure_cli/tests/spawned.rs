//! Whoever az alone can ask for.

use super::*;

#[test]
fn what_az_alone_can_read_is_asked_of_az() {
    let answer = r#"{"accessToken":"t","expires_on":1,"tokenType":"Bearer"}"#;
    let brokered = edited(&without_token(data::CACHE), |cache| {
        cache["RefreshToken"] = json!({});
        entry(cache, "Account", HOME)["account_source"] = "broker".into();
    });
    let base = ["account", "get-access-token", "-o", "json", "--resource", AKS];
    for world in [
        listed().file("/az/msal_token_cache.bin", "sealed"),
        listed().file("/az/msal_token_cache.sig", ""),
        listed().file("/az/msal_token_cache.json", brokered),
        listed().file("/az/msal_token_cache.json", "{"),
        signed_in().env(&[("COPILOT_AGENT_SESSION_ID", "s")]),
    ] {
        let world = with_az(world, 0, answer, "");
        assert_eq!(token(&settings(), &world).unwrap(), "t");
        let [run] = &world.programs.started()[..] else { panic!("one run") };
        assert_eq!((run.name.as_str(), &run.args[..]), ("az", &base.map(str::to_owned)[..]));
        assert_eq!(run.env, [("AZURE_CONFIG_DIR".to_owned(), OsString::from("/az"))]);
        assert_eq!(run.limit, Duration::from_mins(1));
        assert!(world.http.requests().is_empty());
    }
}

#[test]
fn a_token_of_one_cloud_is_not_that_of_the_next() {
    let run = AzSettings { native: false, ..settings() };
    let sealed = |world: World| world.file("/az/msal_token_cache.bin", "");
    let homeless = AzSettings { config_dir: None, ..run.clone() };
    for (settings, world) in
        [(&run, listed()), (&settings(), sealed(listed())), (&homeless, World::default())]
    {
        let clouds = "[AzureCloud]\nendpoint_active_directory = https://login.microsoftonline.us\n";
        let worlds = [
            world.clone(),
            world.clone().env(&[("AZURE_CLOUD_NAME", "AzureCloud")]),
            world.clone().env(&[("AZURE_CLOUD_NAME", "azurecloud")]),
            world.clone().file("/az/config", "[cloud]\nname = AzureCloud\n"),
            world.clone().file("/az/clouds.config", clouds),
        ];
        let count = if settings.config_dir.is_some() { worlds.len() } else { 3 };
        let mut keys: Vec<_> = worlds
            .iter()
            .map(|world| key(&AzureCli::open(settings, &world.host()).unwrap()).to_string())
            .collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count, "{settings:?}");
    }
}

#[test]
fn az_is_told_the_tenant_or_the_subscription() {
    let answer = r#"{"accessToken":"t"}"#;
    let (default, ci) =
        ("aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002");
    for (tenant, subscription, native, words) in [
        (None, None, true, &[][..]),
        (Some(TENANT), None, true, &["--tenant", TENANT]),
        (None, Some("prod"), true, &["--subscription", default]),
        (Some(TENANT), Some("Prod"), true, &["--tenant", TENANT]),
        (Some(TENANT), Some("CI"), true, &["--subscription", ci]),
        (Some("t.example"), Some("CI"), true, &["--tenant", "t.example"]),
        (Some("t.example"), Some("x y"), false, &["--tenant", "t.example"]),
        (None, Some("x y"), false, &["--subscription", "x y"]),
        (None, None, false, &[]),
    ] {
        let world = listed()
            .file("/az/msal_token_cache.bin", "")
            .file("/az/service_principal_entries.bin", "");
        let world = with_az(world, 0, answer, "");
        let settings = AzSettings {
            tenant: tenant.map(Into::into),
            subscription: subscription.map(Into::into),
            native,
            limit: Some(Duration::from_secs(7)),
            ..settings()
        };
        assert_eq!(token(&settings, &world).unwrap(), "t");
        let run = &world.programs.started()[0];
        assert_eq!(&run.args[6..], words, "{tenant:?} {subscription:?}");
        assert_eq!(run.limit, Duration::from_secs(7));
    }
    let flag = AzSettings { native: false, ..of_subscription("--debug") };
    let world = with_az(listed(), 0, answer, "");
    assert_eq!(fails(&flag, &world).kind(), Kind::Config);
    assert!(world.programs.started().is_empty());
}

#[test]
fn what_az_says_is_shown_on_a_line() {
    let sealed = || listed().file("/az/msal_token_cache.bin", "");
    for (code, stdout, stderr, kind, cause) in [
        (
            1,
            "",
            "ERROR: AADSTS50076: MFA \u{1b}[2J\nTo re-authenticate, please run:\naz login --scope x\n",
            Kind::SignInNeeded,
            "AADSTS50076: MFA \\u{1b}[2J",
        ),
        (
            1,
            "",
            "ERROR: Please run 'az login' to setup account.\n",
            Kind::SignInNeeded,
            "Please run",
        ),
        (1, "", "HTTPSConnectionPool: Max retries exceeded\n", Kind::Unavailable, "Max retries"),
        (1, "", "Traceback\nKeyError: 'x'\n", Kind::Failed, "KeyError: 'x'"),
        (1, "", "", Kind::Failed, "it ended with 1"),
        (0, "hunter2", "", Kind::Failed, "`accessToken`"),
        (0, r#"{"accessToken":1}"#, "", Kind::Failed, "`accessToken`"),
    ] {
        let error = fails(&settings(), &with_az(sealed(), code, stdout, stderr));
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.cause().unwrap().contains(cause), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        if kind == Kind::SignInNeeded {
            assert_eq!(error.next_line(), Some(LOGIN));
        }
    }
    let error = fails(&settings(), &sealed());
    assert_eq!((error.kind(), error.next_line()), (Kind::Config, Some("command -v az")));
    assert!(error.cause().unwrap().contains("msal_token_cache.bin"), "{error}");
}

#[test]
fn cloud_shell_is_az_s() {
    let profile = edited(data::PROFILE, |profile| {
        profile["subscriptions"][0]["user"]["cloudShellID"] = true.into();
    });
    let world =
        World::default().env(&[("ACC_CLOUD", "PROD")]).file("/az/azureProfile.json", profile);
    let world = with_az(world, 0, r#"{"accessToken":"t"}"#, "");
    token(&AzSettings { tenant: Some(TENANT.into()), ..settings() }, &world).unwrap();
    // there az takes no tenant
    let args = &world.programs.started()[0].args;
    assert!(!args.contains(&"--tenant".to_owned()), "{args:?}");
}
