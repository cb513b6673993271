//! What goes around a command that a person is told to type.

use fleetkey_provider::{Host, quoted};

use crate::variables::{AWS_CONFIG_FILE, AWS_LOGIN_CACHE_DIRECTORY, AWS_SHARED_CREDENTIALS_FILE};

/// `VARIABLE=value ` for each variable that says where profiles and sessions are: the kubeconfig may
/// have set it, and a person's shell has not.
pub(crate) fn files_prefix(host: &Host) -> String {
    let assigned = |name: &str| {
        let path = host.path_var(name)?;
        Some(format!("{name}={} ", quoted(&path.to_string_lossy())))
    };
    [AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_LOGIN_CACHE_DIRECTORY]
        .into_iter()
        .filter_map(assigned)
        .collect()
}

/// ` --profile NAME`; nothing for the profile that needs no flag.
pub(crate) fn profile_flag(profile: Option<&str>) -> String {
    profile.map(|name| format!(" --profile {}", quoted(name))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticEnv;

    use super::*;

    #[test]
    fn variables_that_name_files_go_before_a_command() {
        let prefix = |env: &[(&str, &str)]| {
            let env = Box::new(StaticEnv::new(env.iter().copied()));
            files_prefix(&Host { env, ..Host::refusing() })
        };
        assert_eq!(prefix(&[(AWS_CONFIG_FILE, ""), ("AWS_PROFILE", "p")]), "");
        assert_eq!(
            prefix(&[(AWS_SHARED_CREDENTIALS_FILE, "/k"), (AWS_CONFIG_FILE, "/a b")]),
            "AWS_CONFIG_FILE='/a b' AWS_SHARED_CREDENTIALS_FILE=/k "
        );
    }

    #[test]
    fn a_profile_becomes_a_flag() {
        assert_eq!(profile_flag(Some("a b")), " --profile 'a b'");
        assert_eq!(profile_flag(None), "");
    }
}
