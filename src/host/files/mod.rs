//! Files that other tools own, such as the clouds' own tools. They are read whole, once, within a
//! bound, and a pipe never hangs anything; and they are replaced whole or not at all.

mod replace;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use std::{
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use fleetkey_provider::{Error, Files, Fingerprint, Result, quoted, shown};
use jiff::Timestamp;

const LARGEST: u64 = 1 << 20;

/// The real files.
pub(crate) struct OtherPeoplesFiles;

impl Files for OtherPeoplesFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        self.read_large(path, LARGEST)
    }

    fn read_large(&self, path: &Path, largest: u64) -> Result<Option<Vec<u8>>> {
        let failed = |why: String| {
            Error::config(format!("`{}` cannot be read", shown(&path.to_string_lossy())))
                .because(why)
                .next(format!("ls -l {}", quoted(&path.to_string_lossy())))
        };
        let file = match system::open(path) {
            Ok(file) => file,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        let kind = file.metadata().map_err(|error| failed(error.to_string()))?;
        if kind.is_dir() {
            return Err(failed("it is a folder".into()));
        }
        if !kind.is_file() && !system::is_null(&kind) {
            return Err(failed("it is no regular file".into()));
        }
        let mut bytes =
            Vec::with_capacity(usize::try_from(kind.len().min(largest)).unwrap_or_default() + 1);
        file.take(largest + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| failed(error.to_string()))?;
        if bytes.len() as u64 > largest {
            return Err(failed(format!("it is larger than {} MiB", largest >> 20)));
        }
        Ok(Some(bytes))
    }

    fn stamp(&self, path: &Path) -> Option<i128> {
        let facts = system::facts(&std::fs::metadata(path).ok()?);
        let mut number = [0; 16];
        number.copy_from_slice(&Fingerprint::of(facts.as_bytes()).as_bytes()[..16]);
        Some(i128::from_le_bytes(number))
    }

    fn is_own(&self, path: &Path) -> Result<bool> {
        // behind links, as it is read
        std::fs::metadata(path).map(|is| system::is_own(&is)).map_err(|error| {
            Error::config(format!("whose `{}` is, is not known", shown(&path.to_string_lossy())))
                .because(error.to_string())
        })
    }

    fn is_newer(&self, path: &Path, than: &Path) -> bool {
        let time = |path| std::fs::metadata(path).and_then(|is| is.modified()).ok();
        time(path).zip(time(than)).is_some_and(|(path, than)| path > than)
    }

    fn has_other_names(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|is| system::has_other_names(&is))
    }

    fn real(&self, path: &Path) -> PathBuf {
        replace::real(path)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        replace::replace(&replace::real(path), bytes).map_err(|error| unwritten(path, &error))
    }

    fn rehearse(&self, path: &Path, length: usize) -> Result<()> {
        replace::rehearse(&replace::real(path), length).map_err(|error| unwritten(path, &error))
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let failed = |error: std::io::Error| {
            let path = folder.to_string_lossy();
            Error::config(format!("`{}` cannot be read", shown(&path)))
                .because(error.to_string())
                .next(format!("ls -ld {}", quoted(&path)))
        };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Vec::new());
            }
            Err(error) => return Err(failed(error)),
        };
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        paths.retain(|path| path.is_file());
        paths.sort();
        Ok(paths)
    }

    fn written(&self, path: &Path) -> Option<Timestamp> {
        std::fs::metadata(path).ok()?.modified().ok()?.try_into().ok()
    }

    fn remove(&self, path: &Path) -> Result<bool> {
        // a session may stand in what killed writers left, whether the file was there or not
        replace::sweep_left(path);
        match std::fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(false)
            }
            Err(error) => Err(unwritten(path, &error)),
        }
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    let path = path.to_string_lossy();
    Error::failed(format!("`{}` cannot be written", shown(&path)))
        .because(error.to_string())
        .next(format!("ls -ld {}", quoted(&path)))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn what_is_not_there_is_none_and_null_is_empty() {
        assert_eq!(OtherPeoplesFiles.read(Path::new("/nonexistent/x")).unwrap(), None);
        assert_eq!(OtherPeoplesFiles.read(Path::new("/dev/null")).unwrap(), Some(vec![]));
        assert_eq!(OtherPeoplesFiles.read(Path::new("/dev/null/x")).unwrap(), None);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the file is another program's")]
    fn a_file_written_anew_has_another_stamp_even_if_its_time_was_put_back() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("token");
        std::fs::write(&path, "alice").unwrap();
        let first = OtherPeoplesFiles.stamp(&path).unwrap();
        assert_eq!(OtherPeoplesFiles.stamp(&path), Some(first));
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::write(&path, "bobby").unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        assert_ne!(OtherPeoplesFiles.stamp(&path), Some(first));
        assert_eq!(OtherPeoplesFiles.stamp(&home.path().join("none")), None);
    }

    #[test]
    fn a_file_of_ours_or_of_the_administrators_is_own() {
        let home = tempfile::tempdir().unwrap();
        assert!(OtherPeoplesFiles.is_own(home.path()).unwrap());
        assert!(OtherPeoplesFiles.is_own(Path::new("/")).unwrap());
        assert!(OtherPeoplesFiles.is_own(&home.path().join("none")).is_err());
    }

    #[test]
    fn a_file_that_others_may_write_to_is_not() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config");
        let file = OpenOptions::new().write(true).create_new(true).open(&path).unwrap();
        for (mode, is_own) in
            [(0o600, true), (0o644, true), (0o400, true), (0o664, false), (0o646, false)]
        {
            file.set_permissions(PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(OtherPeoplesFiles.is_own(&path).unwrap(), is_own, "{mode:o}");
        }
    }

    #[test]
    fn null_by_another_name_is_empty_too() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("config");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        assert_eq!(OtherPeoplesFiles.read(&link).unwrap(), Some(vec![]));
    }

    #[test]
    fn folders_pipes_and_endless_files_are_refused_at_once() {
        let home = tempfile::tempdir().unwrap();
        let pipe = home.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        for (path, why) in
            [(home.path(), "folder"), (&pipe, "regular"), (Path::new("/dev/zero"), "regular")]
        {
            let error = OtherPeoplesFiles.read(path).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn a_file_over_the_bound_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("large");
        let file = OpenOptions::new().write(true).create_new(true).open(&path).unwrap();
        file.set_len(LARGEST).unwrap();
        assert_eq!(
            OtherPeoplesFiles.read(&path).unwrap().map(|bytes| bytes.len() as u64),
            Some(LARGEST)
        );
        file.set_len(LARGEST + 1).unwrap();
        assert!(OtherPeoplesFiles.read(&path).unwrap_err().to_string().contains("1 MiB"));
    }
}
