//! Stand-ins for programs that the plugin starts, `az` and `azd` above all: shell scripts that note how they were
//! called, and then do what the test wants. They use nothing but the shell, so an empty `PATH` does them no harm.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::home::Home;

/// What a stand-in does in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FakeRun {
    /// Prints this to stdout and a newline, and succeeds.
    Print(String),
    /// Prints this to stderr and a newline, and fails with this code.
    Fail(String, u8),
    /// Says nothing for two minutes.
    Hang,
}

impl Home {
    /// Where the stand-ins are: the value of `PATH`.
    pub fn programs(&self) -> PathBuf {
        self.join("bin")
    }

    /// An `az` in [`Home::programs`]. Each run does the next thing of the list, and the last one from then on.
    pub fn fake_az(&self, runs: impl IntoIterator<Item = FakeRun>) -> io::Result<PathBuf> {
        self.fake_program("az", runs)
    }

    /// The same, called `azd`.
    pub fn fake_azd(&self, runs: impl IntoIterator<Item = FakeRun>) -> io::Result<PathBuf> {
        self.fake_program("azd", runs)
    }

    /// The same under any name.
    pub fn fake_program(
        &self,
        name: &str,
        runs: impl IntoIterator<Item = FakeRun>,
    ) -> io::Result<PathBuf> {
        let log = self.log(name);
        let path = self.write(Path::new("bin").join(name), script(name, &log, runs))?;
        self.write(&log, "")?;
        executable(&path)?;
        Ok(path)
    }

    /// How a stand-in was called: the arguments of each run, the first run first.
    pub fn program_runs(&self, name: &str) -> io::Result<Vec<Vec<String>>> {
        let log = fs::read_to_string(self.log(name))?;
        let words = |line: &str| line.split(SEPARATOR).skip(1).map(str::to_owned).collect();
        Ok(log.lines().map(words).collect())
    }

    fn log(&self, name: &str) -> PathBuf {
        self.join("bin").join(format!("{name}.log"))
    }
}

/// One line of log per run, in one write; their number says which run this is.
fn script(name: &str, log: &Path, runs: impl IntoIterator<Item = FakeRun>) -> String {
    let log = quoted(&log.to_string_lossy());
    let mut script = format!(
        "#!/bin/sh\nline={}\nfor argument in \"$@\"; do line=\"$line{SEPARATOR}$argument\"; done\n\
         printf '%s\\n' \"$line\" >> {log}\n\
         run=0\nwhile read -r _; do run=$((run + 1)); done < {log}\n",
        quoted(name)
    );
    let mut runs = runs.into_iter().peekable();
    let mut number = 0;
    while let Some(run) = runs.next() {
        number += 1;
        let action = match run {
            FakeRun::Print(text) => format!("printf '%s\\n' {}; exit 0", quoted(&text)),
            FakeRun::Fail(text, code) => {
                format!("printf '%s\\n' {} >&2; exit {code}", quoted(&text))
            }
            // In place of the shell, so that whoever ends the program ends all of it.
            FakeRun::Hang => "exec /bin/sleep 120".to_owned(),
        };
        if runs.peek().is_some() {
            let _ = writeln!(script, "if [ \"$run\" -le {number} ]; then {action}; fi");
        } else {
            let _ = writeln!(script, "{action}");
        }
    }
    script
}

/// In single quotes, for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(unix)]
fn executable(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
}

#[cfg(not(unix))]
fn executable(_path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Stands between arguments in the log: the unit separator, which no argument has.
const SEPARATOR: char = '\u{1f}';

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use super::*;

    fn run(program: &Path, args: &[&str]) -> Output {
        Command::new(program).args(args).env_clear().output().unwrap()
    }

    #[test]
    fn a_stand_in_notes_how_it_was_called_and_does_what_it_is_told() {
        let home = Home::temporary().unwrap();
        let az = home
            .fake_az([
                FakeRun::Print(r#"{"accessToken": "it's 50% \n $HOME"}"#.into()),
                FakeRun::Fail("ERROR: Please run 'az login'".into(), 1),
            ])
            .unwrap();
        assert_eq!(az, home.programs().join("az"));
        assert!(home.program_runs("az").unwrap().is_empty());
        let first = run(&az, &["account", "get-access-token", "--subscription", "a b  c", ""]);
        assert_eq!(first.status.code(), Some(0));
        assert_eq!(
            String::from_utf8(first.stdout).unwrap(),
            "{\"accessToken\": \"it's 50% \\n $HOME\"}\n"
        );
        for _ in 0..2 {
            let next = run(&az, &["version"]);
            assert_eq!((next.status.code(), next.stdout.as_slice()), (Some(1), &b""[..]));
            assert_eq!(next.stderr, b"ERROR: Please run 'az login'\n");
        }
        let runs = home.program_runs("az").unwrap();
        assert_eq!(runs[0], ["account", "get-access-token", "--subscription", "a b  c", ""]);
        assert_eq!((runs.len(), runs[2].as_slice()), (3, &["version".to_owned()][..]));
    }

    #[test]
    fn one_that_hangs_ends_when_it_is_ended() {
        let home = Home::temporary().unwrap();
        let azd = home.fake_azd([FakeRun::Hang]).unwrap();
        let mut child = Command::new(azd).arg("auth").spawn().unwrap();
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
