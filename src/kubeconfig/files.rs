//! Which files a kubeconfig is, and changing one of them: under kubectl's lock, whole or not at all.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fleetkey_provider::{Error, Host, Result, quoted, shown};

use crate::{host::KubeconfigLock, lock};

const KUBECONFIG: &str = "KUBECONFIG";
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
/// No fleet needs more; a file this large has gone wrong.
const LARGEST: u64 = 1 << 28;
/// kubectl holds its lock for a moment.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long a file that somebody has locked is not read; one that was left behind locks nothing.
const LONGEST_UNREAD: Duration = Duration::from_secs(1);

/// The files, as clients choose them: the one that is named, or those of `KUBECONFIG`, or
/// `~/.kube/config`. They need not be there.
pub(crate) fn named(flag: Option<&Path>, host: &Host) -> Result<Vec<PathBuf>> {
    if let Some(path) = flag {
        return Ok(vec![absolute(path)]);
    }
    let variable = host.env.var(KUBECONFIG).unwrap_or_default();
    let mut files: Vec<PathBuf> = Vec::new();
    for path in std::env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty()) {
        let path = absolute(&path);
        if !files.contains(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        let home = host.path_var(HOME).ok_or_else(|| {
            Error::config("there is no kubeconfig to look at")
                .because(format!("neither `{KUBECONFIG}` nor `{HOME}` is set"))
                .next("fleetkey kubeconfig convert --dry-run --kubeconfig FILE")
        })?;
        files.push(home.join(".kube").join("config"));
    }
    Ok(files)
}

/// A path that somebody typed is meant from where they are, as by clients.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The text of a kubeconfig; `None` if there is no such file. kubectl writes in place, under its lock: while
/// that is there, or the file changes under our eyes, it is read again.
pub(crate) fn read(path: &Path, host: &Host) -> Result<Option<String>> {
    let lock = KubeconfigLock::beside(path);
    let mut waited = Duration::ZERO;
    loop {
        let stamp = host.files.stamp(path);
        let text = read_now(path, host).map(|found| found.map(|(text, _)| text));
        let is_settled = !KubeconfigLock::is_there(&lock) && host.files.stamp(path) == stamp;
        if is_settled || waited >= LONGEST_UNREAD {
            return text;
        }
        let pause = lock::pause(host);
        host.clock.pause(pause);
        waited += pause;
    }
}

/// The text without the mark, and whether one stands before it.
fn read_now(path: &Path, host: &Host) -> Result<Option<(String, bool)>> {
    let Some(bytes) = host.files.read_large(path, LARGEST)? else { return Ok(None) };
    // clients read past a mark that some editors put first
    let is_marked = bytes.starts_with(MARK.as_bytes());
    let text = match bytes.strip_prefix(MARK.as_bytes()) {
        Some(rest) => String::from_utf8(rest.to_owned()),
        None => String::from_utf8(bytes),
    };
    text.map(|text| Some((text, is_marked))).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = String::from_utf8_lossy(&error.as_bytes()[..at]).matches('\n').count() + 1;
        let path = path.to_string_lossy();
        Error::config(format!("`{}` is not a kubeconfig, line {line}", shown(&path)))
            .because("it is not UTF-8 text")
            .next(format!("sed -n {line}p {}", quoted(&path)))
    })
}

/// The byte order mark that PowerShell writes first.
const MARK: &str = "\u{feff}";

/// Changes a file under its lock: hands over what stands there now, and writes what comes back, if
/// anything does. Mode, owner and links stay.
pub(crate) fn change<T>(
    path: &Path,
    host: &Host,
    change: impl FnOnce(Option<String>) -> Result<(Option<String>, T)>,
) -> Result<T> {
    change_and(path, host, change, |_| Ok(()))
}

/// The same, and what is to be done about it once it is written, before anybody else changes the file.
pub(crate) fn change_and<T>(
    path: &Path,
    host: &Host,
    change: impl FnOnce(Option<String>) -> Result<(Option<String>, T)>,
    once_written: impl FnOnce(&T) -> Result<()>,
) -> Result<T> {
    let real = host.files.real(path);
    let _named = locked(path, host)?;
    // who works on the file by its other name has another lock
    let is_one = KubeconfigLock::place(&real) == KubeconfigLock::place(path);
    let _real = if is_one { None } else { Some(locked(&real, host)?) };
    let found = read_now(path, host)?;
    let is_marked = found.as_ref().is_some_and(|(_, is_marked)| *is_marked);
    let (new, done) = change(found.map(|(text, _)| text))?;
    if let Some(new) = new {
        let new = if is_marked { [MARK, &new].concat() } else { new };
        if host.files.has_other_names(path) {
            let path = shown(&path.to_string_lossy());
            host.notes.warn(&format!(
                "`{path}` has another name, a hard link, under which stands what was there before"
            ));
        }
        host.files.replace(path, new.as_bytes())?;
    }
    once_written(&done)?;
    Ok(done)
}

fn locked(path: &Path, host: &Host) -> Result<KubeconfigLock> {
    let named = KubeconfigLock::beside(path);
    let shown_path = shown(&named.to_string_lossy());
    let list = format!("ls -l {}", quoted(&named.to_string_lossy()));
    let mut waited = Duration::ZERO;
    loop {
        match KubeconfigLock::take(path) {
            Ok(Some(lock)) => return Ok(lock),
            Ok(None) if waited >= LONGEST_WAIT => {
                return Err(Error::unavailable(format!("`{shown_path}` is another program's lock"))
                    .because(format!(
                        "it is still there after {} s; if no program changes the kubeconfig now, it was left \
                         behind and can be removed",
                        LONGEST_WAIT.as_secs()
                    ))
                    .next(list));
            }
            Ok(None) => {
                let pause = lock::pause(host);
                host.clock.pause(pause);
                waited += pause;
            }
            Err(error) => {
                return Err(Error::failed(format!("`{shown_path}` could not be made"))
                    .because(error.to_string())
                    .next(list));
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "what others do to the files")]

    use std::fs;

    use fleetkey_provider::testing::{KeptNotes, ManualClock, StaticEnv};

    use super::*;

    fn host(env: &[(&str, &str)]) -> Host {
        Host {
            env: Box::new(StaticEnv::new(env.iter().copied())),
            clock: Box::new(ManualClock::at("2026-01-02T03:04:05Z")),
            files: crate::host::other_files(),
            ..Host::refusing()
        }
    }

    #[test]
    fn the_flag_wins_then_the_variable_then_the_home() {
        let of = |flag: Option<&str>, env: &[(&str, &str)]| {
            let files = named(flag.map(Path::new), &host(env)).unwrap();
            files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>()
        };
        let env = [("KUBECONFIG", ":/a::b:/a"), ("HOME", "/h")];
        let here = |name: &str| absolute(Path::new(name)).display().to_string();
        assert_eq!(of(Some("f"), &env), [here("f")]);
        assert_eq!(of(None, &env), ["/a", &here("b")]);
        assert_eq!(of(None, &env[1..]), ["/h/.kube/config"]);
        assert!(named(None, &host(&[("KUBECONFIG", "")])).is_err());
    }

    #[test]
    fn a_link_and_a_mode_stay_and_both_names_are_locked() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real"), home.path().join("link"));
        fs::write(&real, "a: 1\n").unwrap();
        fs::set_permissions(&real, PermissionsExt::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        let locks = || [&real, &link].map(|file| KubeconfigLock::beside(file).exists());
        change(&link, &host(&[]), |text| {
            assert_eq!(text.as_deref(), Some("a: 1\n"));
            assert_eq!(locks(), [true, true]);
            Ok((Some("b: 2\n".into()), ()))
        })
        .unwrap();
        assert_eq!(locks(), [false, false]);
        assert_eq!(fs::read_to_string(&real).unwrap(), "b: 2\n");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn what_is_done_once_it_is_written_comes_before_anybody_elses_change() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config");
        fs::write(&file, "a: 1\n").unwrap();
        let mut seen = None;
        let look = |(): &()| {
            let is_locked = KubeconfigLock::beside(&file).exists();
            seen = Some((fs::read_to_string(&file).unwrap(), is_locked));
            Ok(())
        };
        change_and(&file, &host(&[]), |_| Ok((Some("b: 2\n".into()), ())), look).unwrap();
        assert_eq!(seen, Some(("b: 2\n".into(), true)));
        assert!(!KubeconfigLock::beside(&file).exists());
    }

    #[test]
    fn a_hard_link_keeps_what_was_there_and_that_is_said() {
        let home = tempfile::tempdir().unwrap();
        let (file, other) = (home.path().join("config"), home.path().join("other"));
        fs::write(&file, "a: 1\n").unwrap();
        let notes = KeptNotes::default();
        let host = Host { notes: Box::new(notes.clone()), ..host(&[]) };
        let write = |text: &str| change(&file, &host, |_| Ok((Some(text.into()), ()))).unwrap();
        write("b: 2\n");
        assert_eq!(notes.lines(), Vec::<String>::new());
        fs::hard_link(&file, &other).unwrap();
        write("c: 3\n");
        assert!(notes.lines()[0].contains("config` has another name"), "{:?}", notes.lines());
        assert_eq!(fs::read_to_string(&other).unwrap(), "b: 2\n");
        // it is one file again
        write("d: 4\n");
        assert_eq!(notes.lines().len(), 1);
    }

    #[test]
    fn a_folder_behind_a_link_is_no_second_lock() {
        let home = tempfile::tempdir().unwrap();
        let (folder, link) = (home.path().join("folder"), home.path().join("link"));
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink("folder", &link).unwrap();
        fs::write(folder.join("config"), "a: 1\n").unwrap();
        change(&link.join("config"), &host(&[]), |_| Ok((Some("b: 2\n".into()), ()))).unwrap();
        assert_eq!(fs::read_to_string(folder.join("config")).unwrap(), "b: 2\n");
    }

    #[test]
    fn a_byte_order_mark_stays_and_is_not_read() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config");
        fs::write(&file, "\u{feff}a: 1\n").unwrap();
        assert_eq!(read(&file, &host(&[])).unwrap().as_deref(), Some("a: 1\n"));
        change(&file, &host(&[]), |text| Ok((text.map(|text| text + "b: 2\n"), ()))).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "\u{feff}a: 1\nb: 2\n");
    }

    #[test]
    fn a_lock_is_waited_for_and_then_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config");
        fs::write(KubeconfigLock::beside(&file), "").unwrap();
        let error = change(&file, &host(&[]), |_| Ok((None, ()))).unwrap_err();
        assert_eq!(error.kind(), fleetkey_provider::Kind::Unavailable);
        assert!(error.message().contains("config.lock"), "{error}");
    }

    #[test]
    fn what_is_not_text_is_named_with_its_line() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config");
        fs::write(&file, b"a: 1\nb: \xff\n").unwrap();
        assert!(read(&file, &host(&[])).unwrap_err().message().ends_with("line 2"));
        assert_eq!(read(&home.path().join("none"), &host(&[])).unwrap(), None);
    }
}
