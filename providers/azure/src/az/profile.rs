//! `azureProfile.json`: the subscriptions, and who signed in for them.

use fleetkey_provider::{Error, Result, quoted, shown};
use serde_json::Value;

/// What az knows of subscriptions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    subscriptions: Vec<Subscription>,
}

/// One of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Subscription {
    /// Its id.
    pub(crate) id: String,
    /// Its tenant, as the one who signed in saw it.
    pub(crate) tenant: String,
    /// Who signed in.
    pub(crate) user: User,
    /// Whether it is the chosen one.
    pub(crate) is_default: bool,
    /// Its name.
    pub(crate) name: String,
    /// Whether it is in use; az lists others too.
    pub(crate) is_enabled: bool,
    domain: Option<String>,
    cloud: String,
}

/// Who signed in to az.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum User {
    /// A person, by name.
    Person(String),
    /// A person in Cloud Shell, by name.
    CloudShell(String),
    /// An application, by its id.
    Application(String),
    /// A managed identity: `MSI`, or `MSIClient-`, `MSIObject-` or `MSIResource-` and an id.
    Machine(String),
}

/// Which subscription is meant.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice<'a> {
    /// The tenant the token is to be of.
    pub(crate) tenant: Option<&'a str>,
    /// The subscription's id or name.
    pub(crate) subscription: Option<&'a str>,
}

impl Profile {
    /// `None` if it is no such file. Subscriptions of another shape are skipped.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let file: Value = serde_json::from_slice(bytes).ok()?;
        let list = match file.as_object()?.get("subscriptions") {
            None | Some(Value::Null) => &[][..],
            Some(list) => list.as_array()?,
        };
        Some(Self { subscriptions: list.iter().filter_map(Subscription::read).collect() })
    }

    /// Whether anybody is signed in to that cloud.
    pub(crate) fn has(&self, cloud: &str) -> bool {
        self.of(cloud).next().is_some()
    }

    /// The subscription that is meant, whose account is then asked. As az chooses; but where a tenant
    /// is named and the default subscription is of another, whoever signed in for one of that tenant
    /// is preferred, if that is one person: az would ask as somebody who may not be known there.
    pub(crate) fn choose(&self, cloud: &str, choice: Choice<'_>) -> Result<&Subscription> {
        let Choice { tenant, subscription } = choice;
        if !self.has(cloud) {
            return Err(nobody(tenant));
        }
        if let Some(wanted) = subscription {
            return self.called(cloud, wanted, tenant);
        }
        let default = self.of(cloud).find(|subscription| subscription.is_default);
        if let Some(tenant) = tenant {
            let there: Vec<_> = self.of(cloud).filter(|s| s.is_of(tenant)).collect();
            let same = there.iter().find(|s| default.is_none_or(|default| default.user == s.user));
            let only = there.first().filter(|first| there.iter().all(|s| s.user == first.user));
            if let Some(found) = default.filter(|s| s.is_of(tenant)).or(same.or(only).copied()) {
                return Ok(found);
            }
        }
        default.ok_or_else(|| {
            let first = self.of(cloud).next().map(|s| quoted(&s.id)).unwrap_or_default();
            Error::config("az has no default subscription")
                .because("nobody said which account to ask as")
                .next(format!("az account set --subscription {first}"))
        })
    }

    /// The subscriptions of that cloud, in az's order.
    pub(crate) fn of<'s>(&'s self, cloud: &str) -> impl Iterator<Item = &'s Subscription> {
        self.subscriptions.iter().filter(move |s| s.cloud.eq_ignore_ascii_case(cloud))
    }

    fn called(&self, cloud: &str, wanted: &str, tenant: Option<&str>) -> Result<&Subscription> {
        let mut found: Vec<_> = self
            .of(cloud)
            .filter(|s| {
                let names = [s.id.to_lowercase(), s.name.to_lowercase()];
                names.contains(&wanted.to_lowercase())
            })
            .collect();
        let Some(first) = found.first().copied() else {
            return Err(Error::config(format!("az knows no subscription `{}`", shown(wanted)))
                .because(format!("nobody signed in for one in `{}`", shown(cloud)))
                .next("az account list --refresh --output table"));
        };
        if let Some(tenant) = tenant
            && found.iter().any(|s| s.is_of(tenant))
        {
            found.retain(|s| s.is_of(tenant));
        }
        if found.iter().all(|s| (&s.user, &s.tenant) == (&first.user, &first.tenant)) {
            return Ok(first);
        }
        match found[..] {
            [only] => Ok(only),
            _ => Err(Error::config(format!("az knows several subscriptions `{}`", shown(wanted)))
                .because("name the one that is meant by its id, with `--subscription`")
                .next("az account list --output table")),
        }
    }
}

impl Subscription {
    fn read(value: &Value) -> Option<Self> {
        let of = |value: &Value, name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let text = |name: &str| of(value, name);
        let user = value.get("user")?;
        let name = text("name").unwrap_or_default();
        let user = match (of(user, "name")?, of(user, "type")?.as_str()) {
            (who, _) if ["systemAssignedIdentity", "userAssignedIdentity"].contains(&&*who) => {
                // before 2.0.51 it stood in the subscription's name
                User::Machine(of(user, "assignedIdentityInfo").unwrap_or_else(|| name.clone()))
            }
            (who, _) if user.get("cloudShellID") == Some(&Value::Bool(true)) => {
                User::CloudShell(who)
            }
            (who, "user") => User::Person(who),
            (who, "servicePrincipal") => User::Application(who),
            _ => return None,
        };
        Some(Self {
            id: text("id")?,
            tenant: text("tenantId")?,
            user,
            is_default: value.get("isDefault") == Some(&Value::Bool(true)),
            name,
            // az writes it as Azure does
            is_enabled: text("state").is_none_or(|state| state.eq_ignore_ascii_case("enabled")),
            domain: text("tenantDefaultDomain"),
            cloud: text("environmentName")?,
        })
    }

    /// Whether it is of that tenant, by its id or its domain.
    pub(crate) fn is_of(&self, tenant: &str) -> bool {
        self.tenant.eq_ignore_ascii_case(tenant)
            || self.domain.as_ref().is_some_and(|domain| domain.eq_ignore_ascii_case(tenant))
    }
}

impl User {
    /// As a person would say it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Person(name) | Self::CloudShell(name) => name,
            Self::Application(id) => id,
            Self::Machine(info) => info,
        }
    }
}

/// Nobody is signed in.
pub(crate) fn nobody(tenant: Option<&str>) -> Error {
    let tenant = tenant.map(|tenant| format!(" --tenant {}", quoted(tenant))).unwrap_or_default();
    Error::sign_in_needed("nobody is signed in to az")
        .because("its `azureProfile.json` has no subscription of the active cloud")
        .next(format!("az login{tenant}"))
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;
    use serde_json::json;

    use super::*;
    use crate::az::data;

    const CLOUD: &str = "AzureCloud";

    fn read(list: &Value) -> Profile {
        Profile::parse(json!({ "subscriptions": list }).to_string().as_bytes()).unwrap()
    }

    fn entry(id: &str, tenant: &str, user: &str, is_default: bool) -> Value {
        json!({ "id": id, "name": format!("Name {id}"), "tenantId": tenant, "isDefault": is_default,
            "environmentName": CLOUD, "user": { "name": user, "type": "user" } })
    }

    fn chosen(profile: &Profile, tenant: Option<&str>, subscription: Option<&str>) -> String {
        let chosen = profile.choose(CLOUD, Choice { tenant, subscription }).unwrap();
        chosen.id.clone()
    }

    #[test]
    fn the_file_az_writes_is_read() {
        let profile =
            Profile::parse(super::super::without_marks(data::PROFILE.as_bytes())).unwrap();
        let users: Vec<_> = profile.of("azurecloud").map(|s| s.user.clone()).collect();
        assert_eq!(
            users,
            [
                User::Person("user@contoso.com".into()),
                User::Application("33333333-3333-3333-3333-333333333333".into()),
                User::Machine("MSIClient-44444444-4444-4444-4444-444444444444".into()),
            ]
        );
        assert_eq!(chosen(&profile, None, None), "aaaaaaaa-0000-0000-0000-000000000001");
        assert_eq!(chosen(&profile, None, Some("ci")), "aaaaaaaa-0000-0000-0000-000000000002");
        assert_eq!(
            chosen(&profile, None, Some("AAAAAAAA-0000-0000-0000-000000000003")),
            "aaaaaaaa-0000-0000-0000-000000000003"
        );
    }

    #[test]
    fn a_tenant_prefers_whoever_signed_in_for_it() {
        let profile = read(&json!([
            entry("1", "A", "me", true),
            entry("2", "B", "other", false),
            entry("3", "C", "other", false),
            entry("4", "C", "me", false),
            entry("5", "D", "other", false),
            entry("6", "D", "third", false),
        ]));
        for (tenant, id) in [("a", "1"), ("B", "2"), ("c", "4"), ("D", "1"), ("E", "1")] {
            assert_eq!(chosen(&profile, Some(tenant), None), id, "{tenant}");
        }
        let data = Profile::parse(super::super::without_marks(data::PROFILE.as_bytes())).unwrap();
        let id = chosen(&data, Some("Contoso.com"), None);
        assert_eq!(id, "aaaaaaaa-0000-0000-0000-000000000001");
    }

    #[test]
    fn a_name_may_stand_for_one_account_only() {
        let named = |id, tenant, user| {
            let mut entry = entry(id, tenant, user, false);
            entry["name"] = "prod".into();
            entry
        };
        let profile = read(&json!([named("1", "A", "me"), named("2", "B", "me")]));
        let choose = |tenant| profile.choose(CLOUD, Choice { tenant, subscription: Some("prod") });
        assert_eq!(choose(None).unwrap_err().kind(), Kind::Config);
        assert_eq!(choose(Some("B")).unwrap().id, "2");
        let twice = read(&json!([named("1", "A", "me"), named("2", "A", "me")]));
        assert_eq!(chosen(&twice, None, Some("prod")), "1");
    }

    #[test]
    fn whoever_is_missing_is_named() {
        let error = Profile::default().choose(CLOUD, Choice::default()).unwrap_err();
        assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some("az login")));
        let tenant = Choice { tenant: Some("t; rm"), ..Choice::default() };
        let error = Profile::default().choose(CLOUD, tenant).unwrap_err();
        assert_eq!(error.next_line(), Some("az login --tenant 't; rm'"));
        let profile = read(&json!([entry("1", "A", "me", false)]));
        let error = profile.choose(CLOUD, Choice::default()).unwrap_err();
        assert_eq!(error.next_line(), Some("az account set --subscription 1"));
        let unknown = Choice { subscription: Some("x\u{1b}"), ..Choice::default() };
        let error = profile.choose(CLOUD, unknown).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert!(!error.to_string().contains('\u{1b}'));
        let error = profile.choose("AzureChinaCloud", Choice::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::SignInNeeded);
    }

    #[test]
    fn other_shapes_are_skipped_or_no_profile() {
        let odd = read(&json!([1, null, {}, { "user": 1 }, { "user": { "name": "a" } },
            { "id": "x", "tenantId": "t", "environmentName": CLOUD,
              "user": { "name": "u", "type": "robot" } }]));
        assert!(!odd.has(CLOUD));
        for none in ["", "[]", "null", "{\"subscriptions\":1}", "{\"subscriptions\":{}}", "{"] {
            assert!(Profile::parse(none.as_bytes()).is_none(), "{none}");
        }
        assert!(Profile::parse(b"{}").is_some());
        let deep = "[".repeat(100_000);
        assert!(Profile::parse(deep.as_bytes()).is_none());
    }

    #[test]
    fn people_in_cloud_shell_and_older_identities_are_told_apart() {
        let mut shell = entry("1", "A", "me", true);
        shell["user"]["cloudShellID"] = true.into();
        let mut old = entry("2", "A", "systemAssignedIdentity", false);
        old["name"] = "MSI".into();
        old["user"]["type"] = "servicePrincipal".into();
        let profile = read(&json!([shell, old]));
        let users: Vec<_> = profile.of(CLOUD).map(|s| s.user.clone()).collect();
        assert_eq!(users, [User::CloudShell("me".into()), User::Machine("MSI".into())]);
    }
}
