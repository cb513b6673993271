//! Which certificates are believed, where that is not the system's own affair.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` are read here and not by the TLS library: a kubeconfig can set
//! them, and what they name may be a pipe that never ends.

use std::path::{Path, PathBuf};

use fleetkey_provider::{Env, Error, Files, Result, quoted, shown};
use reqwest::Certificate;

use crate::host::{files::OtherPeoplesFiles, system::AUTHORITIES};

const SSL_CERT_DIR: &str = "SSL_CERT_DIR";
const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// More files than any system keeps of them.
const MOST_FILES: usize = 1000;

/// The certificates of PEM files, in place of the system's (as `curl --cacert` and botocore do).
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Certificate>> {
    let mut all = Vec::new();
    for path in paths {
        let pem =
            OtherPeoplesFiles.read(path)?.ok_or_else(|| unusable(path, "there is no such file"))?;
        let found = Certificate::from_pem_bundle(&pem);
        all.extend(found.map_err(|_| unusable(path, "it is not PEM"))?);
    }
    match paths.first() {
        Some(first) if all.is_empty() => Err(unusable(first, "it holds none")),
        _ => Ok(all),
    }
}

/// The files that the variables name; `None` if they name none, or have no meaning on this system.
pub(super) fn of_the_environment(env: &dyn Env) -> Result<Option<Vec<PathBuf>>> {
    if AUTHORITIES.is_empty() {
        return Ok(None);
    }
    let set = |name| env.var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let mut files: Vec<PathBuf> = set(SSL_CERT_FILE).into_iter().collect();
    if let Some(folder) = set(SSL_CERT_DIR) {
        let listed =
            std::fs::read_dir(&folder).map_err(|error| unusable(&folder, &error.to_string()))?;
        let entries = listed.take(MOST_FILES).flatten().map(|entry| entry.path());
        files.extend(entries.filter(|path| path.is_file()));
    }
    Ok((!files.is_empty()).then_some(files))
}

/// The system's bundle by its path, for those who do not want the variables to have a say. `None` on
/// systems that ask no variable in the first place.
pub(super) fn of_the_system() -> Option<Vec<PathBuf>> {
    AUTHORITIES.iter().map(PathBuf::from).find(|path| path.exists()).map(|path| vec![path])
}

fn unusable(path: &Path, why: &str) -> Error {
    let text = path.to_string_lossy();
    Error::config(format!("`{}` has no usable certificates", shown(&text)))
        .because(why)
        .next(format!("openssl x509 -noout -subject -in {}", quoted(&text)))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use fleetkey_provider::testing::StaticEnv;

    use super::*;

    #[test]
    fn a_pipe_or_a_device_as_an_authority_is_refused_and_not_waited_for() {
        for path in ["/dev/zero", "/dev/stdin", "/nonexistent"] {
            let env = StaticEnv::new([(SSL_CERT_FILE, path)]);
            let files = of_the_environment(&env).unwrap().unwrap();
            assert!(read(&files).is_err(), "{path}");
        }
        assert!(of_the_environment(&StaticEnv::default()).unwrap().is_none());
    }
}
