//! What the tests that replay other programs' data need to see of this crate. Nothing else may.
//!
//! No feature switches this on: those tests belong to this crate, which would have to depend on
//! itself to ask for one. It is a few calls of what is there anyway, and the linker drops it from
//! every program that calls none.

#![allow(missing_docs, reason = "hidden: the tests say what they ask")]

use fleetkey_provider::{ExposeSecret, SecretString};

use crate::az::Cache;

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
