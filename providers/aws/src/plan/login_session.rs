//! The session of `aws login` that a profile names.

use fleetkey_provider::{Error, Result, Rule, shown};

use super::LoginSession;
use crate::{profiles::Section, shell::profile_flag};

/// The settings, checked. A session is named by the ARN of whoever signed in.
pub(super) fn settings(section: &Section<'_>, arn: &str) -> Result<LoginSession> {
    let profile = section.name();
    let from = format!("`login_session` of profile `{}`", shown(profile));
    ARN.check(&from, arn)?;
    let Some(account) = account(arn) else {
        return Err(Error::config(format!("{from} is not an ARN: `{}`", shown(arn)))
            .because("`aws login` writes there who signed in, such as `arn:aws:iam::1:user/me`")
            .next(format!("aws login{}", profile_flag(Some(profile)))));
    };
    Ok(LoginSession {
        profile: profile.to_owned(),
        arn: arn.to_owned(),
        account: account.to_owned(),
        region: section.get("region").map(str::to_owned),
    })
}

fn account(arn: &str) -> Option<&str> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, _, _, account, _] = fields[..] else { return None };
    let is_one = !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit());
    is_one.then_some(account)
}

const ARN: Rule = Rule {
    what: "the ARN of somebody",
    min: 1,
    max: 2048,
    allows: |c| c.is_ascii_graphic(),
    allowed: "letters, digits and signs, without blanks",
};

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use crate::testing::World;

    fn ask(lines: &str) -> Result<String, fleetkey_provider::Error> {
        let world = World::new().file("/home/.aws/config", &format!("[profile x]\n{lines}\n"));
        world.ask("--profile x").map(|request| request.describe())
    }

    #[test]
    fn it_comes_before_a_program_and_behind_keys_of_the_credentials_file() {
        let session = "login_session = arn:aws:iam::1:user/me";
        let described = "arn:aws:iam::1:user/me (`aws login` of profile `x`)";
        let program = format!("credential_process = /bin/x\n{session}");
        let keys = "aws_access_key_id = A\naws_secret_access_key = s";
        for lines in [session, &program, &format!("{keys}\n{session}")] {
            assert_eq!(ask(lines).unwrap(), described, "{lines}");
        }
        let world = World::new()
            .file("/home/.aws/config", &format!("[profile x]\n{session}\n"))
            .file("/home/.aws/credentials", &format!("[x]\n{keys}\n"));
        let description = world.ask("--profile x").unwrap().describe();
        assert_eq!(description, "access keys of profile `x`");
    }

    #[test]
    fn what_is_no_arn_is_refused_by_name() {
        for arn in ["x", "arn:aws:iam::me:user/me", "arn:aws:iam::1", "arn:aws:iam:::user/x y"] {
            let error = ask(&format!("login_session = {arn}")).unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
            assert!(error.message().starts_with("`login_session` of profile `x`"), "{error}");
        }
    }
}
