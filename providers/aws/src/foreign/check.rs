//! Flags that are written into a kubeconfig, read as `get-token` will read them: what it would refuse on
//! every machine is refused before it is written.

use clap::ArgMatches;
use fleetkey_provider::Result;

use crate::{arguments::Arguments, region::Region};

/// Says what is wrong with them. If they are not the `whole`, a cluster and a role may stand elsewhere.
pub(crate) fn check(matches: &mut ArgMatches, whole: bool) -> Result<()> {
    let arguments = if whole {
        Arguments::read(matches, &fleetkey_provider::ExecInfo::default())?
    } else {
        Arguments::of_part(matches)?
    };
    if let Some(region) = &arguments.region {
        Region::parse(region, "`--region`")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Command;
    use fleetkey_provider::Kind;

    use super::*;
    use crate::{arguments::augment, testing::ROLE};

    fn checked(line: &[&str], whole: bool) -> Result<()> {
        let command = augment(Command::new("aws").no_binary_name(true));
        check(&mut command.try_get_matches_from(line).unwrap(), whole)
    }

    #[test]
    fn what_get_token_refuses_everywhere_is_refused() {
        for (line, words) in [
            (&["--region", "x y"][..], "`--region` is not a region"),
            (&["--region", ""], "`--region` is not a region"),
            (&["--region", "s3"], "`--region` is not a region"),
            (&["--cluster-name", "a b"], "`--cluster-name` is not a cluster's name"),
            (&["--cluster-name", "a", "--cluster-id", "b"], "exclude each other"),
            (&["--profile", ""], "`--profile` is not a profile's name"),
            (&["--profile", "p", "--sso-role-name", "r"], "exclude each other"),
            (&["--sso-session", "s"], "`--sso-session` needs `--sso-account-id`"),
            (&["--role-arn", "me"], "`--role-arn`"),
            (&["--via-role", "me"], "`--via-role`"),
            (&["--external-id", "x"], "`--external-id` is not an external id"),
            (&["--session-name", "s s"], "`--session-name` is not a session name"),
            (&["--session-name", "ss", "--forward-session-name"], "both say"),
        ] {
            let error = checked(line, false).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{line:?}");
            assert!(error.to_string().contains(words), "{line:?}: {error}");
        }
    }

    #[test]
    fn what_may_stand_elsewhere_is_missed_in_the_whole_alone() {
        for line in [
            &[][..],
            &["--region", "eu-west-1"],
            &["--profile", "p"],
            &["--external-id", "ext"],
            &["--session-name", "me"],
            &["--forward-session-name"],
            &["--via-role", ROLE],
        ] {
            assert!(checked(line, false).is_ok(), "{line:?}");
            assert!(checked(line, true).is_err(), "{line:?}");
        }
        for line in [&["--cluster-id", "x"][..], &["--cluster-name", "c", "--region", "mars-1"]] {
            assert!(checked(line, true).is_ok(), "{line:?}");
        }
    }
}
