//! Taking over a user of a kubeconfig that was made for `aws` or `aws-iam-authenticator`.
//!
//! What its arguments and variables say becomes flags of ours: a profile or a region is safer as a
//! flag, since a variable loses to access keys that happen to be in somebody's shell. What nothing is
//! known of stays where it is.

use clap::{ArgAction, Command};
use fleetkey_provider::{Adoption, Foreign, Overrides, Result, shown};

use super::{
    authenticator_line::{AuthenticatorLine, Fallbacks, TokenVerb, no_cluster},
    aws_line::{AwsLine, GetToken},
    is_authenticator, is_aws,
    words::Words,
};
use crate::{arguments, variables};

/// Takes it over; `None` if it was made for neither.
pub(crate) fn adopt(foreign: &Foreign, overrides: &Overrides) -> Option<Result<Adoption>> {
    let Foreign::Program { name, args, env } = foreign else { return None };
    if is_aws(name) {
        return match AwsLine::read(args) {
            Ok(AwsLine::GetToken(token)) => Some(of_aws(&token, env, overrides)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        };
    }
    if is_authenticator(name) {
        return match AuthenticatorLine::read(args) {
            Ok(AuthenticatorLine::Token(token)) => Some(of_authenticator(&token, env, overrides)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        };
    }
    None
}

fn of_aws(token: &GetToken<'_>, env: &[(String, String)], over: &Overrides) -> Result<Adoption> {
    if !names_cluster(over) {
        token.check_cluster()?;
    }
    let mut user = Taken::new(env);
    user.words.set("cluster-name", token.cluster_name.filter(|name| !name.is_empty()));
    user.words.set("cluster-id", token.cluster_id.filter(|id| !id.is_empty()));
    user.words.set("region", token.region);
    user.words.set("profile", token.profile);
    user.words.set("role-arn", token.role_arn);
    if let Some(output) = token.output.filter(|output| *output != "json") {
        user.note(format!(
            "`--output {}` was left out: no client reads that, and fleetkey answers in JSON",
            shown(output)
        ));
    }
    if token.query.is_some() {
        user.note("`--query` was left out: clients want the whole answer");
    }
    for name in &token.further {
        if let Some((_, why)) = LEFT_OUT.iter().find(|(flag, _)| flag == name) {
            user.note(format!("`--{name}` was left out: {why}"));
        }
    }
    user.finish(over)
}

fn of_authenticator(
    token: &TokenVerb<'_>,
    env: &[(String, String)],
    over: &Overrides,
) -> Result<Adoption> {
    let mut user = Taken::new(env);
    let fallbacks = Fallbacks::of(|name| user.take(name));
    let cluster = token.cluster.map(str::to_owned).or(fallbacks.cluster);
    if cluster.is_none() && !names_cluster(over) {
        return Err(no_cluster());
    }
    let role = token.role.map(str::to_owned).or(fallbacks.role);
    let has_role = role.is_some() || over.value("role-arn").is_some();
    user.words.set("cluster-name", cluster);
    user.words.set("region", token.region);
    user.words.set("role-arn", role);
    let mut of_role = Words::default();
    of_role.set("external-id", token.external_id);
    of_role.set("session-name", token.session_name);
    if token.forward_session_name {
        of_role.switch_on("forward-session-name");
    }
    if has_role {
        user.words.append(of_role);
    } else {
        for name in of_role.names() {
            user.note(format!("`--{name}` was left out: no role is named that it could be for"));
        }
    }
    if token.token_only {
        user.note("`--token-only` was left out: no client reads a bare token");
    }
    user.take(variables::AWS_IAM_AUTHENTICATOR_CACHE_FILE);
    user.take(variables::AWS_IAM_AUTHENTICATOR_LOG_VERBOSITY);
    let adoption = user.finish(over)?;
    Ok(if adoption.args.iter().any(|word| word == "--region") {
        adoption
    } else {
        let note = "no region is named: where nothing else does, `aws-iam-authenticator` takes \
                    `us-east-1`, and fleetkey says that one is missing";
        Adoption { notes: [adoption.notes, vec![note.into()]].concat(), ..adoption }
    })
}

fn names_cluster(overrides: &Overrides) -> bool {
    ["cluster-name", "cluster-id"].iter().any(|name| overrides.value(name).is_some())
}

/// A user on the way.
struct Taken {
    words: Words,
    env: Vec<(String, String)>,
    notes: Vec<String>,
}

impl Taken {
    fn new(env: &[(String, String)]) -> Self {
        Self { words: Words::default(), env: env.to_vec(), notes: Vec::new() }
    }

    fn note(&mut self, line: impl Into<String>) {
        self.notes.push(line.into());
    }

    /// What a variable says; the last one of a name counts, as for whoever starts the program.
    fn var(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find(|(var, _)| var == name).map(|(_, value)| value.as_str())
    }

    /// The same, and it is gone.
    fn take(&mut self, name: &str) -> Option<String> {
        let value = self.var(name).map(str::to_owned);
        self.env.retain(|(var, _)| var != name);
        value
    }

    /// Whether a variable says something: an empty one hides that of a shell, and has to stay.
    fn says(&self, name: &str) -> bool {
        self.var(name).is_some_and(|value| !value.is_empty())
    }

    /// What is the same for both programs.
    fn finish(mut self, overrides: &Overrides) -> Result<Adoption> {
        let flags = Flags::known();
        self.override_with(overrides, &flags);
        self.profile();
        self.region();
        self.take(variables::AWS_DEFAULT_OUTPUT);
        self.take(variables::AWS_PAGER);
        if self.take(variables::AWS_STS_REGIONAL_ENDPOINTS).as_deref() == Some("legacy") {
            self.note(
                "`AWS_STS_REGIONAL_ENDPOINTS=legacy` was left out: tokens are for the regional STS, \
                 which every cluster believes",
            );
        }
        let order: Vec<_> = flags.0.iter().map(|flag| flag.name.as_str()).collect();
        self.words.sort_like(&order);
        let Self { words, env, notes } = self;
        // a token names its cluster, and no other takes it
        Ok(Adoption { args: words.into_args()?, env, notes, wants_cluster: false })
    }

    /// A profile as a flag beats access keys of the environment, as a variable it does not. So it
    /// stays a variable where the keys stand beside it, and are what counts.
    fn profile(&mut self) {
        const NAMES: [&str; 2] = [variables::AWS_PROFILE, variables::AWS_DEFAULT_PROFILE];
        let Some(said) = NAMES.into_iter().find(|name| self.says(name)) else { return };
        let is_flag = self.words.has(PROFILE) || self.words.has(SSO_SESSION);
        if !is_flag && self.says(variables::AWS_ACCESS_KEY_ID) {
            self.note(format!(
                "`{said}` stays a variable: the access keys beside it win over it, which they would \
                 not over `--profile`"
            ));
            return;
        }
        let [first, second] = NAMES.map(|name| self.take(name));
        if !is_flag {
            self.words.set(PROFILE, first.filter(|name| !name.is_empty()).or(second));
        }
    }

    fn region(&mut self) {
        const NAMES: [&str; 2] = [variables::AWS_REGION, variables::AWS_DEFAULT_REGION];
        if NAMES.into_iter().any(|name| self.says(name)) {
            let [first, second] = NAMES.map(|name| self.take(name));
            if !self.words.has(REGION) {
                self.words.set(REGION, first.filter(|name| !name.is_empty()).or(second));
            }
        }
    }

    fn override_with(&mut self, Overrides(overrides): &Overrides, flags: &Flags) {
        // those of a flag that is repeated are all meant, in place of all there were
        for (name, value) in overrides {
            self.words.remove(name);
            for rival in rivals(name).iter().filter(|_| value != "false") {
                self.words.remove(rival);
            }
        }
        for (name, value) in overrides {
            match flags.find(name) {
                Some(Flag { is_switch: true, .. }) if value == "true" => self.words.switch_on(name),
                Some(Flag { is_switch: true, .. }) => {}
                Some(Flag { is_repeated: true, .. }) => self.words.add(name, Some(value.clone())),
                Some(_) => self.words.set(name, Some(value.as_str())),
                None => self.note(format!(
                    "`--{}` was left out: it is no flag of `get-token aws`",
                    shown(name)
                )),
            }
        }
    }
}

/// The flags that say the same thing otherwise: whoever types one of them does not mean the other.
fn rivals(name: &str) -> &'static [&'static str] {
    match name {
        "cluster-name" => &["cluster-id"],
        "cluster-id" => &["cluster-name"],
        PROFILE => &[SSO_SESSION, "sso-account-id", "sso-role-name"],
        SSO_SESSION => &[PROFILE],
        "session-name" => &["forward-session-name"],
        "forward-session-name" => &["session-name"],
        _ => &[],
    }
}

/// The flags of `get-token aws`, in the order of its help.
struct Flags(Vec<Flag>);

struct Flag {
    name: String,
    is_switch: bool,
    is_repeated: bool,
}

impl Flags {
    fn known() -> Self {
        let command = arguments::augment(Command::new("aws"));
        let flag = |arg: &clap::Arg| {
            Some(Flag {
                name: arg.get_long()?.to_owned(),
                is_switch: !arg.get_action().takes_values(),
                is_repeated: matches!(arg.get_action(), ArgAction::Append),
            })
        };
        Self(command.get_arguments().filter_map(flag).collect())
    }

    fn find(&self, name: &str) -> Option<&Flag> {
        self.0.iter().find(|flag| flag.name == name)
    }
}

const PROFILE: &str = "profile";
const SSO_SESSION: &str = "sso-session";
const REGION: &str = "region";

/// Flags of every `aws` command that a person should know to be gone, and why they are.
const LEFT_OUT: &[(&str, &str)] = &[
    ("endpoint-url", "`aws eks get-token` pays no heed to it"),
    ("no-verify-ssl", "`aws eks get-token` pays no heed to it"),
    (
        "ca-bundle",
        "`aws eks get-token` pays no heed to it; the variable `AWS_CA_BUNDLE` does what it says",
    ),
    ("no-sign-request", "a token is a signature"),
    ("debug", "`-v` says what fleetkey decides"),
    ("cli-read-timeout", "`--timeout` bounds all of fleetkey's network"),
    ("cli-connect-timeout", "`--timeout` bounds all of fleetkey's network"),
];

#[cfg(test)]
mod tests;
