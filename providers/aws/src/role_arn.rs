//! The ARN of an IAM role, checked where it enters and taken apart once.
//!
//! STS answers a mistyped ARN with `AccessDenied`, as if the role existed and were forbidden, so
//! what can be seen here is said here.

use std::fmt;

use fleetkey_provider::{Error, Result, Rule, shown};

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct RoleArn(String);

impl RoleArn {
    /// Checks an ARN; `from` names the flag, variable or profile key it came from.
    pub(crate) fn new(from: &str, text: &str) -> Result<Self> {
        RULE.check(from, text)?;
        let wrong = |cause: &str| {
            Error::config(format!("{from} is not {}: `{}`", RULE.what, shown(text))).because(cause)
        };
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts[..] else {
            return Err(wrong(SHAPE));
        };
        if service == "sts" && resource.starts_with("assumed-role/") {
            return Err(wrong("it names one session of a role; the role's own ARN is meant"));
        }
        if service != "iam" || !region.is_empty() || !is_partition(partition) {
            return Err(wrong(SHAPE));
        }
        if account.is_empty() || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong("the account in it is not a number"));
        }
        let Some(path) = resource.strip_prefix("role/") else {
            let kind = resource.split('/').next().unwrap_or_default();
            return Err(wrong(&format!("it names a `{}`, not a `role`", shown(kind))));
        };
        if path.rsplit('/').next().is_none_or(str::is_empty) {
            return Err(wrong("it ends before the role's name"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole of it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The account the role lives in.
    pub(crate) fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }

    /// The role's name, without its path.
    pub(crate) fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

/// As a person would say it: `role eks-prod in 123456789012`.
impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "role {} in {}", self.name(), self.account())
    }
}

impl fmt::Debug for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `aws`, `aws-cn`, `aws-iso-b`: new ones appear, so the shape is checked and not a list.
fn is_partition(text: &str) -> bool {
    text.starts_with("aws") && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

const SHAPE: &str = "it should read `arn:PARTITION:iam::ACCOUNT:role/NAME`";

const RULE: Rule = Rule {
    what: "a role's ARN",
    min: 1,
    max: 2048,
    allows: |c| c.is_ascii_graphic(),
    allowed: "visible ASCII characters",
};

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        RoleArn::new("`--role-arn`", text).unwrap_err().to_string()
    }

    #[test]
    fn a_role_is_taken_apart() {
        let role = RoleArn::new("`x`", "arn:aws-cn:iam::123456789012:role/a/b/eks-prod").unwrap();
        assert_eq!(role.account(), "123456789012");
        assert_eq!(role.name(), "eks-prod");
        assert_eq!(role.to_string(), "role eks-prod in 123456789012");
        assert_eq!(role.as_str(), "arn:aws-cn:iam::123456789012:role/a/b/eks-prod");
    }

    #[test]
    fn what_is_no_role_says_why_and_names_the_flag() {
        for (text, words) in [
            ("", "shorter than"),
            ("eks-prod", "it should read"),
            ("arn:foo", "it should read"),
            ("arn:aws:iam::123456789012:user/me", "names a `user`, not a `role`"),
            ("arn:aws:iam::123456789012:role/", "before the role's name"),
            ("arn:aws:iam::123456789012:role/a/", "before the role's name"),
            ("arn:aws:iam::12345678901x:role/a", "not a number"),
            ("arn:aws:iam:::role/a", "not a number"),
            ("arn:aws:iam:us-east-1:123456789012:role/a", "it should read"),
            ("arn:aws:sts::123456789012:assumed-role/a/me", "one session of a role"),
            ("arn:gcp:iam::123456789012:role/a", "it should read"),
            ("arn:aws:iam::123456789012:role/a b", "` ` may not stand in it"),
            ("arn:aws:iam::123456789012:role/a\n", "may not stand in it"),
        ] {
            let error = why(text);
            assert!(error.starts_with("`--role-arn` is not a role's ARN"), "{error}");
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(why(&format!("arn:aws:iam::1:role/{}", "x".repeat(2048))).contains("longer than"));
    }
}
