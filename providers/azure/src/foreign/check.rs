//! Flags that are written into a kubeconfig, read as `get-token` will read them: what it would refuse on
//! every machine is refused before it is written. Which hosts are trusted is for that machine to say.

use clap::{ArgMatches, parser::ValueSource};
use fleetkey_provider::{ExecInfo, Host, Result, Trust};

use super::{
    flags::{self, Takes},
    overrides,
};
use crate::{arguments::Arguments, authority, cloud::Cloud, login::Login, server_id::ServerId};

/// Says what is wrong with them. If they are not the `whole`, they were typed to stand in an entry: then
/// there may be no secret among them.
pub(crate) fn check(matches: &mut ArgMatches, whole: bool) -> Result<()> {
    let arguments = if whole {
        Arguments::read(matches, &ExecInfo::default())?
    } else {
        no_secret(matches)?;
        Arguments::of_part(matches)?
    };
    let Arguments { login, server_id, environment, authority_host, .. } = &arguments;
    login.as_ref().map(Login::parse).transpose()?;
    server_id.as_ref().map(ServerId::given).transpose()?;
    environment.as_ref().map(Cloud::parse).transpose()?;
    let host = Host { trust: Box::new(AnyHost), ..Host::refusing() };
    authority_host.as_ref().map(|named| authority::endpoint(named, &host)).transpose()?;
    Ok(())
}

fn no_secret(matches: &ArgMatches) -> Result<()> {
    let secrets = flags::FLAGS.iter().filter(|flag| flag.takes == Takes::Secret);
    for flag in secrets {
        let id = flag.name.replace('-', "_");
        let is_typed = matches.value_source(&id) == Some(ValueSource::CommandLine)
            && matches.get_raw(&id).into_iter().flatten().any(|value| !value.is_empty());
        if is_typed {
            return Err(overrides::secret(flag.name));
        }
    }
    Ok(())
}

/// Every host may be trusted where the flags are read.
struct AnyHost;

impl Trust for AnyHost {
    fn allows(&self, _host_name: &str) -> Result<bool> {
        Ok(true)
    }

    fn is_strict(&self) -> Result<bool> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use clap::Command;
    use fleetkey_provider::Kind;

    use super::*;
    use crate::arguments::augment;

    fn checked(line: &str, whole: bool) -> Result<()> {
        let command = augment(Command::new("azure").no_binary_name(true));
        check(&mut command.try_get_matches_from(line.split(' ')).unwrap(), whole)
    }

    #[test]
    fn what_get_token_refuses_everywhere_is_refused() {
        for (line, words) in [
            ("--login bogus", "`--login` names no way to sign in"),
            ("--tenant-id mars", "`--tenant-id` is not a tenant"),
            ("--client-id a\tb", "`--client-id`"),
            ("--server-id a\tb", "`--server-id`"),
            ("--environment mars", "`--environment`"),
            ("--authority-host mars", "`--authority-host` is not an endpoint"),
            ("--authority-host http://mars.example", "`--authority-host` is not an endpoint"),
            ("--authority-host https://mars.example/t/x", "is not only a host"),
            ("--redirect-url mars", "`--redirect-url`"),
            ("--pop-claims mars", "`--pop-claims`"),
            ("--pop-enabled=false --pop-claims u=x", "needs `--pop-enabled`"),
            ("--env-overrides-flags --disable-environment-override", "exclude each other"),
        ] {
            for whole in [true, false] {
                let error = checked(line, whole).unwrap_err();
                assert_eq!(error.kind(), Kind::Config, "{line:?}");
                let is_half = whole && line == "--pop-claims mars";
                assert!(is_half || error.to_string().contains(words), "{line:?}: {error}");
            }
        }
    }

    #[test]
    fn what_may_stand_elsewhere_is_missed_in_the_whole_alone() {
        for line in ["--pop-enabled", "--pop-claims u=x"] {
            assert!(checked(line, false).is_ok(), "{line}");
            assert!(checked(line, true).is_err(), "{line}");
        }
        for line in ["--login= --tenant-id=", "--authority-host https://mars.example", "-l MSI"] {
            assert!(checked(line, true).is_ok() && checked(line, false).is_ok(), "{line}");
        }
    }

    #[test]
    fn a_secret_may_stand_in_an_entry_and_is_not_typed_for_one() {
        for flag in ["client-secret", "password", "client-certificate-password"] {
            let line = format!("--{flag}=hunter2");
            assert!(checked(&line, true).is_ok(), "{line}");
            let error = checked(&line, false).unwrap_err();
            assert!(error.message().contains("is not written into a kubeconfig"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(checked(&format!("--{flag}="), false).is_ok());
        }
    }
}
