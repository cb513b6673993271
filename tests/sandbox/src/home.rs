//! A folder that serves as somebody's HOME, with the files that other tools would have left there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::aws::accounts::{Credentials, User};
use crate::cluster::Endpoint;
use crate::kubeconfig::{self, Exec};

/// A HOME. A temporary one is removed when it is dropped.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Home {
    /// An empty one, to be removed.
    pub fn temporary() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("fleetkey-home-").tempdir()?;
        // Real, because /tmp and /var are links on some systems and lock files compare paths.
        Ok(Self { path: folder.path().canonicalize()?, _temporary: Some(folder) })
    }

    /// One that stays; the folder is made if need be.
    pub fn at(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        fs::create_dir_all(&path)?;
        Ok(Self { path: path.canonicalize()?, _temporary: None })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file or folder in it.
    pub fn join(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.path.join(relative)
    }

    /// `HOME` and its like elsewhere, and that sessions are sealed with a key in it: the secret store is the desktop's,
    /// whoever's HOME this is.
    pub fn environment(&self) -> Vec<(String, String)> {
        let home = self.path.to_string_lossy().into_owned();
        let pairs =
            [("HOME", home.as_str()), ("USERPROFILE", &home), ("FLEETKEY_SESSION_STORE", "file")];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Writes a file that only its owner may read, and the folders above it.
    pub fn write(
        &self,
        relative: impl AsRef<Path>,
        contents: impl AsRef<[u8]>,
    ) -> io::Result<PathBuf> {
        let path = self.join(relative);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, contents)?;
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(path)
    }

    /// `~/ca.pem`.
    pub fn ca(&self, pem: &str) -> io::Result<PathBuf> {
        self.write("ca.pem", pem)
    }

    /// `~/.kube/config` with one context, named as the cluster is.
    pub fn kubeconfig(&self, cluster: &dyn Endpoint, exec: &Exec) -> io::Result<PathBuf> {
        self.kubeconfig_at(".kube/config", &[(cluster.name(), cluster, exec)])
    }

    /// Any file with any contexts, the first of them current.
    pub fn kubeconfig_at<C: Endpoint + ?Sized>(
        &self,
        relative: impl AsRef<Path>,
        contexts: &[(&str, &C, &Exec)],
    ) -> io::Result<PathBuf> {
        self.write(relative, kubeconfig::text(contexts))
    }
}

/// Variables that hold a user's key.
impl User {
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    pub fn environment(&self) -> Vec<(String, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID".to_owned(), self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), self.secret_access_key.clone()),
        ]
    }
}

/// Variables that hold temporary credentials.
impl Credentials {
    /// The same, and `AWS_SESSION_TOKEN`.
    pub fn environment(&self) -> Vec<(String, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID".to_owned(), self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), self.secret_access_key.clone()),
            ("AWS_SESSION_TOKEN".to_owned(), self.session_token.clone()),
        ]
    }
}
