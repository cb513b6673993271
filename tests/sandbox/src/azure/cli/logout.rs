//! `az logout --username`: what is gone then.

use std::io;

use super::{ENTRIES, folder, profile, read, token_cache};
use crate::home::Home;

impl Home {
    /// Signs a person or a service principal out of az: their subscriptions, tokens and secrets are gone.
    pub fn az_logout(&self, username: &str) -> io::Result<()> {
        profile::remove(self, username)?;
        token_cache::remove(self, username)?;
        let Some(mut entries) = read(self, ENTRIES)? else { return Ok(()) };
        if let Some(list) = entries.as_array_mut() {
            list.retain(|entry| entry["client_id"] != username);
        }
        self.write(folder(ENTRIES), format!("{entries:#}")).map(drop)
    }
}
