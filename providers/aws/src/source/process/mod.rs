//! Keys that another program is asked for: `credential_process`.
//!
//! Whoever can write that line can run anything as whoever uses the profile, so it counts only in
//! files of one's own. The program is run without a shell and without a terminal. What it says is
//! passed on only if it fails: some programs chat, and some clients take any word for a failure.

mod words;

use std::{path::PathBuf, time::Duration};

use fleetkey_provider::{
    CredentialKey, Error, ExposeSecret, Fingerprint, Finished, Host, Program, Result, quoted, shown,
};

use super::lent::{Lender, Lent};
use crate::{
    clock::Offset, errors::Asker, keys::Keys, plan, profiles::Profiles, shell::profile_flag,
};

/// How long a program may take. It may ask its own network.
const LIMIT: Duration = Duration::from_secs(30);

/// Keys that another program is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    profile: String,
    /// The line as a whole: what tells two of them apart.
    line: Fingerprint,
    name: String,
    args: Vec<String>,
    /// The files that made the profile.
    files: Vec<PathBuf>,
}

impl Process {
    /// The program of a profile, if nobody else can have written its name there.
    pub(crate) fn open(plan: plan::Process, profiles: &Profiles, host: &Host) -> Result<Self> {
        let plan::Process { profile, line } = plan;
        let files: Vec<_> = profiles.read().map(ToOwned::to_owned).collect();
        for file in &files {
            if !host.files.is_own(file)? {
                let path = file.to_string_lossy();
                return Err(Error::config(format!("{} is not run", of(&profile)))
                    .because(format!(
                        "`{}` belongs to another user, who could run anything here as you",
                        shown(&path)
                    ))
                    .next(format!("ls -l {}", quoted(&path))));
            }
        }
        let wrong = |why: &str| {
            Err(Error::config(format!("{} is no command line", of(&profile))).because(why))
        };
        let mut words = match words::split(&line) {
            Ok(words) => words.into_iter(),
            Err(why) => return wrong(why),
        };
        match words.next() {
            Some(name) if !name.is_empty() => Ok(Self {
                line: Fingerprint::of(line.as_bytes()),
                name,
                args: words.collect(),
                files,
                profile,
            }),
            _ => wrong("it names no program"),
        }
    }

    /// The line and where it stands: another profile's program may be told by it who asks.
    pub(crate) fn key(&self, key: &mut CredentialKey) {
        let Self { profile, line, name: _, args: _, files } = self;
        key.field("process", &line.to_string());
        key.field("process profile", profile);
        for file in files {
            key.field("process file", &file.to_string_lossy());
        }
    }

    /// How long it may take.
    pub(crate) fn patience() -> Duration {
        LIMIT
    }

    /// Runs it.
    pub(crate) async fn obtain(&self, host: &Host) -> Result<Keys> {
        let Self { name, args, .. } = self;
        let program = shown(name);
        if !host.programs.find(name) {
            return Err(Error::config(format!("there is no program `{program}`"))
                .because(format!(
                    "{} names it; it is looked for at an absolute path, or in the absolute folders \
                     of PATH",
                    self.of()
                ))
                .next(format!("command -v {}", quoted(name))));
        }
        host.notes.note(&format!("running `{program}`, {}", self.of()));
        let (name, args) = (name.clone(), args.clone());
        let program = Program { name, args, env: Vec::new(), limit: LIMIT };
        let finished = host.programs.run(&program).await?;
        if !finished.is_success() {
            return Err(self.failed(&finished));
        }
        let lent =
            Lent::read(finished.stdout.expose_secret().as_bytes(), Lender::Program(self.of()))?;
        if lent.version() != Some(1) {
            return Err(Error::failed(format!("the answer of {} was not understood", self.of()))
                .because("its `Version` has to be the number 1"));
        }
        lent.keys(Offset::default(), host)
    }

    /// As a person would say it.
    pub(crate) fn describe(&self) -> String {
        self.of()
    }

    /// Who asks with its keys.
    pub(crate) fn asker(&self) -> Asker {
        Asker {
            who: format!("profile `{}`", shown(&self.profile)),
            profile: Some(self.profile.clone()),
            sign_in: None,
        }
    }

    fn of(&self) -> String {
        of(&self.profile)
    }

    fn failed(&self, finished: &Finished) -> Error {
        let ended = match finished.code {
            Some(code) => format!("it ended with {code}"),
            None => "a signal ended it".into(),
        };
        let said = last_lines(&finished.stderr);
        let cause = if said.is_empty() {
            format!("{ended}, without a word")
        } else {
            format!("{ended}: {said}")
        };
        Error::failed(format!("{} failed", self.of()))
            .because(cause)
            .next(format!("aws sts get-caller-identity{}", profile_flag(Some(&self.profile))))
    }
}

fn of(profile: &str) -> String {
    format!("`credential_process` of profile `{}`", shown(profile))
}

/// The last of what it said, on one line.
fn last_lines(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut last: Vec<_> = lines.rev().take(LINES).map(shown).collect();
    last.reverse();
    last.join(" / ")
}

/// How many lines of what a program said are passed on.
const LINES: usize = 3;

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        Files, Kind,
        testing::{ScriptedPrograms, StaticFiles},
    };
    use std::path::Path;

    use super::*;
    use crate::testing::{ROLE, World};

    const LINE: &str = "/opt/lend --for 'a b' $HOME";
    const ANSWER: &str = r#"{"Version":1,"AccessKeyId":"ASIAPROC","SecretAccessKey":"hunter2",
        "SessionToken":"t","Expiration":"2026-01-02T04:04:05Z","AccountId":"1"}"#;

    fn world(line: &str) -> World {
        World::new().file(
            "/home/.aws/credentials",
            &format!(
                "[p]\ncredential_process = {line}\n\
                 [over]\nrole_arn = {ROLE}\nsource_profile = p\n"
            ),
        )
    }

    fn ends(code: i32, stdout: &str, stderr: &str) -> ScriptedPrograms {
        ScriptedPrograms::default().with("/opt/lend", code, stdout, stderr)
    }

    #[test]
    fn a_program_lends_keys_until_they_end_and_roles_stand_on_them() {
        let programs = ends(0, ANSWER, "chatter");
        let world = world(LINE).programs(&programs);
        let request = world.ask("--profile p").unwrap();
        assert_eq!(request.describe(), "`credential_process` of profile `p`");
        assert_eq!(request.patience(), Some(Duration::from_secs(30)));
        let credential = world.lend(request.as_ref()).unwrap();
        assert_eq!(credential.expires(), "2026-01-02T04:04:05Z".parse().ok());
        let [started] = &programs.started()[..] else { panic!("one program") };
        assert_eq!(started.name, "/opt/lend");
        assert_eq!(started.args, ["--for", "a b", "$HOME"]);
        assert_eq!(started.limit, LIMIT);
        assert!(!world.notes.lines().join("").contains("chatter"));

        world.sts_lends("AssumeRole");
        let over = world.ask("--profile over").unwrap();
        assert_eq!(over.patience(), None, "only the step that runs it is waited for");
        world.lend(over.as_ref()).unwrap();
        assert!(world.forms()[0].contains(ROLE));
    }

    #[test]
    fn keys_without_an_end_are_not_kept() {
        let answer = r#"{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"s"}"#;
        let world = world(LINE).programs(&ends(0, answer, ""));
        let credential = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap();
        assert_eq!(credential.expires(), None);
    }

    #[test]
    fn another_line_or_another_profile_is_another_credential() {
        let print = |world: &World| world.ask("--profile p").unwrap().fingerprint().to_string();
        assert_ne!(print(&world(LINE)), print(&world("/opt/lend --for x")));
        let moved = |path| {
            let text = format!("[p]\ncredential_process = {LINE}\n");
            World::new().env(&[("AWS_SHARED_CREDENTIALS_FILE", path)]).file(path, &text)
        };
        assert_ne!(print(&moved("/a")), print(&moved("/b")));
    }

    #[test]
    fn what_it_says_is_passed_on_when_it_fails_and_moves_no_cursor() {
        for (finished, words) in [
            (ends(3, "", "one\ntwo\n\nthree\u{1b}[2J\nfour\n"), "it ended with 3: two / three"),
            (ends(1, "hunter2", ""), "it ended with 1, without a word"),
        ] {
            let world = world(LINE).programs(&finished);
            let error = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap_err();
            assert_eq!(error.message(), "`credential_process` of profile `p` failed");
            assert!(error.cause().unwrap().starts_with(words), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
            assert_eq!(error.next_line(), Some("aws sts get-caller-identity --profile p"));
        }
    }

    #[test]
    fn an_answer_of_another_form_says_what_is_wrong_with_it() {
        for (answer, words) in [
            ("hunter2", "no JSON"),
            (r#"{"Version":1,"AccessKeyId":"A"}"#, "`SecretAccessKey` is missing"),
            (&ANSWER.replace(":1,", ":2,"), "`Version` has to be the number 1"),
            (&ANSWER.replace(":1,", ":\"1\","), "`Version` has to be the number 1"),
            (&ANSWER.replace("T04", "T03"), "is over already"),
        ] {
            let world = world(LINE).programs(&ends(0, answer, ""));
            let error = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap_err();
            assert_eq!(error.kind(), Kind::Failed, "{error}");
            assert!(error.to_string().contains(words), "{answer}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_run_is_told_before_anything_runs() {
        for (line, words) in
            [("/opt/lend 'x", "a quote in it is not closed"), ("'' x", "it names no program")]
        {
            let error = world(line).ask("--profile p").unwrap_err();
            assert!(error.to_string().contains(words), "{line}: {error}");
        }
        let world = world("lend --x").programs(&ends(0, ANSWER, ""));
        let error = world.lend(world.ask("--profile p").unwrap().as_ref()).unwrap_err();
        assert_eq!(error.message(), "there is no program `lend`");
        assert_eq!(error.next_line(), Some("command -v lend"));
    }

    /// Files of which one is somebody else's.
    struct Foreign(StaticFiles, &'static str);

    impl Files for Foreign {
        fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
            self.0.read(path)
        }
        fn stamp(&self, path: &Path) -> Option<i128> {
            self.0.stamp(path)
        }
        fn is_own(&self, path: &Path) -> Result<bool> {
            Ok(path != Path::new(self.1))
        }
    }

    #[test]
    fn nobody_elses_file_runs_anything() {
        let config = "/home/.aws/config";
        let credentials = "/home/.aws/credentials";
        let text = format!("[p]\ncredential_process = {LINE}\n");
        let files = StaticFiles::new([(config, ""), (credentials, text.as_str())]);
        for foreign in [config, credentials] {
            let files = Box::new(Foreign(files.clone(), foreign));
            let host = Host { files, ..world(LINE).host() };
            let error = World::ask_on("--profile p", &host).unwrap_err();
            assert_eq!(error.message(), "`credential_process` of profile `p` is not run");
            assert!(error.cause().unwrap().contains(foreign), "{error}");
            assert_eq!(error.next_line(), Some(format!("ls -l {foreign}").as_str()));
        }
    }
}
