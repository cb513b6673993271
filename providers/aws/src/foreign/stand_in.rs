//! Standing in for `aws` and `aws-iam-authenticator`: their command lines, run by us.
//!
//! The environment counts as it does for them: before what a cluster's server is called. Three things
//! are otherwise. `output` and `query` of a profile are not read. What a cluster's extension says
//! fills in what no flag does, as for every token. And where no place names a region, the
//! authenticator takes `us-east-1` and `aws` the global STS; fleetkey asks a machine that is surely
//! of EC2, and else says that no region is named.

use fleetkey_provider::{Env, Error, Result, StandIn, quoted, shown};

use super::{
    authenticator_line::{AuthenticatorLine, Fallbacks, TokenVerb, no_cluster},
    authenticator_manner::{self, AuthenticatorManner},
    aws_answer::{Form, Query},
    aws_line::{AwsLine, GetToken},
    aws_manner::{self, AwsManner},
    failure::wrong,
    is_authenticator, is_aws,
    words::Words,
};
use crate::variables;

/// Understands the command line of either; `None` if it is of neither. Looks at one word after the
/// other for `eks` before it looks closer.
pub(crate) fn stands_in(program: &str, args: &[String], env: &dyn Env) -> Option<Result<StandIn>> {
    if is_authenticator(program) {
        return Some(Ok(authenticator(args, env)));
    }
    if is_aws(program) {
        let line = AwsLine::read(args);
        return Some(aws(line, env).unwrap_or_else(|| Err(not_here_of_aws(args))));
    }
    if !args.iter().any(|word| word == "eks") {
        return None;
    }
    aws(AwsLine::read_strictly(args), env)
}

/// `None` for another command than those known.
fn aws(line: Result<AwsLine<'_>>, env: &dyn Env) -> Option<Result<StandIn>> {
    Some(match line {
        Ok(AwsLine::GetToken(token)) => Ok(get_token(&token, env).unwrap_or_else(of_usage)),
        Ok(AwsLine::UpdateKubeconfig(line)) => {
            Err(Error::config("`aws eks update-kubeconfig` is another command here").next(line))
        }
        Ok(AwsLine::Version) => {
            Ok(StandIn::Text(format!("fleetkey/{VERSION}, in place of aws for `eks get-token`\n")))
        }
        Ok(AwsLine::Other) => return None,
        Err(error) => Ok(of_usage(error)),
    })
}

fn of_usage(error: Error) -> StandIn {
    wrong(
        error.or_next(|| "fleetkey get-token aws --help".into()),
        aws_manner::WORD,
        aws_manner::USAGE,
    )
}

fn get_token(token: &GetToken<'_>, env: &dyn Env) -> Result<StandIn> {
    token.check_cluster()?;
    let form = match token.output {
        Some(output) => Form::parse(output, "`--output`")?,
        None => match text(env, variables::AWS_DEFAULT_OUTPUT)? {
            Some(output) => Form::parse(&output, "`AWS_DEFAULT_OUTPUT`")?,
            None => Form::default(),
        },
    };
    let query = token.query.map(Query::parse).transpose()?.unwrap_or_default();
    let mut words = Words::default();
    words.set("cluster-name", token.cluster_name.filter(|name| !name.is_empty()));
    words.set("cluster-id", token.cluster_id.filter(|id| !id.is_empty()));
    words.set("region", region(token.region, env)?);
    words.set("profile", token.profile);
    words.set("role-arn", token.role_arn);
    Ok(StandIn::Token { args: words.into_args()?, manner: Box::new(AwsManner { form, query }) })
}

fn authenticator(args: &[String], env: &dyn Env) -> StandIn {
    let token = match AuthenticatorLine::read(args) {
        Ok(AuthenticatorLine::Token(token)) => token_of(&token, env),
        Ok(AuthenticatorLine::Version { short: true }) => {
            return StandIn::Text(format!("{AUTHENTICATOR_VERSION}+fleetkey.{VERSION}\n"));
        }
        Ok(AuthenticatorLine::Version { short: false }) => {
            return StandIn::Text(format!(
                "{{\"Version\":\"{AUTHENTICATOR_VERSION}+fleetkey.{VERSION}\",\
                 \"Commit\":\"none\",\"BuildDate\":\"unknown\"}}\n"
            ));
        }
        Ok(AuthenticatorLine::Help) => return StandIn::Text(HELP.into()),
        Ok(AuthenticatorLine::Other(verb)) => {
            Err(Error::config(format!("`aws-iam-authenticator {}` is not here", shown(verb)))
                .because("fleetkey stands in for `token` and `version`"))
        }
        Err(error) => Err(error),
    };
    token.unwrap_or_else(|error| {
        let error = error.or_next(|| "aws-iam-authenticator help".into());
        wrong(error, authenticator_manner::WORD, authenticator_manner::FAILED)
    })
}

fn token_of(token: &TokenVerb<'_>, env: &dyn Env) -> Result<StandIn> {
    let fallbacks = Fallbacks::of_env(env)?;
    let cluster = token.cluster.map(str::to_owned).or(fallbacks.cluster).ok_or_else(no_cluster)?;
    let role = token.role.map(str::to_owned).or(fallbacks.role);
    let has_role = role.is_some();
    let mut words = Words::default();
    words.set("cluster-name", Some(cluster));
    words.set("region", region(token.region, env)?);
    words.set("role-arn", role);
    // the original has no use for these without a role, and says nothing about it
    if has_role {
        words.set("external-id", token.external_id);
        words.set("session-name", token.session_name);
        if token.forward_session_name {
            words.switch_on("forward-session-name");
        }
    }
    let manner = AuthenticatorManner { token_only: token.token_only };
    Ok(StandIn::Token { args: words.into_args()?, manner: Box::new(manner) })
}

/// The flag's region or, said as a flag so that no server's name comes first, the environment's.
fn region(flag: Option<&str>, env: &dyn Env) -> Result<Option<String>> {
    if let Some(region) = flag {
        return Ok(Some(region.to_owned()));
    }
    match text(env, variables::AWS_REGION)? {
        Some(region) => Ok(Some(region)),
        None => text(env, variables::AWS_DEFAULT_REGION),
    }
}

/// A variable as text; empty is unset.
fn text(env: &dyn Env, name: &str) -> Result<Option<String>> {
    match env.var(name).map(std::ffi::OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(Err(_)) => Err(Error::config(format!("the variable `{name}` is not UTF-8 text"))),
    }
}

fn not_here_of_aws(args: &[String]) -> Error {
    let words = args.iter().filter(|word| !word.starts_with('-')).take(2);
    let line: Vec<_> = [String::from("aws")].into_iter().chain(words.map(|w| quoted(w))).collect();
    Error::config(format!("`{}` is not here", shown(&line.join(" "))))
        .because("fleetkey stands in for `aws eks get-token`, and this `aws` is fleetkey")
        .next("fleetkey get-token aws --help")
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of the authenticator whose command line this is. Installers compare it.
const AUTHENTICATOR_VERSION: &str = "0.7.0";

const HELP: &str = "\
fleetkey, in place of aws-iam-authenticator

Usage:
  aws-iam-authenticator token -i CLUSTER [flags]
  aws-iam-authenticator version [--short]

Flags of token:
  -i, --cluster-id NAME       the cluster [env: KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID]
  -r, --role ARN              the role to ask the token for [env: DEFAULT_ROLE]
  -e, --external-id ID        the external id that the role asks for
  -s, --session-name NAME     the name of the role's session
      --forward-session-name  take the session's name over
      --region REGION         the AWS region
      --token-only            print the token alone
";

#[cfg(test)]
mod tests;
