//! Tidying up after killed writers, and after credentials that nobody asks for any more.

use std::{fs::File, os::unix::fs::MetadataExt};

use rustix::fs::{AtFlags, Dir, statat};

use crate::host::is_alive;

/// A SHA-256 in hex, which is what files of ours are named after.
const KEY_DIGITS: usize = 64;
/// No writer takes longer, in seconds.
const LONGEST_WRITE: i64 = 60;
/// No credential lives longer, in seconds.
const LONGEST_LIFE: i64 = 48 * 3600;

/// Removes what nobody needs any more: what killed writers left behind, and credentials and locks
/// that are older than any credential lives. Sessions and marks stay, however old. Only what is named
/// after a key is touched, and the vault's: the folder may hold other people's files too, a
/// `Cargo.lock` for instance.
pub(super) fn sweep(folder: &File) {
    let Ok(entries) = Dir::read_from(folder) else { return };
    let Ok(now) = folder_time(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(keep) = name.to_str().ok().and_then(longest) else { continue };
        let old = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|is| now - is.st_mtime > keep);
        if old {
            let _gone = rustix::fs::unlinkat(folder, name, AtFlags::empty());
        }
    }
}

/// Removes what is left of writers of that file that are dead, however young it is: the file itself is about
/// to go.
pub(super) fn sweep_left(folder: &File, of: &str) {
    let Ok(entries) = Dir::read_from(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let writer = name.to_str().ok().and_then(|name| super::super::writer(name, of));
        if writer.is_some_and(|process| !is_alive(process)) {
            let _gone = rustix::fs::unlinkat(folder, name, AtFlags::empty());
        }
    }
}

/// How long a file of that name is of use, in seconds; `None` for ever.
fn longest(name: &str) -> Option<i64> {
    if let Some(rest) = name.strip_suffix(".tmp") {
        let (target, writer) = rest.rsplit_once('.')?;
        let kind = target.split_once('.').filter(|(key, _)| is_key(key)).map(|(_, kind)| kind);
        let ours = matches!(
            kind,
            Some(
                "credential"
                    | "session"
                    | "alias"
                    | "heir"
                    | "redeeming"
                    | "renewing"
                    | "asked"
                    | "refused"
                    | "undo"
            )
        ) || matches!(target, "vault" | "vault.key");
        return (ours && writer.parse::<u32>().is_ok()).then_some(LONGEST_WRITE);
    }
    let (key, kind) = name.split_once('.')?;
    (is_key(key)
        && matches!(kind, "credential" | "lock" | "renewing" | "ask" | "asked" | "refused"))
    .then_some(LONGEST_LIFE)
}

fn is_key(text: &str) -> bool {
    text.len() == KEY_DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// The file system's time, as a new file just got it.
fn folder_time(folder: &File) -> std::io::Result<i64> {
    Ok(folder.metadata()?.mtime())
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "what others do to the folder is done the others' way"
)]
mod tests {
    use std::fs;

    use super::super::{remove, replace};

    #[test]
    fn a_file_is_removed_with_what_dead_writers_left_of_it_and_only_theirs() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let (dead, key) = (child.id(), "0123456789abcdef".repeat(4));
        replace(&folder, "f", b"x", true).unwrap();
        let put = |name: &str| fs::write(folder.join(name), b"a token").unwrap();
        let ours = format!("{key}.session");
        let left = format!("{ours}.{dead}.tmp");
        let stays =
            [format!("{ours}.{}.tmp", std::process::id()), format!("{key}.asked.{dead}.tmp")];
        stays.iter().chain([&ours, &left]).for_each(|name| put(name));
        assert!(remove(&folder, &ours).unwrap() && !folder.join(&left).exists());
        // one that was killed before there ever was a file
        put(&left);
        assert!(!remove(&folder, &ours).unwrap() && !folder.join(&left).exists());
        assert!(stays.iter().all(|name| folder.join(name).exists()));
    }

    #[test]
    fn what_a_killed_writer_left_and_what_is_long_over_is_swept_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a");
        let key = "0123456789abcdef".repeat(4);
        replace(&folder, "f", b"x", true).unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH;
        let ours = |end: &str| format!("{key}.{end}");
        let gone = [
            ours("credential.1.tmp"),
            ours("credential"),
            ours("asked.1.tmp"),
            ours("asked"),
            ours("refused"),
            ours("ask"),
            ours("lock"),
            ours("renewing.1.tmp"),
            ours("renewing"),
            ours("session.1.tmp"),
            ours("redeeming.1.tmp"),
            "vault.key.1.tmp".into(),
        ];
        let left = [
            "Cargo.lock",
            "a.credential",
            "a.tmp",
            "notes.1.tmp",
            "vault",
            "vault.key",
            "vault.lock",
            &ours("toml"),
            &ours("session"),
            &ours("redeeming"),
            &ours("session.x.tmp"),
        ]
        .map(str::to_owned);
        for name in gone.iter().chain(&left) {
            fs::write(folder.join(name), b"half").unwrap();
            fs::File::options()
                .write(true)
                .open(folder.join(name))
                .unwrap()
                .set_modified(old)
                .unwrap();
        }
        let young = ours("credential.2.tmp");
        fs::write(folder.join(&young), b"half").unwrap();
        replace(&folder, "f", b"y", true).unwrap();
        for name in &gone {
            assert!(!folder.join(name).exists(), "{name} is still there");
        }
        for name in left.iter().chain([&young]) {
            assert!(folder.join(name).exists(), "{name} is gone");
        }
    }
}
