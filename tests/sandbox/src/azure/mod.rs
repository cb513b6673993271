//! What surrounds Entra: the Resource Manager, the metadata services of machines, the token services of CI systems, and the files and
//! programs of the Azure CLI.

pub(crate) mod app_service;
pub(crate) mod arc;
pub(crate) mod arm;
pub(crate) mod cli;
pub(crate) mod cloud_shell;
pub(crate) mod federation;
pub(crate) mod github;
pub(crate) mod identities;
pub(crate) mod imds;
pub(crate) mod metadata;
pub(crate) mod pipelines;
pub(crate) mod programs;
