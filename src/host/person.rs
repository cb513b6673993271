//! The person at the desk: whether there is one, and how they may be asked.

use fleetkey_provider::{Host, Person, SignIn};

use super::system::{DESKTOP, Desktop};
use crate::options::Ask;

/// What is known of the desk this runs at. A browser needs a desktop and must not open in CI; the
/// terminal needs one, and a client that does not forbid it (`spec.interactive`).
pub(crate) struct Desk {
    ask: Option<Ask>,
    interactive: bool,
    desktop: bool,
}

impl Desk {
    /// `--ask` decides; without it, what is there.
    pub(crate) fn new(ask: Option<Ask>, interactive: Option<bool>, host: &Host) -> Self {
        let set = |name: &str| host.path_var(name).is_some();
        let desktop = match DESKTOP {
            Desktop::Always => true,
            Desktop::Variables(names) => names.iter().any(|name| set(name)),
        };
        Self { ask, interactive: interactive != Some(false), desktop: desktop && !set("CI") }
    }
}

impl Person for Desk {
    fn may_be_asked(&self) -> Option<SignIn> {
        let found = || {
            let terminal = || self.interactive && super::stderr_is_terminal();
            if self.desktop {
                Some(SignIn::Browser)
            } else {
                terminal().then_some(SignIn::Terminal)
            }
        };
        match self.ask {
            Some(Ask::Never) => None,
            Some(Ask::Terminal) => Some(SignIn::Terminal),
            Some(Ask::Browser) => Some(SignIn::Browser),
            None => found(),
        }
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticEnv;

    use super::*;

    fn desk(ask: Option<Ask>, env: &[(&str, &str)]) -> Option<SignIn> {
        let host = Host { env: Box::new(StaticEnv::new(env.iter().copied())), ..Host::refusing() };
        Desk::new(ask, Some(false), &host).may_be_asked()
    }

    #[test]
    fn the_flag_decides() {
        assert_eq!(desk(Some(Ask::Never), &[("DISPLAY", ":0")]), None);
        assert_eq!(desk(Some(Ask::Browser), &[("CI", "true")]), Some(SignIn::Browser));
        assert_eq!(desk(Some(Ask::Terminal), &[]), Some(SignIn::Terminal));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_browser_needs_a_desktop_and_no_ci() {
        assert_eq!(desk(None, &[("DISPLAY", ":0")]), Some(SignIn::Browser));
        assert_eq!(desk(None, &[("DISPLAY", ":0"), ("CI", "true")]), None);
        assert_eq!(desk(None, &[]), None);
    }
}
