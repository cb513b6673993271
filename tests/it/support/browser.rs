//! A browser that opens nothing, and writes down what it was asked to.

use std::{path::PathBuf, process::Command};

use fleetkey_sandbox::Home;

/// Puts it into a home; what it is asked to open stands in `opened` there, a line each.
///
/// Another program writes it: while this process had it open, a program that another test starts at that
/// moment would have it open too, and the system runs no file that somebody may still write.
pub(crate) fn browser(home: &Home) -> PathBuf {
    let text = home.write("browser.sh", SCRIPT).unwrap();
    let browser = home.join("browser");
    let done = Command::new("install").args(["-m", "755"]).arg(text).arg(&browser).status();
    assert!(done.unwrap().success());
    browser
}

const SCRIPT: &str = "#!/bin/sh\nprintf '%s\\n' \"$1\" >> \"$HOME/opened\"\n";
