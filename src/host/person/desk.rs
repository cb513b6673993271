//! Whether there is a desk with a person at it, and how they may be asked.

use std::ffi::OsString;

use fleetkey_provider::{Env, Error, Host, Landing, Means, Person, Result, SecretString, Trust};

use super::{
    browser::{self, Browsers},
    keyboard::Keyboard,
    landing::Loopback,
    voice::Voice,
};
use crate::{
    folders,
    host::{
        colour, programs,
        system::{DESKTOP, Desktop},
    },
    options::Ask,
    trust::FileTrust,
};

const CI: &str = "CI";
/// A variable that is set to say no.
const NO: [&str; 3] = ["", "0", "false"];
/// Somebody came over the network, and what opens here is seen elsewhere or by nobody.
const SSH_CONNECTION: &str = "SSH_CONNECTION";
/// What a desktop shows on, or is forwarded to.
const DISPLAYS: [&str; 2] = ["DISPLAY", "WAYLAND_DISPLAY"];

/// What is known of the desk this runs at. A browser needs a desktop and must not open in CI;
/// what is told needs a terminal behind stderr. A client's `spec.interactive` is about standard input,
/// which nobody here reads; but a client that says no may have the keyboard for itself, so nobody is
/// asked to type then.
pub(crate) struct Desk {
    ask: Option<Ask>,
    interactive: Option<bool>,
    has_keyboard: fn() -> bool,
    env: Variables,
    trust: FileTrust,
    voice: Voice,
}

impl Desk {
    /// `--ask` decides; without it, what is there. Looks at nothing before it is asked: most runs
    /// ask nobody. `interactive` is what the client said, if one did.
    pub(crate) fn new(ask: Option<Ask>, interactive: Option<bool>, host: &Host) -> Self {
        Self {
            ask,
            interactive,
            has_keyboard: || Keyboard::open().is_some(),
            env: Variables::of(host),
            trust: FileTrust::new(folders::config(host)),
            voice: Voice::stderr(),
        }
    }

    /// Whether a browser that opens here is seen by whoever waits.
    fn is_desktop(&self) -> bool {
        if self.env.var(CI).is_some_and(|value| !NO.iter().any(|no| value == *no)) {
            return false;
        }
        // settings that cannot be read are the strict ones; who lands here is told why
        let strict = self.trust.is_strict().unwrap_or(true);
        let browsers = || Browsers::new(&self.env, strict).are_there();
        if !strict && self.env.is_set(browser::BROWSER) {
            return browsers();
        }
        let shows = DISPLAYS.iter().any(|name| self.env.is_set(name));
        let here = match DESKTOP {
            Desktop::Always => true,
            Desktop::Variables(names) => names.iter().any(|name| self.env.is_set(name)),
        };
        let near = shows || !self.env.is_set(SSH_CONNECTION);
        near && (here && browsers() || browser::is_next_door(&self.env))
    }
}

impl Person for Desk {
    fn means(&self) -> Means {
        let terminal = crate::host::stderr_is_terminal;
        let keyboard = || self.interactive != Some(false) && (self.has_keyboard)();
        match self.ask {
            Some(Ask::Never) => Means::default(),
            Some(Ask::Terminal) => {
                Means { browser: false, terminal: true, keyboard: (self.has_keyboard)() }
            }
            Some(Ask::Browser) => {
                Means { browser: true, terminal: terminal(), keyboard: keyboard() }
            }
            None => {
                Means { browser: self.is_desktop(), terminal: terminal(), keyboard: keyboard() }
            }
        }
    }

    fn tell(&self, text: &str) {
        self.voice.say(text);
    }

    fn draw(&self, blocks: &str) {
        self.voice.draw(blocks, colour::may_colour(&self.env));
    }

    fn was_asked(&self) -> bool {
        self.voice.was_heard()
    }

    fn ask(&self, prompt: &str) -> Result<SecretString> {
        let keyboard = Keyboard::open()
            .ok_or_else(|| Error::sign_in_needed("there is no terminal to type on"))?;
        keyboard.prompt(prompt)?;
        self.voice.hear();
        keyboard.line()
    }

    fn land(&self, port: Option<u16>) -> Result<Box<dyn Landing>> {
        let browsers = Browsers::new(&self.env, self.trust.is_strict()?);
        Ok(Box::new(Loopback::bind(port, browsers, self.voice.clone())?))
    }
}

/// The variables that matter here.
struct Variables(Vec<(&'static str, OsString)>);

impl Variables {
    fn of(host: &Host) -> Self {
        let names = [CI, SSH_CONNECTION, browser::BROWSER].into_iter().chain(DISPLAYS);
        let names = names.chain(browser::VARIABLES.iter().copied()).chain(programs::VARIABLES);
        let names = names.chain(colour::VARIABLES);
        Self(names.filter_map(|name| Some((name, host.env.var(name)?))).collect())
    }

    fn is_set(&self, name: &str) -> bool {
        self.var(name).is_some_and(|value| !value.is_empty())
    }
}

impl Env for Variables {
    fn var(&self, name: &str) -> Option<OsString> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticEnv;

    use super::*;

    fn desk(ask: Option<Ask>, env: &[(&str, &str)]) -> Means {
        let host = Host { env: Box::new(StaticEnv::new(env.iter().copied())), ..Host::refusing() };
        Desk { has_keyboard: || false, ..Desk::new(ask, None, &host) }.means()
    }

    /// The same where these programs are.
    #[cfg(unix)]
    fn desk_with(programs: &[&str], env: &[(&str, &str)]) -> bool {
        use std::os::unix::fs::OpenOptionsExt;
        let home = tempfile::tempdir().unwrap();
        for program in programs {
            let mut file = std::fs::OpenOptions::new();
            file.write(true).create_new(true).mode(0o700).open(home.path().join(program)).unwrap();
        }
        let path = [("PATH", home.path().to_str().unwrap())];
        desk(None, &[env, &path].concat()).browser
    }

    #[test]
    fn the_flag_decides() {
        assert_eq!(desk(Some(Ask::Never), &[("DISPLAY", ":0")]), Means::default());
        assert!(desk(Some(Ask::Browser), &[("CI", "true")]).browser);
        let terminal = Means { browser: false, terminal: true, keyboard: false };
        assert_eq!(desk(Some(Ask::Terminal), &[]), terminal);
    }

    #[test]
    fn somebody_types_where_a_terminal_opens_and_the_client_does_not_forbid_it() {
        let host = Host::refusing();
        let types = |ask, interactive, has_keyboard| {
            Desk { has_keyboard, ..Desk::new(ask, interactive, &host) }.means().keyboard
        };
        for ask in [None, Some(Ask::Browser)] {
            assert!(types(ask, None, || true) && types(ask, Some(true), || true));
            assert!(!types(ask, Some(false), || true) && !types(ask, None, || false));
        }
        assert!(types(Some(Ask::Terminal), Some(false), || true), "the flag is a person's word");
        assert!(!types(Some(Ask::Terminal), None, || false));
        assert!(!types(Some(Ask::Never), Some(true), || true));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_browser_needs_a_desktop_and_a_way_to_open_one_and_no_ci() {
        let open = ["xdg-open"];
        assert!(desk_with(&open, &[("DISPLAY", ":0")]));
        assert!(!desk_with(&[], &[("DISPLAY", ":0")]), "nothing opens a page");
        for ci in ["true", "1", "anything"] {
            assert!(!desk_with(&open, &[("DISPLAY", ":0"), ("CI", ci)]), "{ci}");
        }
        for no in ["", "0", "false"] {
            assert!(desk_with(&open, &[("DISPLAY", ":0"), ("CI", no)]), "{no}");
        }
        assert!(!desk_with(&open, &[]));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn over_the_network_it_takes_a_display_that_is_forwarded() {
        let ssh = ("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22");
        assert!(!desk_with(&["xdg-open"], &[ssh]));
        assert!(desk_with(&["xdg-open"], &[ssh, ("DISPLAY", "localhost:10.0")]));
    }

    #[test]
    #[cfg(unix)]
    fn a_browser_somebody_named_is_one_if_it_is_there_but_not_in_ci() {
        let named = ("BROWSER", "lynx");
        let ssh = ("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22");
        assert!(desk_with(&["lynx"], &[named, ssh]));
        assert!(!desk_with(&[], &[named, ssh]));
        assert!(!desk_with(&["lynx"], &[named, ("CI", "1")]));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_windows_next_door_is_a_desktop_if_there_is_a_way_to_it() {
        use std::os::unix::fs::OpenOptionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = ("PATH", home.path().to_str().unwrap());
        let name = ("WSL_DISTRO_NAME", "Debian");
        assert!(!desk(None, &[name, path]).browser);
        let mut file = std::fs::OpenOptions::new();
        file.write(true).create_new(true).mode(0o700).open(home.path().join("wslview")).unwrap();
        assert!(desk(None, &[name, path]).browser);
        assert!(!desk(None, &[name, path, ("SSH_CONNECTION", "x")]).browser);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_strict_ignore_a_browser_somebody_named() {
        use crate::host::{PrivateDir, Store};
        let home = tempfile::tempdir().unwrap();
        let env = [("BROWSER", "lynx"), ("XDG_CONFIG_HOME", home.path().to_str().unwrap())];
        assert!(desk_with(&["lynx"], &env));
        let settings = PrivateDir::new(home.path().join("fleetkey"));
        settings.replace("config.toml", b"strict = true\n").unwrap();
        assert!(!desk_with(&["lynx"], &env));
    }
}
