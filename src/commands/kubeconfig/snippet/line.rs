//! The command line of a user, complete in itself: with all that the cluster would say, and without
//! what nobody should read.

use std::ffi::OsString;

use clap::parser::ValueSource;
use fleetkey_provider::{ClusterInfo, Error, ExecInfo, Host, Overrides, Provider, Result, shown};
use serde_json::Value;

use super::Place;
use crate::{
    cli,
    commands::kubeconfig::again::without_credentials,
    kubeconfig::{
        foreign::name_of,
        stanza::{NAME, Written},
        takeover::{Takeover, Wish},
    },
    options::Command,
    recognise::{self, PROVIDER},
    registry::{self, PROVIDERS},
};

/// What starts the plugin.
pub(super) struct Line {
    pub(super) api_version: String,
    pub(super) command: String,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    /// What a person should know.
    pub(super) notes: Vec<String>,
}

impl Line {
    /// That of the user: its own, or what `convert` would make of it.
    pub(super) fn of(place: &Place, host: &Host) -> Result<Self> {
        let providers = PROVIDERS.iter().map(|one| (*one, Overrides::default())).collect();
        let wish = Wish::new(providers, Written::new(None, None));
        let (exec, notes) = match wish.take_over(&place.user, &[]) {
            Takeover::Ours => (place.user.get("exec").cloned().unwrap_or_default(), Vec::new()),
            Takeover::New(new) => (new.exec, new.adoption.notes),
            Takeover::Left(why) => {
                let wrapped = Error::new(
                    why.kind(),
                    format!("user `{}`: {}", shown(&place.name), why.message()),
                );
                let wrapped = why.cause().iter().fold(wrapped, |error, why| error.because(*why));
                return Err(why.next_line().iter().fold(wrapped, |error, next| error.next(*next)));
            }
            Takeover::Nothing => {
                return Err(Error::config(format!(
                    "user `{}` signs in by no program that is known here",
                    shown(&place.name)
                ))
                .next("kubectl config view --minify"));
            }
        };
        let mut line = Self::read(&exec, notes);
        if name_of(&line.command) != NAME {
            return Err(Error::config(format!(
                "user `{}` runs fleetkey by `{}`",
                shown(&place.name),
                shown(&line.command)
            ))
            .because("what a wrapper sets may be secret, and is not written out")
            .next("kubectl config view --minify"));
        }
        let is_told = exec.get("provideClusterInfo").and_then(Value::as_bool) == Some(true);
        line.complete(&place.cluster, is_told, host)?;
        line.leave_secrets_out();
        Ok(line)
    }

    fn read(exec: &Value, notes: Vec<String>) -> Self {
        let text = |value: &Value, key| {
            value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let list = |key| exec.get(key).and_then(Value::as_array).into_iter().flatten();
        let args = list("args").filter_map(|word| word.as_str().map(str::to_owned)).collect();
        let env = list("env").map(|pair| (text(pair, "name"), text(pair, "value"))).collect();
        let (api_version, command) = (text(exec, "apiVersion"), text(exec, "command"));
        Self { api_version, command, args, env, notes }
    }

    /// Names the provider, and says by flags what the cluster's extension does.
    fn complete(&mut self, cluster: &Value, is_told: bool, host: &Host) -> Result<()> {
        let cluster = recognise::told(cluster);
        let words = std::iter::once(NAME).chain(self.args.iter().map(String::as_str));
        let cli::Parsed::Verb(matches) = cli::parse(words.map(OsString::from))? else {
            return Err(Error::config("the user of the context asks for no token"));
        };
        let Command { verbs, matches, options, .. } = Command::new(matches)?;
        if self.api_version.is_empty() {
            // that of the answer, where a client names none
            options.api_version.unwrap_or_default().as_str().clone_into(&mut self.api_version);
        }
        let provider = if let Some(name) = verbs.get(1) {
            registry::find(name).ok_or_else(|| Error::config("no cloud was named"))?
        } else {
            let provider = recognise::provider_of(&cluster)?;
            self.args.insert(1, provider.name().to_owned());
            provider
        };
        if !is_told {
            return Ok(());
        }
        let is_one_stanza = verbs.len() == 1;
        let command = provider.arguments(clap::Command::new(provider.name()));
        for (key, value) in cluster.config.iter().filter(|(key, _)| *key != PROVIDER) {
            let Some(flag) = command.get_arguments().find(|arg| arg.get_long() == Some(key)) else {
                continue;
            };
            let is_typed = !is_one_stanza
                && matches.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine);
            if is_typed {
                continue;
            }
            let words = as_flags(key, value, flag)?;
            // what may not stand in an extension is not read there
            if provider.extension(&words).is_ok() {
                self.args.extend(words);
            }
        }
        self.note_what_is_missing(provider, cluster, host);
        Ok(())
    }

    /// What only the cluster's server said, by its name, is not said any more: then something else
    /// would be asked for.
    fn note_what_is_missing(&mut self, provider: &dyn Provider, cluster: ClusterInfo, host: &Host) {
        let asked = |cluster: Option<ClusterInfo>| -> Result<String> {
            let words = std::iter::once(NAME).chain(self.args.iter().map(String::as_str));
            let cli::Parsed::Verb(matches) = cli::parse(words.map(OsString::from))? else {
                return Ok(String::new());
            };
            let Command { mut matches, .. } = Command::new(matches)?;
            let exec = ExecInfo { cluster, ..ExecInfo::default() };
            provider.request(&mut matches, &exec, host).map(|request| format!("{request:?}"))
        };
        let what = match (asked(Some(cluster)), asked(None)) {
            (Ok(told), Ok(untold)) if told == untold => return,
            (Ok(_), Err(error)) => format!(": {}", error.message()),
            (Ok(_), Ok(_)) => ", not even what its server's name says, such as a region".into(),
            // that is not for want of a flag
            (Err(_), _) => return,
        };
        self.notes.push(format!(
            "Terraform tells a plugin nothing of the cluster{what}; add to `args` what is missing"
        ));
    }

    fn leave_secrets_out(&mut self) {
        let mut words = std::mem::take(&mut self.args).into_iter();
        while let Some(word) = words.next() {
            let flag = word.strip_prefix("--").map(|flag| flag.split('=').next().unwrap_or(flag));
            let Some(flag) = flag.filter(|flag| is_secret(flag)) else {
                self.args.push(word);
                continue;
            };
            // what was said of it is not so here
            let named = format!("`--{flag}`");
            self.notes.retain(|note| !note.contains(&named));
            self.notes.push(format!(
                "{named} is a secret, and left out: name a file, or set its variable where Terraform runs"
            ));
            if !word.contains('=') {
                words.next();
            }
        }
        let is_one =
            |name: &str, value: &str| is_secret(name) || without_credentials(value) != value;
        for (name, _) in self.env.extract_if(.., |(name, value)| is_one(name, value)) {
            self.notes.push(format!(
                "`{}` is a secret, and left out: set it where Terraform runs",
                shown(&name)
            ));
        }
    }
}

/// A key of the extension as it would be typed.
fn as_flags(key: &str, value: &Value, flag: &clap::Arg) -> Result<Vec<String>> {
    let written = |text: &str| {
        if flag.is_require_equals_set() || text.starts_with('-') {
            vec![format!("--{key}={text}")]
        } else {
            vec![format!("--{key}"), text.to_owned()]
        }
    };
    Ok(match value {
        Value::Bool(true) => vec![format!("--{key}")],
        Value::Bool(false) | Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => written(text),
        Value::Array(items) => items.iter().filter_map(Value::as_str).flat_map(written).collect(),
        Value::Number(_) | Value::Object(_) => {
            return Err(Error::config(format!("`{key}` in the cluster's extension is not text"))
                .next("kubectl config view --minify"));
        }
    })
}

/// A flag or variable whose value is one: of a provider's, or by its name.
fn is_secret(name: &str) -> bool {
    let is_known = PROVIDERS.iter().any(|provider| provider.secrets().contains(&name));
    let is_named_so = || {
        let name = name.to_ascii_uppercase();
        let words = ["SECRET", "PASSWORD", "TOKEN"];
        words.iter().any(|word| name.ends_with(word)) && !name.contains('-')
    };
    is_known || is_named_so()
}
