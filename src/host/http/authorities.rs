//! Which certificates are believed, where that is not the system's own affair.

use std::path::{Path, PathBuf};

use fleetkey_provider::{Error, Files, Result, quoted, shown};
use reqwest::Certificate;

use crate::host::files::OtherPeoplesFiles;

/// Where Linux distributions keep the system's authorities in one file.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificates of a PEM file, in place of the system's (as `curl --cacert` and botocore do).
pub(super) fn read(path: &Path) -> Result<Vec<Certificate>> {
    let text = path.to_string_lossy();
    let wrong = |why: &str| {
        Error::config(format!("`{}` has no usable certificates", shown(&text)))
            .because(why)
            .next(format!("openssl x509 -noout -subject -in {}", quoted(&text)))
    };
    let pem = OtherPeoplesFiles.read(path)?.ok_or_else(|| wrong("there is no such file"))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|_| wrong("it is not PEM"))?;
    if found.is_empty() { Err(wrong("it holds none")) } else { Ok(found) }
}

/// The system's bundle by its path, for those who do not want `SSL_CERT_FILE` and `SSL_CERT_DIR` to
/// have a say. `None` on systems that ask no variable in the first place.
pub(super) fn bundle_of_the_system() -> Option<PathBuf> {
    let linux = cfg!(target_os = "linux");
    BUNDLES.iter().filter(|_| linux).map(PathBuf::from).find(|path| path.exists())
}
