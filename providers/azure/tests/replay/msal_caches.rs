//! The cache files by which MSAL's libraries check that they read each other's.

use fleetkey_azure::replay::{MsalCache, msal_cache};

use crate::Set;

const FILES: &[&str] = &[
    "azure/msal_go_test_serialized_cache.json",
    "azure/msal_go_v1.0_cache.json",
    "azure/msal_go_v1.0_v1.1_cache.json",
];

#[test]
fn every_library_s_entries_are_found() {
    let mut ran = None;
    for file in FILES {
        let Some((set, text)) = Set::open("msal-caches", file) else { return };
        let MsalCache { accounts, access_tokens, refresh_tokens } =
            msal_cache(text.as_bytes()).unwrap();
        // of two entries with the same fields the one with the newer spelling of its key comes
        // first; entries that are no tokens are not there
        let whole = file.contains("v1.0_v1.1");
        assert_eq!(accounts.len(), if whole { 2 } else { 1 }, "{file}");
        assert_eq!(accounts[0], ["uid.utid", "login.windows.net", "John Doe"]);
        assert_eq!(access_tokens[0], "an access token", "{file}");
        assert_eq!(refresh_tokens[0], "a refresh token", "{file}");
        assert_eq!(access_tokens.len(), accounts.len(), "{file}");
        ran.get_or_insert(set).ran();
    }
    if let Some(set) = ran {
        set.finish();
    }
}
