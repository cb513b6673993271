//! An az with the files of the fixtures, and what all its tests say.

mod native;
mod others;
mod sessions;
mod spawned;

use std::ffi::OsString;

use fleetkey_provider::{
    Error, ExposeSecret, Fingerprint, Kind,
    testing::{ScriptedPrograms, StaticSessions},
};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::*;
use crate::{
    az::data,
    server_id::AKS,
    testing::{TENANT, Unmarkable, World, access_token, now, wanted},
};

const HOME: &str = "22222222-2222-2222-2222-222222222222.11111111-1111-1111-1111-111111111111";
const LOGIN: &str = "az login --tenant 11111111-1111-1111-1111-111111111111 --scope 6dae42f8-4368-4678-94ff-3960e28e3630/.default";

fn listed() -> World {
    World::default().file("/az/azureProfile.json", data::PROFILE)
}

/// With the refresh token of the fixtures, and no access token for AKS.
fn signed_in() -> World {
    listed().file("/az/msal_token_cache.json", without_token(data::CACHE))
}

fn without_token(cache: &str) -> String {
    edited(cache, |cache| {
        let tokens = cache["AccessToken"].as_object_mut().unwrap();
        tokens.retain(|key, _| !key.contains(AKS));
    })
}

fn edited(text: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    edit(&mut value);
    value.to_string()
}

fn entry<'a>(cache: &'a mut Value, kind: &str, part: &str) -> &'a mut Value {
    let entries = cache[kind].as_object_mut().unwrap();
    entries.iter_mut().find(|(key, _)| key.contains(part)).unwrap().1
}

fn settings() -> AzSettings {
    AzSettings { native: true, config_dir: Some("/az".into()), ..AzSettings::default() }
}

fn of_subscription(name: &str) -> AzSettings {
    AzSettings { subscription: Some(name.into()), ..settings() }
}

fn open(world: &World) -> Result<AzureCli> {
    AzureCli::open(&settings(), &world.host())
}

/// As the broker goes about it.
fn token(settings: &AzSettings, world: &World) -> Result<String> {
    let host = world.host();
    let az = AzureCli::open(settings, &host)?;
    let granted = match az.at_hand(&wanted(), &host)? {
        Some(granted) => granted,
        None => now(az.obtain(&wanted(), &host))?,
    };
    Ok(granted.access_token.expose_secret().to_owned())
}

fn fails(settings: &AzSettings, world: &World) -> Error {
    token(settings, world).unwrap_err()
}

fn refuses(world: &World, code: u32, error: &str) {
    let body = json!({ "error": error, "error_codes": [code],
        "error_description": format!("AADSTS{code}: No.") });
    world.http.answer(400, &[], &body.to_string());
}

fn key(az: &AzureCli) -> Fingerprint {
    let mut key = CredentialKey::new("azure");
    az.key(&mut key);
    key.finish()
}

fn with_az(world: World, code: i32, stdout: &str, stderr: &str) -> World {
    World { programs: ScriptedPrograms::default().with("az", code, stdout, stderr), ..world }
}

#[test]
fn whatever_could_change_the_token_changes_the_key() {
    let tenant = |tenant: &str| AzSettings { tenant: Some(tenant.into()), ..settings() };
    let principals =
        |world: World| world.file("/az/service_principal_entries.json", data::SERVICE_PRINCIPALS);
    let sealed = listed().file("/az/msal_token_cache.bin", "");
    let agent = |id: &str| signed_in().env(&[("COPILOT_AGENT_SESSION_ID", id)]);
    let run = |tenant: Option<&str>| AzSettings {
        native: false,
        tenant: tenant.map(Into::into),
        ..settings()
    };
    let keys: Vec<_> = [
        (signed_in(), settings()),
        (signed_in(), tenant("t.example")),
        (principals(listed()), of_subscription("CI")),
        (listed(), of_subscription("VM")),
        (sealed.clone(), settings()),
        (sealed, tenant("t.example")),
        (agent("a"), settings()),
        (agent("b"), settings()),
        (listed(), run(None)),
        (listed(), run(Some("t.example"))),
        (listed().file("/az/azureProfile.json", "other"), run(None)),
    ]
    .map(|(world, settings)| key(&AzureCli::open(&settings, &world.host()).unwrap()))
    .into();
    for (n, key) in keys.iter().enumerate() {
        assert!(!keys[..n].contains(key), "{n}");
    }
}

#[test]
fn an_offer_is_made_where_somebody_is_signed_in() {
    let offered = |world: &World| is_offered(Some("/az".as_ref()), &world.host());
    assert!(offered(&listed()));
    assert!(!offered(&World::default()));
    assert!(!offered(&World::default().file("/az/azureProfile.json", r#"{"subscriptions":[]}"#)));
    assert!(!offered(&World::default().file("/az/azureProfile.json", "{")));
    assert!(!offered(&listed().file("/az/config", "[cloud]\nname = AzureChinaCloud\n")));
}

#[test]
fn no_secret_shows_in_debug() {
    let world = signed_in();
    let shown = format!("{:?}", open(&world).unwrap());
    assert!(!shown.contains("RT-5"), "{shown}");
    let bound = Wanted { req_cnf: Some("x".into()), ..wanted() };
    let az = open(&world).unwrap();
    assert_eq!(now(az.obtain(&bound, &world.host())).unwrap_err().kind(), Kind::Config);
}
