//! What the tests that replay other programs' data need to see of this crate. Nothing else may.
//!
//! No feature switches this on: those tests belong to this crate, which would have to depend on
//! itself to ask for one. It is a few calls of what is there anyway, and the linker drops it from
//! every program that calls none.

#![allow(missing_docs, reason = "hidden: the tests say what they ask")]

use clap::{Arg, Command};
use fleetkey_provider::{ExecInfo, ExposeSecret, SecretString};

use crate::{
    arguments::{Arguments, augment},
    az::Cache,
};

pub use crate::foreign::{DIFFERENCES, Difference};

/// What arguments behind `get-token azure` mean, as a text to compare; no secret is in it.
pub fn sign_in(args: &[String]) -> Result<String, String> {
    let own = |name: &'static str| Arg::new(name).long(name);
    let command = augment(Command::new("azure").no_binary_name(true));
    let command = command.arg(own("cache-dir")).arg(own("timeout"));
    let mut matches = command.try_get_matches_from(args).map_err(|error| error.to_string())?;
    let mut more = |name| matches.remove_one::<String>(name);
    let (cache_dir, timeout) = (more("cache-dir"), more("timeout"));
    let arguments = Arguments::read(&mut matches, &ExecInfo::default());
    let arguments = arguments.map_err(|error| error.to_string())?;
    Ok(format!("{arguments:#?}\ncache-dir {cache_dir:?}\ntimeout {timeout:?}"))
}

/// What is read of a cache, in the order it would be used.
#[derive(Debug)]
pub struct MsalCache {
    pub accounts: Vec<[String; 3]>,
    pub access_tokens: Vec<String>,
    pub refresh_tokens: Vec<String>,
}

pub fn msal_cache(bytes: &[u8]) -> Option<MsalCache> {
    let Cache { accounts, access_tokens, refresh_tokens } = Cache::parse(bytes)?;
    let text = |secret: &SecretString| secret.expose_secret().to_owned();
    Some(MsalCache {
        accounts: accounts
            .into_iter()
            .map(|account| [account.home, account.environment, account.username])
            .collect(),
        access_tokens: access_tokens.iter().map(|token| text(&token.secret)).collect(),
        refresh_tokens: refresh_tokens.iter().map(|token| text(&token.secret)).collect(),
    })
}
