//! Kubeconfigs: where they are, what stands in them, and changing them without losing a byte.

pub(crate) mod addition;
mod diff;
pub(crate) mod document;
pub(crate) mod edit;
pub(crate) mod files;
pub(crate) mod flags;
pub(crate) mod foreign;
pub(crate) mod hidden;
pub(crate) mod likeness;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod one_stanza;
pub(crate) mod outcome;
pub(crate) mod plan;
mod proof;
pub(crate) mod reached;
mod removal;
pub(crate) mod restore;
mod shared;
pub(crate) mod splice;
pub(crate) mod stanza;
pub(crate) mod takeover;
pub(crate) mod target;
pub(crate) mod undo;
pub(crate) mod yaml;
