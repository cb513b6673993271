//! Browsers that are lines of `/bin/sh`: they write down what they were given.

use std::path::Path;

use fleetkey_provider::testing::StaticEnv;
use tempfile::TempDir;

use super::*;

const URL: &str = "https://login.example/authorize?a=b&c=$(d)%20e;f'g";

impl Browsers {
    /// Tests open nothing on whoever's desk they run.
    pub(in super::super) fn without_the_systems(mut self) -> Self {
        let systems = ["xdg-open", "open"];
        self.openers.retain(|opener| !systems.iter().any(|name| opener.program.ends_with(name)));
        self
    }
}

/// A script, and the words that run it.
fn script(home: &TempDir, name: &str, lines: &str) -> String {
    let path = home.path().join(name);
    #[allow(clippy::disallowed_methods, reason = "the file is another program's")]
    std::fs::write(&path, lines).unwrap();
    format!("sh {}", path.display())
}

#[allow(clippy::disallowed_methods, reason = "the file is another program's")]
fn given(home: &TempDir, name: &str) -> Option<String> {
    let path: &Path = &home.path().join(name);
    std::fs::read(path).ok().map(|bytes| String::from_utf8(bytes).unwrap())
}

fn browsers(browser: &str, strict: bool) -> Browsers {
    let env = StaticEnv::new([("BROWSER", browser), ("PATH", "/bin:/usr/bin")]);
    Browsers::new(&env, strict).without_the_systems()
}

fn open(browsers: &Browsers) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(browsers.open(&Page::new(URL).unwrap()))
}

#[test]
fn it_gets_the_page_as_one_word_and_no_shell_reads_it() {
    let home = tempfile::tempdir().unwrap();
    let sh = script(&home, "browser", "printf '%s|' \"$@\" >\"$0.given\"");
    let page = "https://login.example/authorize?a=b&c=$(d)%20e;f%27g";
    for (args, expected) in [
        ("", format!("{page}|")),
        (" --new", format!("--new|{page}|")),
        (" --url=%s  -x", format!("--url={page}|-x|")),
        (" ; $HOME", format!(";|$HOME|{page}|")),
    ] {
        assert!(open(&browsers(&format!("{sh}{args}"), false)), "{args}");
        assert_eq!(given(&home, "browser.given").as_deref(), Some(&*expected), "{args}");
    }
}

#[test]
fn one_that_fails_or_is_missing_makes_room_for_the_next() {
    let home = tempfile::tempdir().unwrap();
    let good = script(&home, "good", "printf '%s' \"$1\" >\"$0.given\"");
    assert!(open(&browsers(&format!("no-such-browser:false:./sh:{good}"), false)));
    assert!(given(&home, "good.given").is_some());
    assert!(!open(&browsers("no-such-browser:false", false)));
    assert!(!open(&browsers("", false)));
}

#[test]
fn one_that_stays_has_worked_and_the_next_is_not_tried() {
    let home = tempfile::tempdir().unwrap();
    let stays = script(&home, "stays", "exec sleep 2");
    let next = script(&home, "next", "printf x >\"$0.given\"");
    let mut browsers = browsers(&format!("{stays}:{next}"), false);
    browsers.moment = Duration::from_millis(200);
    assert!(open(&browsers));
    assert_eq!(given(&home, "next.given"), None);
}

#[test]
fn a_program_may_have_blanks_in_its_name() {
    use std::os::unix::fs::symlink;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("my browser");
    symlink("/bin/true", &path).unwrap();
    assert!(open(&browsers(path.to_str().unwrap(), false)));
}

#[test]
fn the_strict_start_nothing_that_a_variable_names() {
    let home = tempfile::tempdir().unwrap();
    let sh = script(&home, "browser", "printf x >\"$0.given\"");
    assert!(!open(&browsers(&sh, true)));
    assert_eq!(given(&home, "browser.given"), None);
}

#[test]
fn pages_of_the_web_are_opened_and_nothing_else() {
    for good in [URL, "http://127.0.0.1:5/x", "http://localhost/", "http://[::1]:5/"] {
        assert!(Page::new(good).is_ok(), "{good}");
    }
    for bad in [
        "http://login.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://user@login.example/",
        "-x",
        "",
        "ms-settings:",
    ] {
        assert!(Page::new(bad).is_err(), "{bad}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn in_a_windows_its_own_browser_comes_first_and_a_url_stays_within_its_quotes() {
    use std::os::unix::fs::OpenOptionsExt;
    let home = tempfile::tempdir().unwrap();
    for name in ["xdg-open", "explorer.exe", "powershell.exe", "wslview"] {
        let mut file = std::fs::OpenOptions::new();
        file.write(true).create_new(true).mode(0o700).open(home.path().join(name)).unwrap();
    }
    let path = home.path().to_str().unwrap();
    let env = StaticEnv::new([("WSL_DISTRO_NAME", "Debian"), ("PATH", path)]);
    let browsers = Browsers::new(&env, false);
    let names: Vec<_> =
        browsers.openers.iter().map(|opener| opener.program.file_name().unwrap()).collect();
    assert_eq!(names, ["wslview", "powershell.exe", "xdg-open", "explorer.exe"]);
    let page = Page::new(URL).unwrap();
    let line = browsers.openers[1].args[3].replace(PAGE, page.as_str());
    assert_eq!(line.matches('\'').count(), 2, "{line}");
}
