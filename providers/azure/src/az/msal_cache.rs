//! `msal_token_cache.json`: the schema that all of Microsoft's libraries share.
//!
//! Entries are found by their fields and not by their keys, as MSAL itself finds them: the Go
//! library's 1.0 wrote keys in mixed case, and left them there when 1.1 wrote them in lower case. An
//! entry with a lower-case key comes first. Whatever is not needed is not looked at.

use std::{borrow::Cow, collections::HashMap};

use fleetkey_provider::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The entries that count here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    /// Everybody who signed in.
    pub(crate) accounts: Vec<Account>,
    /// What was lent.
    pub(crate) access_tokens: Vec<AccessToken>,
    /// What stands for a sign-in.
    pub(crate) refresh_tokens: Vec<RefreshToken>,
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// `OBJECT.TENANT`, in the tenant they come from.
    pub(crate) home: String,
    /// The authority's host.
    pub(crate) environment: String,
    /// As they typed it.
    pub(crate) username: String,
    /// Whether a broker signed them in, which keeps the refresh token to itself.
    pub(crate) is_brokered: bool,
}

/// An access token.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    /// Whose it is.
    pub(crate) home: String,
    /// The authority's host.
    pub(crate) environment: String,
    /// Which application asked for it.
    pub(crate) client_id: String,
    /// The tenant of the authority it was asked at.
    pub(crate) realm: String,
    /// What it is for, in words between blanks.
    pub(crate) target: String,
    /// When it ends.
    pub(crate) expires_on: i64,
    /// The token.
    pub(crate) secret: SecretString,
}

/// A refresh token.
#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    /// Whose it is.
    pub(crate) home: String,
    /// The authority's host.
    pub(crate) environment: String,
    /// Which application it was given to.
    pub(crate) client_id: String,
    /// When it was written; 0 if nobody says.
    pub(crate) modified: i64,
    /// The token.
    pub(crate) secret: SecretString,
}

/// Every field of every kind of entry. Numbers are strings.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    home_account_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    environment: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    client_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    realm: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    target: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    secret: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    username: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    account_source: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    expires_on: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    last_modification_time: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    token_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    ext_cache_key: Option<Cow<'a, str>>,
}

type Objects<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

impl Cache {
    /// `None` if it is no such file.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let file: Objects<'_> = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            accounts: entries(&file, "Account").into_iter().filter_map(Account::read).collect(),
            access_tokens: entries(&file, "AccessToken")
                .into_iter()
                .filter_map(AccessToken::read)
                .collect(),
            refresh_tokens: entries(&file, "RefreshToken")
                .into_iter()
                .filter_map(RefreshToken::read)
                .collect(),
        })
    }

    /// The accounts of that name at that authority, each home once.
    pub(crate) fn named(&self, username: &str, authority: &str) -> Vec<&Account> {
        let mut found: Vec<&Account> = Vec::new();
        for account in &self.accounts {
            if account.username.to_lowercase() == username.to_lowercase()
                && is_same_environment(&account.environment, authority)
                && !found.iter().any(|known| known.home.eq_ignore_ascii_case(&account.home))
            {
                found.push(account);
            }
        }
        found
    }
}

fn entries<'a>(file: &Objects<'a>, kind: &str) -> Vec<Entry<'a>> {
    let objects = file.get(kind).and_then(|raw| serde_json::from_str(raw.get()).ok());
    let objects: Objects<'a> = objects.unwrap_or_default();
    let mut objects: Vec<_> = objects.into_iter().collect();
    objects.sort_by_cached_key(|(key, _)| {
        let is_mixed = key.contains(|c: char| c.is_ascii_uppercase());
        (is_mixed, key.clone().into_owned())
    });
    objects.into_iter().filter_map(|(_, raw)| serde_json::from_str(raw.get()).ok()).collect()
}

impl Account {
    fn read(entry: Entry<'_>) -> Option<Self> {
        Some(Self {
            home: home(entry.home_account_id)?,
            environment: owned(entry.environment)?,
            username: owned(entry.username)?,
            is_brokered: entry.account_source.as_deref() == Some("broker"),
        })
    }
}

impl AccessToken {
    /// A token that is bound to a key, or to an agent's session, is nobody's but its owner's.
    fn read(entry: Entry<'_>) -> Option<Self> {
        let is_bearer = entry
            .token_type
            .is_none_or(|kind| kind.is_empty() || kind.eq_ignore_ascii_case("bearer"));
        if !is_bearer || entry.ext_cache_key.is_some() {
            return None;
        }
        Some(Self {
            home: home(entry.home_account_id)?,
            environment: owned(entry.environment)?,
            client_id: owned(entry.client_id)?,
            realm: owned(entry.realm)?,
            target: owned(entry.target)?,
            expires_on: entry.expires_on?.parse().ok()?,
            secret: secret(entry.secret)?,
        })
    }
}

impl RefreshToken {
    fn read(entry: Entry<'_>) -> Option<Self> {
        let modified = entry.last_modification_time.and_then(|time| time.parse().ok());
        Some(Self {
            home: home(entry.home_account_id)?,
            environment: owned(entry.environment)?,
            client_id: owned(entry.client_id)?,
            modified: modified.unwrap_or_default(),
            secret: secret(entry.secret)?,
        })
    }
}

fn owned(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(Cow::into_owned)
}

/// It goes into a header.
fn home(text: Option<Cow<'_, str>>) -> Option<String> {
    owned(text).filter(|home| !home.is_empty() && home.bytes().all(|b| b.is_ascii_graphic()))
}

/// No token has line ends or other control characters, and one that has is not sent anywhere.
fn secret(text: Option<Cow<'_, str>>) -> Option<SecretString> {
    let text = text.filter(|text| !text.is_empty() && !text.contains(char::is_control));
    text.map(|text| text.into_owned().into())
}

/// Whether both are names of one cloud's authority: libraries write the one they were given, or the
/// one they prefer.
pub(crate) fn is_same_environment(a: &str, b: &str) -> bool {
    let has = |group: &[&str], name: &str| group.iter().any(|n| n.eq_ignore_ascii_case(name));
    a.eq_ignore_ascii_case(b) || ALIASES.iter().any(|group| has(group, a) && has(group, b))
}

/// As Entra's instance discovery lists them.
const ALIASES: &[&[&str]] = &[
    &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    &["login.microsoftonline.us", "login.usgovcloudapi.net"],
];

#[cfg(test)]
mod tests {
    use fleetkey_provider::ExposeSecret;
    use serde_json::json;

    use super::*;
    use crate::az::{CLIENT, data};

    const HOME: &str = "22222222-2222-2222-2222-222222222222.11111111-1111-1111-1111-111111111111";

    #[test]
    fn what_msal_python_writes_is_read() {
        for file in [data::CACHE, data::CACHE_FOCI] {
            let cache = Cache::parse(file.as_bytes()).unwrap();
            let Cache { accounts, access_tokens, refresh_tokens } = &cache;
            assert_eq!((accounts.len(), access_tokens.len(), refresh_tokens.len()), (1, 2, 1));
            let [account] = cache.named("user@contoso.com", "login.windows.net")[..] else {
                panic!("one account")
            };
            assert_eq!((account.home.as_str(), account.is_brokered), (HOME, false));
            assert!(refresh_tokens[0].modified > 1_700_000_000);
            assert!(access_tokens.iter().all(|token| token.client_id == CLIENT));
            assert!(!format!("{cache:?}").contains(refresh_tokens[0].secret.expose_secret()));
        }
    }

    #[test]
    fn an_account_is_of_one_cloud_and_listed_once() {
        let account = |key: &str, home: &str, environment: &str| {
            (
                key.to_owned(),
                json!({ "home_account_id": home, "environment": environment,
                "username": "ME@x", "realm": key }),
            )
        };
        let list: serde_json::Map<_, _> = [
            account("a", "h.t", "login.microsoftonline.com"),
            account("b", "h.t", "login.windows.net"),
            account("c", "h2.t", "login.chinacloudapi.cn"),
        ]
        .into_iter()
        .collect();
        let cache = Cache::parse(json!({ "Account": list }).to_string().as_bytes()).unwrap();
        assert_eq!(cache.named("me@X", "login.microsoftonline.com").len(), 1);
        assert_eq!(cache.named("me@x", "login.partner.microsoftonline.cn")[0].home, "h2.t");
        assert!(cache.named("me@x", "127.0.0.1").is_empty());
        assert!(cache.named("you@x", "login.windows.net").is_empty());
    }

    #[test]
    fn entries_of_another_shape_are_skipped() {
        let token = json!({ "home_account_id": "h.t", "environment": "e", "client_id": "c",
            "realm": "r", "target": "t", "secret": "s", "expires_on": "1" });
        let with = |name: &str, value: serde_json::Value| {
            let mut token = token.clone();
            token[name] = value;
            token
        };
        let file = json!({ "AccessToken": {
            "1": token, "2": 5, "3": null, "4": [], "5": { "foo": "bar" },
            "6": with("secret", json!("a\r\nx: y")), "7": with("secret", json!("")),
            "8": with("secret", json!(7)), "9": with("expires_on", json!("soon")),
            "10": with("token_type", json!("pop")), "11": with("ext_cache_key", json!("k")),
            "12": with("home_account_id", json!("h\n.t")), "13": with("target", json!(null)),
            "14": with("expires_on", json!(1)), "15": with("token_type", json!("bearer")),
        }, "RefreshToken": [1], "Account": "x", "IdToken": { "x": "\u{0}" }, "unknown": {} });
        let cache = Cache::parse(file.to_string().as_bytes()).unwrap();
        assert_eq!(cache.access_tokens.len(), 2);
        assert!(cache.refresh_tokens.is_empty() && cache.accounts.is_empty());
    }

    #[test]
    fn what_is_no_cache_is_none() {
        let deep = format!("{{\"AccessToken\":{}", "[".repeat(100_000));
        let cut = &data::CACHE[..data::CACHE.len() / 2];
        for none in ["", "[]", "null", "{", "1", &deep, cut, "{\"a\":1} x"] {
            assert!(Cache::parse(none.as_bytes()).is_none(), "{none:.40}");
        }
        assert!(Cache::parse(b"\xff").is_none());
    }

    #[test]
    fn a_full_megabyte_is_read() {
        let entry = json!({ "home_account_id": "h.t", "environment": "e", "client_id": "c",
            "secret": "s".repeat(2000), "target": "" });
        let list: serde_json::Map<_, _> =
            (0..450).map(|n| (format!("k{n}"), entry.clone())).collect();
        let file = json!({ "RefreshToken": list }).to_string();
        assert!((900_000..1 << 20).contains(&file.len()), "{}", file.len());
        assert_eq!(Cache::parse(file.as_bytes()).unwrap().refresh_tokens.len(), 450);
    }
}
