//! Values as our `get-token` takes them: what kubelogin takes otherwise is put right, and what nobody
//! could take is an error.

use std::path::Path;

use fleetkey_provider::{Error, Result, Rule, shown};

use super::flags::{self, Takes, Values};
use crate::{
    cloud::Cloud,
    given::{Hidden, Origin},
    go_duration,
    login::Login,
    server_id::AKS_CLIENT,
};

/// Puts them right; what a person should know of it are the notes.
pub(super) fn tidy(values: &mut Values, login: Option<Login>) -> Result<Vec<String>> {
    for (name, value) in &*values {
        check(name, value)?;
    }
    let mut notes = Vec::new();
    notes.extend(environment(values));
    notes.extend(cache_dir(values));
    notes.extend(timeout(values)?);
    notes.extend(client_id(values, login));
    identity(values, login)?;
    pop(values)?;
    Ok(notes)
}

/// Whether it could be a flag's value at all.
fn check(name: &'static str, value: &str) -> Result<()> {
    match flags::named(name).map(|flag| flag.takes) {
        Some(Takes::Secret) if value.is_empty() => Ok(()),
        Some(Takes::Secret) => Hidden::secret(Origin::Flag(name), value.to_owned()).map(|_| ()),
        _ => VALUE.check(&format!("`--{name}`"), value),
    }
}

/// kubelogin takes the public cloud for a name that it does not know.
fn environment(values: &mut Values) -> Option<String> {
    let name = flags::filled(values, flags::ENVIRONMENT)?;
    if Cloud::named(name).is_some() {
        return None;
    }
    let note = format!(
        "`--environment {}` is left out: it names no cloud, and kubelogin takes the public one for it",
        shown(name)
    );
    values.remove(flags::ENVIRONMENT);
    Some(note)
}

/// Clients run plugins from anywhere.
fn cache_dir(values: &mut Values) -> Option<String> {
    let folder = flags::filled(values, flags::CACHE_DIR)?;
    if Path::new(folder).is_absolute() {
        return None;
    }
    let note = format!("`--cache-dir {}` is left out: it is no absolute path", shown(folder));
    values.remove(flags::CACHE_DIR);
    Some(note)
}

/// kubelogin's is a duration of Go's for everything, ours whole seconds for the network.
fn timeout(values: &mut Values) -> Result<Option<String>> {
    let Some(text) = flags::filled(values, flags::TIMEOUT) else { return Ok(None) };
    let plain = text.parse().ok().filter(|seconds| *seconds > 0);
    let duration = go_duration::parse(text)
        .map(|duration| duration.as_secs() + u64::from(duration.subsec_nanos() > 0));
    let Some(seconds) = plain.or(duration) else {
        return Err(Error::config(format!("`--timeout` is no time: `{}`", shown(text)))
            .because("it is a number with a unit, such as `60s`, and more than nothing"));
    };
    values.insert(flags::TIMEOUT, seconds.min(LONGEST).to_string());
    Ok((seconds > LONGEST).then(|| format!("`--timeout` is cut to {LONGEST} seconds")))
}

/// Nobody signs in by themselves as the application that is everybody's, so kubelogin needs a variable
/// there, which wins over the flag; here it would not.
fn client_id(values: &mut Values, login: Option<Login>) -> Option<String> {
    let id = flags::filled(values, flags::CLIENT_ID)?;
    let is_of_people = PEOPLES.iter().any(|people| people.eq_ignore_ascii_case(id));
    if login != Some(Login::Spn) || !is_of_people {
        return None;
    }
    values.remove(flags::CLIENT_ID);
    Some(
        "`--client-id` is left out: it is the application that people sign in with; name your own \
         with `--client-id`, or set `AZURE_CLIENT_ID`"
            .to_owned(),
    )
}

/// In kubelogin a client id hides a resource id; here two names of one identity are an error.
fn identity(values: &mut Values, login: Option<Login>) -> Result<()> {
    if login != Some(Login::Msi) {
        return Ok(());
    }
    if flags::filled(values, flags::CLIENT_ID).is_some() {
        values.remove(flags::IDENTITY_RESOURCE_ID);
    }
    let others = [flags::CLIENT_ID, flags::IDENTITY_RESOURCE_ID];
    let other = others.into_iter().find(|other| flags::filled(values, other).is_some());
    match (other, flags::filled(values, flags::OBJECT_ID)) {
        (Some(other), Some(_)) => {
            Err(Error::config(format!("`--{other}` and `--object-id` exclude each other"))
                .because("each names the managed identity that is meant"))
        }
        _ => Ok(()),
    }
}

/// Two flags for one wish.
fn pop(values: &mut Values) -> Result<()> {
    let is_enabled = flags::is_on(values, flags::POP_ENABLED);
    match (is_enabled, flags::filled(values, flags::POP_CLAIMS)) {
        (true, None) => Err(half("`--pop-enabled` needs `--pop-claims`")),
        (false, Some(_)) => Err(half("`--pop-claims` needs `--pop-enabled`")),
        _ => Ok(()),
    }
}

fn half(message: &str) -> Error {
    Error::config(message)
        .because("a token that is bound to a key names the cluster it is for, as `u=RESOURCE-ID`")
        .next("az aks list --query '[].id' --output tsv")
}

/// Ours has an end.
const LONGEST: u64 = 600;

/// The applications that AKS and Arc have for people.
const PEOPLES: [&str; 2] = [AKS_CLIENT, "3f4439ff-e698-4d6d-84fe-09c9d574f06b"];

/// What could be a flag's value; the rest is checked where it is used.
const VALUE: Rule = Rule {
    what: "a flag's value",
    min: 0,
    max: 8192,
    allows: |_| true,
    allowed: "printable characters",
};
