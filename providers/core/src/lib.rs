//! The contract between fleetkey and a cloud.
//!
//! Everything fleetkey does is one line: **session → credential → token**. A [`Provider`] turns a
//! command line into a [`Request`]; the request says who asks ([`Request::session`]), what exactly
//! is asked for ([`Request::key`]), gets it ([`Request::obtain`]) and makes of it what an API server
//! is shown ([`Request::token`]). The host keeps, locks, waits and prints.
//!
//! Nothing here does IO. What a provider wants of the world it asks of its [`Host`], and a provider
//! never sees another provider, a runtime, an HTTP library, the process environment or fleetkey's
//! own files.

mod credential;
mod endpoint;
mod error;
mod exec_info;
mod foreign;
mod host;
mod http;
mod inventory;
mod key;
mod machine;
mod parsed;
mod person;
mod programs;
mod provider;
mod sessions;
mod standing;
mod text;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use credential::{Credential, Token};
pub use endpoint::Endpoint;
pub use error::{Error, Kind, Result};
pub use exec_info::{ApiVersion, ClusterInfo, ExecInfo};
pub use foreign::{
    Adoption, Conversion, Extension, Foreign, Manner, Overrides, StandIn, WrittenExec,
};
pub use host::{BoxFuture, Clock, Entropy, Env, Files, Host, Http, Lost, Notes, Refusing, Trust};
pub use http::{HttpRequest, HttpResponse, Method, Retry};
pub use inventory::{Entry, EntryNames, EntryUser, Errand, Find, Inventory, Listed, Wanted};
pub use key::{CredentialKey, Fingerprint, SessionKey};
pub use machine::this_machine;
pub use parsed::Parsed;
pub use person::{Landing, Means, Person, SignIn, Visit};
pub use programs::{Finished, Program, Programs};
pub use provider::{Provider, Request, SignedIn};
pub use secrecy::{ExposeSecret, SecretString};
pub use sessions::{KeptSession, OpenSession, SessionFacts, Sessions};
pub use standing::{SessionState, SignedOut, Standing};
pub use text::{Rule, one_line, quoted, shown};
