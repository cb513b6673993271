//! What goes behind an `aws` command that a person is told to type.

use fleetkey_provider::quoted;

/// ` --profile NAME`; nothing for the profile that needs no flag.
pub(crate) fn profile_flag(profile: Option<&str>) -> String {
    profile.map(|name| format!(" --profile {}", quoted(name))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_becomes_a_flag() {
        assert_eq!(profile_flag(Some("a b")), " --profile 'a b'");
        assert_eq!(profile_flag(None), "");
    }
}
