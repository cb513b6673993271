//! What somebody who only signs in asks for: a session by itself, or an identity without a cluster.

use clap::ArgMatches;
use fleetkey_provider::{ExecInfo, Host, Request, Result, shown};

use crate::{
    arguments::{Arguments, Chosen, SignInFor},
    endpoints::{Endpoints, ca_bundle},
    inventory::SignedIn,
    plan,
    profiles::{self, Profiles},
    request::{no_home, understand},
    source::{Catalogue, Ends},
};

/// Understands a command line.
pub(crate) fn request(matches: &mut ArgMatches, host: &Host) -> Result<Box<dyn Request>> {
    let wanted = Arguments::of_sign_in(matches)?;
    let profiles = Profiles::load(host)?;
    Ok(match wanted {
        SignInFor::Session(name) => {
            Box::new(SignedIn(catalogue(&name, &profiles, host)?.by_itself(host)))
        }
        SignInFor::Identity(arguments) => {
            Box::new(understand(*arguments, &ExecInfo::default(), &profiles, host)?.step)
        }
    })
}

/// The session of that name.
pub(crate) fn catalogue(name: &Chosen, profiles: &Profiles, host: &Host) -> Result<Catalogue> {
    let settings = plan::sso_session(name, profiles)?;
    let from = format!("`sso_region` of `[sso-session {}]`", shown(&settings.name));
    let endpoints = Endpoints::new(profiles, None, host)?;
    let ends = Ends::find(&endpoints, &settings.region, &from)?;
    let home = profiles::home(host).ok_or_else(no_home)?;
    Ok(Catalogue::new(settings, &home, ends, ca_bundle(None, host)?, host))
}

#[cfg(test)]
mod tests {
    use clap::Command;
    use fleetkey_provider::Provider;

    use super::*;
    use crate::{Aws, testing::World};

    fn ask(world: &World, line: &str) -> Result<Box<dyn Request>> {
        let command = Aws.arguments(Command::new("aws").no_binary_name(true));
        let mut matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
        Aws.sign_in_request(&mut matches, &world.host())
    }

    #[test]
    fn a_sign_in_needs_no_cluster_and_no_region() {
        let world = World::new().env(&[("AWS_REGION", "")]);
        let dev = ask(&world, "--profile dev").unwrap();
        assert_eq!(dev.describe(), "role Admin in 123456789012 (SSO of profile `dev`)");
        assert_eq!(dev.sign_in_line().as_deref(), Some("fleetkey login aws --profile dev"));
        let session = ask(&world, "--sso-session corp").unwrap();
        assert_eq!(session.describe(), "SSO session `corp`");
        let line = "fleetkey login aws --sso-session corp";
        assert_eq!(session.sign_in_line().as_deref(), Some(line));
        assert_eq!(session.session(), dev.session());
        // what a cluster would be lent is the same
        let with = world.ask("--profile dev --region eu-west-1").unwrap();
        assert_eq!(dev.fingerprint(), with.fingerprint());
        let named = ask(&world, "--profile dev --cluster-name c --region eu-west-1").unwrap();
        let line = "fleetkey login aws --cluster-name c --region eu-west-1 --profile dev";
        assert_eq!(named.sign_in_line().as_deref(), Some(line));
    }

    #[test]
    fn half_a_role_and_a_session_that_is_not_there_are_mistakes() {
        let world = World::new();
        for (line, words) in [
            ("--sso-session nobody", "`[sso-session nobody]`, which is not there"),
            ("--sso-session corp --sso-role-name R", "needs `--sso-account-id` too"),
            ("--sso-session corp --profile dev", "exclude each other"),
            ("--cluster-name -x", "is not a cluster's name"),
        ] {
            let error = ask(&world, &line.replace("-name -x", "-name=-x")).unwrap_err();
            assert!(error.to_string().contains(words), "{line}: {error}");
        }
    }
}
