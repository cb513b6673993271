//! The cases by which kubelogin tests its `convert-kubeconfig`, twice: what is written under its name has
//! to be what it writes, and what is adopted has to be the same sign-in, but for `DIFFERENCES`.

use std::collections::BTreeMap;

use fleetkey_azure::{
    PROVIDER,
    replay::{DIFFERENCES, sign_in},
};
use fleetkey_provider::{
    Conversion, Foreign, Overrides, Result, StandIn, WrittenExec, testing::StaticEnv,
};
use serde::Deserialize;

use crate::Set;

const FILE: &str = "azure/convert_kubeconfig_cases.json";

#[derive(Deserialize)]
struct Case {
    id: u32,
    #[serde(rename = "case")]
    title: String,
    in_auth_provider_azure: Option<BTreeMap<String, String>>,
    in_exec_args: Option<Vec<String>>,
    in_install_hint: Option<String>,
    flags: BTreeMap<String, String>,
    want_args_unordered: Option<Vec<String>>,
    want_install_hint: Option<String>,
    want_error: Option<String>,
}

impl Case {
    /// The user before.
    fn foreign(&self) -> Foreign {
        match (&self.in_auth_provider_azure, &self.in_exec_args) {
            (Some(config), _) => {
                Foreign::AuthProvider { name: "azure".into(), config: config.clone() }
            }
            (None, Some(args)) => {
                Foreign::Program { name: "kubelogin".into(), args: args.clone(), env: Vec::new() }
            }
            (None, None) => {
                Foreign::Program { name: "foo".into(), args: vec!["--bar".into()], env: Vec::new() }
            }
        }
    }

    /// What is typed behind `convert-kubeconfig`.
    fn line(&self) -> Vec<String> {
        let flags = self.flags.iter().map(|(name, value)| format!("--{name}={value}"));
        ["convert-kubeconfig".to_owned()].into_iter().chain(flags).collect()
    }
}

fn cases(name: &'static str) -> Option<(Set, Vec<Case>)> {
    let (set, text) = Set::open(name, FILE)?;
    // a tenant is looked at where arguments are read, and this one is none
    let text = text.replace("\"tenantID\"", "\"tenant.example\"");
    Some((set, serde_json::from_str(&text).unwrap()))
}

/// Under kubelogin's name.
#[test]
fn kubelogins_own_conversion() {
    let Some((mut set, cases)) = cases("convert-kubeconfig-as-kubelogin") else { return };
    for case in cases {
        let name = format!("{} {}", case.id, case.title);
        let Some(Ok(StandIn::Convert(conversion))) =
            PROVIDER.stands_in("kubelogin", &case.line(), &StaticEnv::default())
        else {
            panic!("{name}")
        };
        let written = conversion.convert(&case.foreign(), case.in_install_hint.as_deref());
        judge(&case, &name, &*conversion, written);
        set.ran();
    }
    set.finish();
}

fn judge(
    case: &Case,
    name: &str,
    conversion: &dyn Conversion,
    written: Option<Result<WrittenExec>>,
) {
    match (&case.want_args_unordered, &case.want_error) {
        (Some(wanted), None) => {
            let written = written.unwrap().unwrap();
            assert_eq!(sorted(&written.args), sorted(wanted), "{name}");
            assert_eq!(written.command, "kubelogin", "{name}");
            assert_eq!(written.api_version, "client.authentication.k8s.io/v1beta1", "{name}");
            assert_eq!(written.env, [], "{name}");
            let hint = written.install_hint.unwrap();
            match case.want_install_hint.as_deref() {
                Some("<default>") => assert!(hint.contains("kubelogin"), "{name}"),
                wanted => assert_eq!(Some(hint.as_str()), wanted, "{name}"),
            }
        }
        // which contexts there are is for whoever reads the file
        (_, Some(error)) if error.starts_with("no context") => {
            assert_eq!(conversion.context(), Some("badContext"), "{name}");
        }
        (_, Some(error)) => {
            let ours = written.unwrap().unwrap_err().to_string();
            let flags = error.split_whitespace().filter(|word| word.starts_with("--"));
            assert!(flags.into_iter().all(|flag| ours.contains(flag)), "{name}: {ours}");
        }
        (None, None) => assert!(written.is_none(), "{name}"),
    }
}

/// Which cases differ on purpose, and by which of `DIFFERENCES`.
const ON_PURPOSE: &[(&str, &[u32])] = &[
    ("tenant", &[15, 25, 27, 37, 39]),
    ("environment", &[9, 11, 13, 19, 21, 23, 33, 35, 41, 43, 49, 53, 55, 57, 63, 67, 69]),
    ("secrets", &[9, 11, 13, 19]),
];

/// In our words.
#[test]
fn adopted_users() {
    let Some((mut set, cases)) = cases("convert-kubeconfig") else { return };
    for case in cases {
        let name = format!("{} {}", case.id, case.title);
        let foreign = case.foreign();
        let mut typed = case.flags.clone();
        typed.remove("context");
        let mut ours = PROVIDER.adopt(&foreign, &overrides(&typed));
        let mut wanted = case.want_args_unordered.clone();
        let mut excused = Vec::new();
        if let Some(Err(error)) = &ours
            && error.message().contains("is not written into a kubeconfig")
        {
            excused.push("secrets");
            let secrets = PROVIDER.secrets();
            typed.retain(|flag, _| !secrets.contains(&flag.as_str()));
            ours = PROVIDER.adopt(&foreign, &overrides(&typed));
            wanted = wanted.map(|args| {
                secrets.iter().fold(args, |args, secret| without(&args, &format!("--{secret}")))
            });
        }
        match (wanted, &case.want_error) {
            (Some(wanted), None) => {
                let ours = ours.unwrap().unwrap().args;
                excused.extend(same_sign_in(&name, &ours, &wanted[1..]));
            }
            (_, Some(error)) if error.starts_with("no context") => assert!(ours.unwrap().is_ok()),
            (_, Some(error)) => {
                let ours = ours.unwrap().unwrap_err().to_string();
                let flags = error.split_whitespace().filter(|word| word.starts_with("--"));
                assert!(flags.into_iter().all(|flag| ours.contains(flag)), "{name}: {ours}");
            }
            (None, None) => assert!(ours.is_none(), "{name}"),
        }
        for difference in DIFFERENCES {
            let found = ON_PURPOSE.iter().find(|(name, _)| *name == difference.name);
            let is_listed = found.is_some_and(|(_, ids)| ids.contains(&case.id));
            assert_eq!(excused.contains(&difference.name), is_listed, "{name}: {excused:?}");
        }
        set.ran();
    }
    for (name, ids) in ON_PURPOSE {
        let difference = DIFFERENCES.iter().find(|difference| difference.name == *name).unwrap();
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        set.change(&ids.join(", "), &format!("{}: {}", difference.fleetkey, difference.why));
    }
    set.finish();
}

/// Whether both mean the same, once what differs on purpose is taken away; what that was.
fn same_sign_in(name: &str, ours: &[String], wanted: &[String]) -> Vec<&'static str> {
    let (mut ours, mut wanted, mut excused) = (ours.to_vec(), wanted.to_vec(), Vec::new());
    let says = |args: &[String], flag: &str| args.iter().any(|arg| arg == flag);
    if says(&wanted, "--environment") && !says(&ours, "--environment") {
        assert!(wanted.contains(&"foo".to_owned()), "{name}");
        wanted = without(&wanted, "--environment");
        excused.push("environment");
    }
    if says(&ours, "--tenant-id") && !says(&wanted, "--tenant-id") {
        assert!(says(&ours, "azurecli") || says(&ours, "azd"), "{name}");
        ours = without(&ours, "--tenant-id");
        excused.push("tenant");
    }
    assert_eq!(sign_in(&ours).unwrap(), sign_in(&wanted).unwrap(), "{name}");
    excused
}

fn overrides(flags: &BTreeMap<String, String>) -> Overrides {
    Overrides(flags.clone().into_iter().collect())
}

/// The arguments without a flag and its value.
fn without(args: &[String], flag: &str) -> Vec<String> {
    let Some(at) = args.iter().position(|arg| arg == flag) else { return args.to_vec() };
    [&args[..at], &args[at + 2..]].concat()
}

fn sorted(args: &[String]) -> Vec<String> {
    let mut args = args.to_vec();
    args.sort_unstable();
    args
}
