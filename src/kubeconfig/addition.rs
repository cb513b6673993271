//! A cluster on its way into a kubeconfig: one entry in each of the three lists.

use std::fmt;

use fleetkey_provider::{
    Adoption, Entry, EntryUser, Error, ExposeSecret, Overrides, Provider, Result, SecretString,
    one_line,
};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    document::{Document, Section},
    reached::{self, Reached},
    stanza::{Stanza, Written},
    takeover::{Takeover, Wish},
};

/// One cluster.
#[derive(Debug)]
pub(crate) struct Addition {
    /// Its cluster, its context, its user.
    pub(crate) entries: [Wanted; 3],
    /// What a person should know of how its user was taken over.
    pub(crate) notes: Vec<String>,
}

impl Addition {
    /// Its user.
    pub(crate) fn user(&self) -> &Wanted {
        &self.entries[USER]
    }

    /// Its cluster.
    pub(crate) fn cluster(&self) -> &Wanted {
        &self.entries[CLUSTER]
    }

    /// Its user under another name.
    pub(crate) fn rename_user(&mut self, name: &str) {
        name.clone_into(&mut self.entries[USER].name);
        if let Some(user) = self.entries[CONTEXT].value.get_mut("user") {
            *user = name.into();
        }
    }
}

/// One entry.
pub(crate) struct Wanted {
    /// The list.
    pub(crate) section: Section,
    /// Its name.
    pub(crate) name: String,
    /// Its value. There may be keys in it.
    pub(crate) value: Value,
}

impl Wanted {
    /// The whole entry.
    pub(crate) fn item(&self) -> Value {
        json!({ "name": self.name, self.section.one(): self.value })
    }
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wanted({} {})", self.section.one(), self.name)
    }
}

/// What a cloud says of a cluster, before it has names of its own.
pub(crate) struct Described {
    /// In `clusters`, as the cloud's own tool calls it.
    pub(crate) cluster: String,
    /// In `users`.
    pub(crate) user: String,
    /// In `contexts`.
    pub(crate) context: String,
    cluster_value: Map<String, Value>,
    user_value: Value,
    notes: Vec<String>,
}

impl Described {
    /// From an answer that says how a cluster is reached.
    pub(crate) fn of_entry(entry: Entry, provider: &dyn Provider, written: &Written) -> Self {
        let Entry { names, server, certificate_authority_data, tls_server_name, proxy_url, user } =
            entry;
        let texts = [
            ("server", Some(server)),
            ("certificate-authority-data", certificate_authority_data),
            ("tls-server-name", tls_server_name),
            ("proxy-url", proxy_url),
        ];
        let texts =
            texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into())));
        Self {
            cluster: names.cluster,
            user: names.user,
            context: names.context,
            cluster_value: texts.collect(),
            user_value: of_user(user, provider, written),
            notes: Vec::new(),
        }
    }

    /// From a kubeconfig that the cloud wrote, with one context. Its user is taken over; one with a
    /// certificate or token is left as it is.
    pub(crate) fn of_kubeconfig(
        text: &SecretString,
        overrides: Overrides,
        provider: &'static dyn Provider,
        written: &Written,
    ) -> Result<Self> {
        let document = Document::read(text.expose_secret(), THEIRS)?;
        let contexts = document.entries(Section::Contexts);
        let [context] = contexts.as_slice() else {
            return Err(strange("it has no context, or several"));
        };
        let named = |section: Section| -> Result<(String, Value)> {
            let name = document.text(context, section.one()).unwrap_or_default();
            let entry = document.entry(section, name).ok_or_else(|| {
                strange(&format!("its context names a {} that is not there", section.one()))
            })?;
            let value = document.value(&entry).map_err(|_| strange("it is too large"))?;
            Ok((name.to_owned(), value))
        };
        let (cluster, cluster_value) = named(Section::Clusters)?;
        let (user, user_value) = named(Section::Users)?;
        let cluster_value = reached_by(&cluster_value)?;
        let clusters = reached::by_user(&document).remove(user.as_str()).unwrap_or_default();
        let (user_value, notes) = if has_plugin(&user_value) {
            of_plugin(&user_value, overrides, &clusters, provider, written)?
        } else {
            (local(&user_value)?, Vec::new())
        };
        for name in [&cluster, &user, context.name] {
            if one_line(name) != *name || name.trim().is_empty() {
                return Err(strange("an entry has a name that none should have"));
            }
        }
        let context = context.name.to_owned();
        Ok(Self { cluster, user, context, cluster_value, user_value, notes })
    }

    /// Its server's URL.
    pub(crate) fn server(&self) -> &str {
        self.cluster_value.get("server").and_then(Value::as_str).unwrap_or_default()
    }

    /// Goes by a proxy.
    pub(crate) fn set_proxy(&mut self, url: &str) {
        self.cluster_value.insert("proxy-url".into(), url.into());
    }

    /// The entries, by the names that it has now.
    pub(crate) fn addition(self) -> Addition {
        let Self { cluster, user, context, cluster_value, user_value, notes } = self;
        let context_value = json!({ "cluster": cluster, "user": user });
        let entry = |section, name, value| Wanted { section, name, value };
        Addition {
            entries: [
                entry(Section::Clusters, cluster, Value::Object(cluster_value)),
                entry(Section::Contexts, context, context_value),
                entry(Section::Users, user, user_value),
            ],
            notes,
        }
    }
}

fn of_user(user: EntryUser, provider: &dyn Provider, written: &Written) -> Value {
    match user {
        EntryUser::Plugin { args, env } => {
            let adoption = Adoption { args, env, ..Adoption::default() };
            json!({ "exec": Stanza::new(provider.name(), &adoption, written).value() })
        }
        EntryUser::Local { client_certificate_data, client_key_data, token } => {
            let secret =
                |secret: Option<SecretString>| secret.map(|s| s.expose_secret().to_owned());
            let texts = [
                ("client-certificate-data", client_certificate_data),
                ("client-key-data", secret(client_key_data)),
                ("token", secret(token)),
            ];
            let texts = texts.into_iter();
            texts.filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?)))).collect()
        }
    }
}

/// How the cluster is reached: where, and whom to believe there. Whatever else stands there would be
/// somebody's who is not asked.
fn reached_by(cluster: &Value) -> Result<Map<String, Value>> {
    let text = |key: &str| cluster[key].as_str().map(str::to_owned);
    let server = text("server").unwrap_or_default();
    let url = Url::parse(&server).ok().filter(|url| {
        url.scheme() == "https"
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
    });
    if url.is_none() || one_line(&server) != server {
        return Err(strange("its server is not an https URL"));
    }
    let keys = ["server", "certificate-authority-data", "tls-server-name"];
    Ok(keys.into_iter().filter_map(|key| Some((key.to_owned(), text(key)?.into()))).collect())
}

/// A user that runs a program: what it is in our words, and nothing else of it. A kubeconfig that came
/// from elsewhere says neither which program is run nor with which variables, and only what a
/// cluster may say about who signs in.
fn of_plugin(
    user: &Value,
    overrides: Overrides,
    clusters: &[Reached],
    provider: &'static dyn Provider,
    written: &Written,
) -> Result<(Value, Vec<String>)> {
    let take_over = |overrides: Overrides| {
        let wish = Wish::new(vec![(provider, overrides)], written.clone());
        match wish.take_over(user, clusters) {
            Takeover::New(new) => Ok(new),
            Takeover::Left(error) => Err(error),
            Takeover::Nothing | Takeover::Ours => {
                Err(strange("its user runs a program that is not known here"))
            }
        }
    };
    let said = take_over(Overrides::default())?.adoption;
    provider.extension(&said.args).map_err(|_| {
        strange("its user names a file, a host or a secret, which is not for it to say")
    })?;
    let Adoption { args, env: _, notes, wants_cluster } = take_over(overrides)?.adoption;
    let adoption = Adoption { args, env: Vec::new(), notes: Vec::new(), wants_cluster };
    let knows = wants_cluster
        && !clusters.is_empty()
        && clusters.iter().all(|cluster| cluster.may_be_told(provider));
    let stanza = Stanza::new(provider.name(), &adoption, written).knowing_the_cluster(knows);
    Ok((json!({ "exec": stanza.value() }), notes))
}

/// A user with a certificate or a token in it.
fn local(user: &Value) -> Result<Value> {
    let keys = ["client-certificate-data", "client-key-data", "token"];
    let texts =
        keys.into_iter().filter_map(|key| Some((key.to_owned(), user[key].as_str()?.into())));
    let texts: Map<String, Value> = texts.collect();
    if texts.is_empty() {
        return Err(strange("its user has neither a plugin nor a certificate or token in it"));
    }
    Ok(Value::Object(texts))
}

fn has_plugin(user: &Value) -> bool {
    ["exec", "auth-provider"].iter().any(|key| user.get(key).is_some_and(|value| !value.is_null()))
}

fn strange(why: &str) -> Error {
    Error::failed("the kubeconfig that came for this cluster was not understood").because(why)
}

const CLUSTER: usize = 0;
const CONTEXT: usize = 1;
const USER: usize = 2;
const THEIRS: &str = "the cloud's kubeconfig";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::PROVIDERS;

    const TEXT: &str = "\
clusters: [{name: c, cluster: {server: 'https://c'}}]
contexts: [{name: k, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: hunter2}}]
";

    fn described(text: &str) -> Result<Described> {
        let written = Written::new(None, None);
        Described::of_kubeconfig(&text.into(), Overrides::default(), PROVIDERS[0], &written)
    }

    #[test]
    fn a_certificate_or_token_is_taken_as_it_is_and_shown_to_nobody() {
        let mut described = described(TEXT).unwrap();
        described.set_proxy("http://p");
        assert_eq!(described.server(), "https://c");
        let mut addition = described.addition();
        addition.rename_user("v");
        let [cluster, context, user] = &addition.entries;
        assert_eq!(cluster.value, json!({"server": "https://c", "proxy-url": "http://p"}));
        assert_eq!(context.item(), json!({"name": "k", "context": {"cluster": "c", "user": "v"}}));
        assert_eq!(user.item(), json!({"name": "v", "user": {"token": "hunter2"}}));
        assert!(!format!("{addition:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_not_for_a_cluster_to_say_is_not_taken_over() {
        let text = TEXT
            .replace(
                "{server: 'https://c'}",
                "{server: 'https://c', proxy-url: 'http://p', insecure-skip-tls-verify: true}",
            )
            .replace("{token: hunter2}", "{token: hunter2, tokenFile: /x, as: admin}");
        let addition = described(&text).unwrap().addition();
        let [cluster, _, user] = &addition.entries;
        assert_eq!(cluster.value, json!({"server": "https://c"}));
        assert_eq!(user.item(), json!({"name": "u", "user": {"token": "hunter2"}}));
    }

    #[test]
    fn a_kubeconfig_of_another_shape_is_refused() {
        for (text, why) in [
            (TEXT.replace("contexts", "x"), "no context"),
            (TEXT.replace("name: c,", "name: d,"), "a cluster that is not there"),
            (TEXT.replace("{token: hunter2}", "{exec: {command: mars}}"), "not known here"),
            (TEXT.replace("{server: 'https://c'}", "null"), "not an https URL"),
            (TEXT.replace("https://c", "http://c"), "not an https URL"),
            (TEXT.replace("https://c", "https://u:p@c"), "not an https URL"),
            (TEXT.replace("{token: hunter2}", "{tokenFile: /etc/shadow}"), "neither a plugin nor"),
            (
                TEXT.replace("{token: hunter2}", "{client-key: /k, as: admin}"),
                "neither a plugin nor",
            ),
            (
                TEXT.replace(
                    "{token: hunter2}",
                    "{exec: {command: /x/fleetkey, args: [get-token]}}",
                ),
                "not known here",
            ),
            (TEXT.replace("name: k,", "name: \"k\\e[2J\","), "a name that none should have"),
            ("a text".into(), "it is a text"),
        ] {
            let Err(error) = described(&text) else { panic!("accepted: {text}") };
            assert!(error.to_string().contains(why), "{error} for {why}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
