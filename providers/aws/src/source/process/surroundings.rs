//! What a program sees of the environment that may tell it whom to lend for: one profile, asked from
//! two shells, may lend the keys of two.

use fleetkey_provider::{Fingerprint, Host};

use crate::variables;

/// The variables of [`VARIABLES`], with their values. A fingerprint, since a value may be a secret.
pub(super) fn fingerprint(host: &Host) -> Fingerprint {
    let mut bytes = Vec::new();
    for name in VARIABLES {
        // what is not set is told from what is empty, and no variable holds a zero byte
        bytes.extend_from_slice(name.as_bytes());
        if let Some(value) = host.env.var(name) {
            bytes.push(b'=');
            bytes.extend_from_slice(value.as_encoded_bytes());
        }
        bytes.push(0);
    }
    Fingerprint::of(&bytes)
}

/// What leads to the program, to its files, and to an identity: AWS's own variables, and those of
/// the usual programs.
const VARIABLES: [&str; 22] = [
    "PATH",
    "HOME",
    "USERPROFILE",
    variables::AWS_ACCESS_KEY_ID,
    variables::AWS_SECRET_ACCESS_KEY,
    variables::AWS_SESSION_TOKEN,
    variables::AWS_SECURITY_TOKEN,
    variables::AWS_PROFILE,
    variables::AWS_DEFAULT_PROFILE,
    variables::AWS_REGION,
    variables::AWS_DEFAULT_REGION,
    variables::AWS_CONFIG_FILE,
    variables::AWS_SHARED_CREDENTIALS_FILE,
    variables::AWS_ROLE_ARN,
    variables::AWS_WEB_IDENTITY_TOKEN_FILE,
    variables::AWS_ROLE_SESSION_NAME,
    variables::AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
    variables::AWS_CONTAINER_CREDENTIALS_FULL_URI,
    variables::AWS_ENDPOINT_URL,
    "AWS_VAULT",
    "AWS_VAULT_BACKEND",
    "AWS_OKTA_PROFILE",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn world() -> World {
        let text = "[p]\ncredential_process = /opt/lend\n";
        World::new().file("/home/.aws/credentials", text)
    }

    #[test]
    fn whatever_may_tell_it_whom_to_lend_for_is_another_credential() {
        let print = |world: World| world.ask("--profile p").unwrap().fingerprint().to_string();
        // these decide before it whether the profile is found, so none of them may be changed alone
        let others = ["HOME", "USERPROFILE", variables::AWS_SHARED_CREDENTIALS_FILE];
        let mut prints: Vec<_> = VARIABLES
            .iter()
            .filter(|name| !others.contains(name))
            .map(|name| {
                let value = if name.ends_with("URL") { "http://127.0.0.1:1" } else { "eu-north-1" };
                print(world().env(&[(name, value)]))
            })
            .collect();
        prints.push(print(world()));
        prints.push(print(world().env(&[("AWS_VAULT", "")])));
        prints.push(print(world().env(&[("AWS_VAULT", "other")])));
        prints.push(print(world().file("/etc/machine-id", "0a1c")));
        assert_eq!(print(world()), print(world()));
        let all = prints.len();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), all);
    }
}
