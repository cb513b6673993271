//! What a person sees on a terminal of 80 columns: no line is broken by it, and no colour hides a word on
//! a dark or a light one.
//!
//! `FLEETKEY_SCREENS=FOLDER` writes every screen there as it was sent, to be looked at.

use std::{fs, path::PathBuf};

use crate::support::{Fleet, Program, Terminal};

const COLUMNS: usize = 80;
/// What may be set: bold, and the red, green, magenta and cyan of either kind of terminal. The others are
/// the ground of one or the other, or nearly.
const ATTRIBUTES: [&str; 6] = ["0", "1", "31", "32", "35", "36"];

/// The white and the black that no theme changes: a camera reads no negative.
const PICTURE: &str = "38;5;231;48;5;16";

/// What a program sends to a terminal.
struct Screen {
    name: String,
    sent: String,
}

impl Screen {
    /// Runs it on one, while somebody does that.
    fn of(name: &str, program: &Program, columns: usize, act: impl FnOnce(&Terminal)) -> Self {
        let terminal = Terminal::start_on(program, columns);
        act(&terminal);
        let (_, sent) = terminal.finish();
        let screen = Self { name: format!("{name}-{columns}"), sent };
        if let Some(folder) = std::env::var_os("FLEETKEY_SCREENS") {
            fs::create_dir_all(&folder).unwrap();
            fs::write(PathBuf::from(folder).join(&screen.name), &screen.sent).unwrap();
        }
        screen
    }

    /// The lines that stand there in the end, without attributes.
    fn lines(&self) -> Vec<String> {
        let lines = self.sent.split('\n').map(|line| line.trim_end_matches('\r'));
        // what a later word wrote over, or wiped away, is not seen
        lines.map(|line| plain(line.rsplit('\r').next().unwrap_or_default())).collect()
    }

    fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// Lines that are for reading fit; a word, and what is to be pasted or opened, is as long as it is.
    fn fits(&self, columns: usize) {
        let is_for_reading =
            |line: &&String| line.trim().contains(' ') && !line.starts_with("fleetkey ");
        for line in self.lines().iter().filter(is_for_reading) {
            assert!(line.chars().count() <= columns, "{}: {line}\n{}", self.name, self.text());
        }
        for attributes in self.sent.split("\u{1b}[").skip(1) {
            let (code, _) = attributes.split_once(|c: char| c.is_ascii_alphabetic()).unwrap();
            let is_one = code.split(';').all(|code| ATTRIBUTES.contains(&code) || code.is_empty());
            assert!(is_one || code == PICTURE, "{}: {code:?}", self.name);
        }
    }

    fn is_plain(&self) {
        assert!(!self.sent.contains("\u{1b}["), "{}: {:?}", self.name, self.sent);
    }
}

fn plain(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest)
    })
}

fn idle(_: &Terminal) {}

#[test]
fn a_day_fits_into_eighty_columns_and_shows_on_dark_and_light() {
    let fleet = Fleet::new();
    let on = |name: &str, program: &Program, act: &dyn Fn(&Terminal)| {
        let screen = Screen::of(name, program, COLUMNS, act);
        screen.fits(COLUMNS);
        screen.text()
    };
    let status = fleet.plugin(["status"]).env("TERM", "xterm");
    let identities = fleet.plugin(["status", "--identities"]);
    on("01-status-nobody", &status, &idle);
    let before = on("01-identities-nobody", &identities, &idle);
    let login = fleet.plugin(["login", "--all"]);
    let morning = on("02-login-all", &login, &|_| fleet.signs_in(5));
    assert_eq!(morning.matches("signed in").count() / 5, 1, "{morning}");
    on("03-status", &status, &idle);
    let during = on("03-identities", &identities, &idle);
    on("04-login-again", &login, &idle);
    for words in ["corp", "ops"] {
        assert!(before.contains(words) && during.contains(words), "{before}\n{during}");
    }
    on("06-logout", &fleet.plugin(["logout", "eks-00"]), &idle);
    on("07-status-mixed", &status, &idle);
    let narrow = Screen::of("08-status", &status, 40, idle);
    assert!(narrow.text().contains("\neks-00  "), "{}", narrow.text());
    on("09-logout-all", &fleet.plugin(["logout", "--all"]), &idle);
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let screen = Screen::of(&format!("10-{name}"), &status.clone().env(name, value), 80, idle);
        screen.is_plain();
    }
    // not a terminal: nothing is cut or coloured
    let run = status.run();
    assert!(!run.stdout.contains(['\u{1b}', '…']), "{}", run.stdout);
}

#[test]
fn failures_fit_and_end_with_what_to_type() {
    let fleet = Fleet::new();
    let mut seen = Vec::new();
    let mut on = |name: &str, program: &Program, act: &dyn Fn(&Terminal)| {
        let screen = Screen::of(name, program, COLUMNS, act);
        screen.fits(COLUMNS);
        seen.push((name.to_owned(), screen.text()));
    };
    let all = fleet.plugin(["login", "--all"]);
    on("20-login-declined", &all, &|_| fleet.declines_the_first(5));
    on("21-status-declined", &fleet.plugin(["status"]), &idle);
    on("22-login-nobody", &fleet.plugin(["login"]), &idle);
    on("23-login-stranger", &fleet.plugin(["login", "nobody"]), &idle);
    on("24-logout-nobody", &fleet.plugin(["logout"]), &idle);
    let none = fleet.home.join("none");
    on("25-no-kubeconfig", &fleet.plugin(["status"]).env("KUBECONFIG", &none), &idle);
    let token = ["--tenant-id", &fleet.aks[0].tenant, "--server-id", "s", "--login", "interactive"];
    let get = fleet.plugin(["get-token", "azure"]).args(token).args(["--ask", "never"]);
    on("26-get-token-nobody", &get, &idle);
    on("27-typo", &fleet.plugin(["login", "--al"]), &idle);
    on("28-no-verb", &fleet.plugin(["lgoin"]), &idle);
    for (name, text) in &seen {
        let last = text.trim_end().lines().last().unwrap_or_default();
        assert!(!last.is_empty(), "{name} says nothing");
    }
}

#[test]
fn codes_for_other_devices_fit() {
    let fleet = Fleet::new();
    fleet.sandbox.entra().device_interval(1);
    fleet.sandbox.sso_device_interval(1);
    let login = fleet.plugin(["login", "aks-00", "eks-00", "--device-code"]);
    let screen = Screen::of("30-device-code", &login, COLUMNS, |_| {
        fleet.types_both_codes();
    });
    screen.fits(COLUMNS);
    assert!(screen.sent.contains(PICTURE));
    assert!(screen.text().contains("signed in"), "{}", screen.text());
}
