//! Kubeconfigs: where they are, what stands in them, and changing them without losing a byte.

pub(crate) mod document;
pub(crate) mod edit;
pub(crate) mod splice;
pub(crate) mod yaml;
