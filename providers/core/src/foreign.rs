//! What other programs left behind, put into our words: users of kubeconfigs that run another plugin,
//! and command lines that were written for one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Error, Result, Token};

/// A way to sign in that was written for another program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Foreign {
    /// `exec` of a user.
    Program {
        /// Its name alone: no folders, lower case, without `.exe`.
        name: String,
        /// Its arguments.
        args: Vec<String>,
        /// The variables that are set for it.
        env: Vec<(String, String)>,
    },
    /// `auth-provider` of a user, as clients before 1.26 knew it.
    AuthProvider {
        /// Its name.
        name: String,
        /// Its settings.
        config: BTreeMap<String, String>,
    },
}

/// The same in our words.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Adoption {
    /// What stands behind `get-token` and the provider's name. Flags of every command may be among it.
    pub args: Vec<String>,
    /// The variables that it still needs; of those it had.
    pub env: Vec<(String, String)>,
    /// What a person should know about it: a line each.
    pub notes: Vec<String>,
    /// Whether its token is good at more clusters than the one that asks, so that it should be told which one
    /// that is: a stranger's then gets none. The host sees to it where the cluster has one of the
    /// provider's own names.
    pub wants_cluster: bool,
}

/// Flags that somebody typed to have them in place of what a kubeconfig says: each by its long name
/// without dashes, and its value; a switch has `true` or `false`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Overrides(pub Vec<(String, String)>);

impl Overrides {
    /// The last value of that flag.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(flag, _)| flag == name).map(|(_, value)| value.as_str())
    }
}

/// A command line that was written for another program, understood as that program would.
pub enum StandIn {
    /// It asks for a token.
    Token {
        /// What stands behind `get-token` and the provider's name.
        args: Vec<String>,
        /// How the other program answers.
        manner: Box<dyn Manner>,
    },
    /// It changes kubeconfigs.
    Convert(Box<dyn Conversion>),
    /// It asks for a text, such as a version.
    Text(String),
}

/// A conversion of kubeconfigs that another program would have made itself.
pub trait Conversion: Send + Sync {
    /// The one file to look at, in place of those that `KUBECONFIG` names.
    fn kubeconfig(&self) -> Option<&str>;
    /// The one context whose user is meant, in place of all.
    fn context(&self) -> Option<&str>;
    /// What the other program makes of a user. `None` leaves it alone; an error leaves all alone.
    fn convert(&self, foreign: &Foreign, install_hint: Option<&str>)
    -> Option<Result<WrittenExec>>;
    /// How it fails. What it answers with is nothing.
    fn manner(&self) -> &dyn Manner;
}

/// An `exec` as another program writes it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WrittenExec {
    /// `apiVersion`
    pub api_version: String,
    /// `command`
    pub command: String,
    /// `args`
    pub args: Vec<String>,
    /// `env`
    pub env: Vec<(String, String)>,
    /// `installHint`
    pub install_hint: Option<String>,
}

/// How another program answers and fails.
pub trait Manner: Send + Sync {
    /// The version it answers in, by the whole text of `KUBERNETES_EXEC_INFO`, and what it says on
    /// stderr about that.
    fn version(&self, exec_info: Option<&str>) -> Result<(String, Option<String>)>;
    /// All that it prints.
    fn answer(&self, token: &Token, version: &str) -> Result<String>;
    /// What it says before it fails, and its exit code. The words may be ours.
    fn failure(&self, error: &Error) -> (String, u8);
}

/// What of a token's question may stand in a cluster's extension, so that one user serves many
/// clusters.
pub type Extension = Map<String, Value>;
