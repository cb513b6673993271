//! The agent of an Arc machine: who wants a token proves to be on the machine by reading a file there.
//!
//! A hostile agent is the danger: by naming another file it would be told what is in that one. [`ArcKey`] plays it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::azure::identities::{Asked, ManagedIdentity};
use crate::azure::imds::error;
use crate::azure::metadata::{Issued, Kind, Manner, meant};
use crate::http::{Request, Response};
use crate::random;
use crate::route::Route;
use crate::sandbox::Sandbox;
use crate::server::Handler;
use crate::world::World;

/// Which file the agent wants to be told of. All but the first must be refused, with no second request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ArcKey {
    /// A fresh `UUID.key` in the agent's folder.
    #[default]
    Right,
    /// One beside the folder.
    Outside,
    /// One in a folder of the folder.
    Deeper,
    /// One beside the folder, by way of the folder and `..`.
    Parent,
    /// One in the folder that is not called `.key`.
    Extension,
    /// One in the folder, a byte longer than the 4096 that are allowed.
    TooLong,
    /// A link in the folder to a file outside.
    Link,
    /// One in the folder that does not exist.
    Missing,
    /// No file: the challenge has this value.
    Challenge(String),
}

impl Sandbox {
    /// Variables that make this an Arc machine. Its keys lie in `folder`, where the real agent has
    /// `/var/opt/azcmagent/tokens`.
    pub fn arc_environment(
        &self,
        folder: impl Into<PathBuf>,
        key: ArcKey,
    ) -> io::Result<Vec<(String, String)>> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        let world = Arc::clone(&self.world);
        let address =
            self.serve(None, Arc::new(Agent { world, folder, key, handed_out: Mutex::default() }))?;
        Ok(vec![
            ("IDENTITY_ENDPOINT".to_owned(), format!("http://{address}{TOKEN}")),
            ("IMDS_ENDPOINT".to_owned(), format!("http://{address}")),
        ])
    }
}

struct Agent {
    world: Arc<World>,
    folder: PathBuf,
    key: ArcKey,
    /// Contents of the keys that were not shown yet, and where they lie.
    handed_out: Mutex<Vec<(String, PathBuf)>>,
}

impl Handler for Agent {
    fn service(&self) -> String {
        "arc".to_owned()
    }

    fn route(&self, _request: &Request) -> Route {
        Route::Arc
    }

    fn answer(&self, request: &Request) -> Response {
        if (request.method.as_str(), request.path()) != ("GET", TOKEN) {
            return error(404, "not_found", "The requested resource was not found");
        }
        if !meant(request) {
            return error(400, "invalid_request", "Required metadata header not specified");
        }
        let question = match MANNER.read(request) {
            Ok(question) => question,
            Err(words) => return error(400, "invalid_request", &words),
        };
        let Some(shown) = request.header("authorization") else { return self.challenge() };
        let shown = shown.strip_prefix("Basic ").unwrap_or_default();
        if !self.redeem(shown) {
            return error(401, "unauthorized", "The key is not one that was handed out");
        }
        // An id of nobody is ignored, as old agents ignore every id: the token is the machine's own, and only the
        // missing echo of the id says so (MSAL refuses such an answer).
        let assigned = match &question.asked {
            Asked::Any => None,
            asked => self.world.identities.find(asked).ok(),
        };
        let Some(identity) = assigned.clone().or_else(|| self.world.identities.system().ok())
        else {
            return error(400, "invalid_request", "Identity not found");
        };
        match Issued::to_identity(&self.world, &identity, &question.resource) {
            Ok(issued) => {
                let mut document =
                    issued.document(None, &question.resource, self.world.clock.now());
                if let Some(ManagedIdentity { client_id, object_id, resource_id, .. }) = assigned {
                    document["client_id"] = client_id.into();
                    document["object_id"] = object_id.into();
                    document["msi_res_id"] = resource_id.into();
                }
                Response { caller: Some(identity.client_id), ..Response::json(200, &document) }
            }
            Err(words) => error(400, "invalid_resource", &words),
        }
    }
}

impl Agent {
    fn challenge(&self) -> Response {
        match self.hand_out() {
            Ok(realm) => {
                let mut response = error(401, "unauthorized", "Unauthorized");
                response.headers.push(("WWW-Authenticate".to_owned(), realm));
                response
            }
            Err(words) => error(500, "server_error", &words.to_string()),
        }
    }

    /// Writes a key, and says what the challenge says of it.
    fn hand_out(&self) -> io::Result<String> {
        let name = format!("{}.key", random::uuid());
        let beside = self.folder.parent().unwrap_or(&self.folder).join(&name);
        let content = random::base64(48);
        let (file, said) = match &self.key {
            ArcKey::Challenge(value) => return Ok(value.clone()),
            ArcKey::Missing => return Ok(realm(&self.folder.join(name))),
            ArcKey::Right | ArcKey::TooLong => (self.folder.join(&name), self.folder.join(&name)),
            ArcKey::Outside => (beside.clone(), beside),
            ArcKey::Deeper => {
                (self.folder.join("deeper").join(&name), self.folder.join("deeper").join(&name))
            }
            ArcKey::Parent => (beside, self.folder.join("..").join(&name)),
            ArcKey::Extension => (self.folder.join("secret.txt"), self.folder.join("secret.txt")),
            ArcKey::Link => (beside.clone(), link(&beside, &self.folder.join(&name))?),
        };
        let content = if self.key == ArcKey::TooLong { "k".repeat(4097) } else { content };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, &content)?;
        self.handed_out.lock().unwrap_or_else(PoisonError::into_inner).push((content, file));
        Ok(realm(&said))
    }

    /// Whether it is the content of a key; it is good once. A hostile agent takes whatever it is given.
    fn redeem(&self, shown: &str) -> bool {
        let mut handed_out = self.handed_out.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = handed_out.iter().position(|(content, _)| content == shown) else {
            return false;
        };
        let (_, file) = handed_out.swap_remove(at);
        drop(fs::remove_file(file)); // the agent tidies up behind itself; a file that is gone already is as good
        true
    }
}

fn realm(path: &Path) -> String {
    format!("Basic realm={}", path.display())
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<PathBuf> {
    std::os::unix::fs::symlink(to, at)?;
    Ok(at.to_owned())
}

#[cfg(not(unix))]
fn link(_to: &Path, _at: &Path) -> io::Result<PathBuf> {
    Err(io::ErrorKind::Unsupported.into())
}

const TOKEN: &str = "/metadata/identity/oauth2/token";
const MANNER: Manner = Manner {
    versions: &["2019-08-15", "2019-11-01", "2020-06-01", "2021-02-01"],
    identity: &[
        ("client_id", Kind::Client),
        ("object_id", Kind::Object),
        ("msi_res_id", Kind::Resource),
    ],
};
