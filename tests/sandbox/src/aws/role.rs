//! A role and its trust policy: who may assume it, and on what conditions.

use std::time::Duration;

use crate::aws::accounts::Identity;

/// A role that can be assumed. Without further words: by anybody with known credentials, for up to an hour.
#[derive(Clone, Debug)]
pub struct Role {
    pub(crate) arn: String,
    external_id: Option<String>,
    principals: Vec<String>,
    subjects: Vec<String>,
    mfa: bool,
    pub(crate) max_session: Duration,
}

impl Role {
    /// `arn:aws:iam::ACCOUNT:role/NAME`.
    pub fn new(arn: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            external_id: None,
            principals: Vec::new(),
            subjects: Vec::new(),
            mfa: false,
            max_session: Duration::from_hours(1),
        }
    }

    /// Only with this external id.
    #[must_use]
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// Only by this principal, or others named so: the ARN of a user, a role, a session of one, or an account's root.
    #[must_use]
    pub fn trusts(mut self, principal: impl Into<String>) -> Self {
        self.principals.push(principal.into());
        self
    }

    /// Only for this subject of a web identity token, or others named so.
    #[must_use]
    pub fn trusts_subject(mut self, subject: impl Into<String>) -> Self {
        self.subjects.push(subject.into());
        self
    }

    /// Only after multi-factor authentication (`aws:MultiFactorAuthPresent`): with a code, or with a session that was got
    /// for one.
    #[must_use]
    pub fn requires_mfa(mut self) -> Self {
        self.mfa = true;
        self
    }

    /// The longest session, at most twelve hours.
    #[must_use]
    pub fn max_session(mut self, longest: Duration) -> Self {
        self.max_session = longest.min(Duration::from_hours(12));
        self
    }

    pub(crate) fn admits(&self, caller: &Identity, external_id: Option<&str>, mfa: bool) -> bool {
        let root = format!(":iam::{}:root", caller.account);
        let known = |principal: &String| {
            *principal == caller.arn
                || principal.ends_with(&root)
                || *principal == caller.canonical_arn
                // a role with a path is named with it in a policy, and without it everywhere else
                || (caller.session_name.is_some() && Identity::assumed(principal, "x").canonical_arn == caller.canonical_arn)
        };
        (self.principals.is_empty() || self.principals.iter().any(known))
            && self.external_id.as_deref().is_none_or(|required| external_id == Some(required))
            && (mfa || !self.mfa)
    }

    pub(crate) fn admits_subject(&self, subject: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|trusted| trusted == subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_by_name_external_id_and_second_factor() {
        let caller = Identity::assumed("arn:aws:iam::1:role/path/Base", "me");
        let role = Role::new("arn:aws:iam::2:role/R").external_id("e");
        assert!(role.admits(&caller, Some("e"), false));
        assert!(!role.admits(&caller, Some("f"), false) && !role.admits(&caller, None, false));
        for principal in
            ["arn:aws:iam::1:role/path/Base", "arn:aws:iam::1:root", caller.arn.as_str()]
        {
            assert!(Role::new("r").trusts(principal).admits(&caller, None, false), "{principal}");
        }
        assert!(!Role::new("r").trusts("arn:aws:iam::1:role/Other").admits(&caller, None, false));
        assert!(!Role::new("r").requires_mfa().admits(&caller, None, false));
    }
}
