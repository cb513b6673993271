//! The grammar of `aws … eks get-token …`, as it stands in kubeconfigs and scripts.
//!
//! Three parsers, one behind the other: the flags of every `aws` command, which may stand anywhere;
//! the words `eks` and `get-token`; the flags of that command. The flags of both versions of the AWS
//! CLI are known.

use fleetkey_provider::{Error, Result, quoted, shown};

use super::argparse::{self, Flag, Parsed};

/// A command line of `aws`.
#[derive(Debug)]
pub(super) enum AwsLine<'a> {
    /// It asks for a token.
    GetToken(GetToken<'a>),
    /// It writes a kubeconfig. The line with which fleetkey does.
    UpdateKubeconfig(String),
    /// It asks for the version.
    Version,
    /// Another command.
    Other,
}

/// What `aws eks get-token` is told.
#[derive(Debug, Default)]
pub(super) struct GetToken<'a> {
    /// `--cluster-name`
    pub(super) cluster_name: Option<&'a str>,
    /// `--cluster-id`
    pub(super) cluster_id: Option<&'a str>,
    /// `--role-arn`
    pub(super) role_arn: Option<&'a str>,
    /// `--region`
    pub(super) region: Option<&'a str>,
    /// `--profile`
    pub(super) profile: Option<&'a str>,
    /// `--output`
    pub(super) output: Option<&'a str>,
    /// `--query`
    pub(super) query: Option<&'a str>,
    /// The further flags of every command that were there, by name.
    pub(super) further: Vec<&'static str>,
}

impl<'a> AwsLine<'a> {
    /// Reads the words behind `aws`. Errors if they ask for a token, and are wrong.
    pub(super) fn read(words: &'a [String]) -> Result<Self> {
        Self::read_all(words, false)
    }

    /// The same for words that may be another program's own: then nothing but flags of `aws` may
    /// stand before `eks`.
    pub(super) fn read_strictly(words: &'a [String]) -> Result<Self> {
        Self::read_all(words, true)
    }

    fn read_all(words: &'a [String], strictly: bool) -> Result<Self> {
        let texts = || words.iter().map(String::as_str);
        let mut globals = match argparse::parse(texts(), GLOBALS) {
            Ok(globals) => globals,
            // a mistake in another command is none of ours
            Err(error) if !strictly && is_meant(words) => return Err(error),
            Err(_) => return Ok(Self::Other),
        };
        let has_version = globals.has("version");
        if strictly && (has_version || globals.rest.first() != Some(&EKS)) {
            return Ok(Self::Other);
        }
        if has_version {
            return Ok(Self::Version);
        }
        if globals.take_word() != Some(EKS) {
            return Ok(Self::Other);
        }
        match globals.take_word() {
            Some(GET_TOKEN) => GetToken::read(&globals).map(Self::GetToken),
            Some(UPDATE_KUBECONFIG) => update_kubeconfig(&globals).map(Self::UpdateKubeconfig),
            _ => Ok(Self::Other),
        }
    }
}

/// Whether the words are about a token, however wrong they are.
fn is_meant(words: &[String]) -> bool {
    let mut words = words.iter();
    words.any(|word| word == EKS) && words.any(|word| word == GET_TOKEN)
}

impl<'a> GetToken<'a> {
    fn read(globals: &Parsed<'a>) -> Result<Self> {
        let own = argparse::parse(globals.rest.iter().copied(), OWN)?;
        if let Some(word) = own.rest.first() {
            return Err(Error::config(format!("`aws eks get-token` knows no `{}`", shown(word))));
        }
        let (cluster_name, cluster_id) = (own.value(CLUSTER_NAME), own.value(CLUSTER_ID));
        if cluster_name.is_some() && cluster_id.is_some() {
            return Err(Error::config("`--cluster-name` and `--cluster-id` exclude each other")
                .because("a cluster has a name, or, on Outposts, an id"));
        }
        let value = |name| globals.value(name);
        let further = globals.flags.iter().map(|(name, _)| *name);
        Ok(Self {
            cluster_name,
            cluster_id,
            role_arn: own.value("role-arn"),
            // an empty one is none, as in the original
            region: value("region").filter(|text| !text.is_empty()),
            profile: value("profile").filter(|text| !text.is_empty()),
            output: value("output"),
            query: value("query"),
            further: further.filter(|name| !UNDERSTOOD.contains(name)).collect(),
        })
    }

    /// Errors if it names no cluster.
    pub(super) fn check_cluster(&self) -> Result<()> {
        let named = [self.cluster_name, self.cluster_id];
        if named.into_iter().flatten().any(|text| !text.is_empty()) {
            return Ok(());
        }
        Err(Error::config("no cluster is named")
            .because("`aws eks get-token` needs `--cluster-name` or `--cluster-id`"))
    }
}

/// The line that does what `aws eks update-kubeconfig` would.
fn update_kubeconfig(globals: &Parsed<'_>) -> Result<String> {
    let own = argparse::parse(globals.rest.iter().copied(), KUBECONFIG)?;
    let mut line = vec!["fleetkey kubeconfig add aws --cluster-name".to_owned()];
    line.push(own.value("name").map_or_else(|| "NAME".into(), quoted));
    let of_all = ["region", "profile"].map(|name| (name, globals.value(name)));
    let of_it = ["role-arn", "kubeconfig", "alias", "user-alias", "proxy-url"];
    for (name, value) in of_all.into_iter().chain(of_it.map(|name| (name, own.value(name)))) {
        if let Some(value) = value {
            line.push(format!("--{name} {}", quoted(value)));
        }
    }
    if own.has("dry-run") {
        line.push("--dry-run".into());
    }
    Ok(line.join(" "))
}

const EKS: &str = "eks";
const GET_TOKEN: &str = "get-token";
const UPDATE_KUBECONFIG: &str = "update-kubeconfig";
const CLUSTER_NAME: &str = "cluster-name";
const CLUSTER_ID: &str = "cluster-id";

/// Of every command's flags those that are read.
const UNDERSTOOD: &[&str] = &["region", "profile", "output", "query"];

const fn value(name: &'static str) -> Flag {
    Flag { name, takes_value: true }
}

const fn switch(name: &'static str) -> Flag {
    Flag { name, takes_value: false }
}

/// The flags of every command.
const GLOBALS: &[Flag] = &[
    switch("debug"),
    value("endpoint-url"),
    switch("no-verify-ssl"),
    switch("no-paginate"),
    value("output"),
    value("query"),
    value("profile"),
    value("region"),
    switch("version"),
    value("color"),
    switch("no-sign-request"),
    value("ca-bundle"),
    value("cli-read-timeout"),
    value("cli-connect-timeout"),
    value("cli-binary-format"),
    value("cli-error-format"),
    switch("no-cli-pager"),
    switch("cli-auto-prompt"),
    switch("no-cli-auto-prompt"),
    switch("v2-debug"),
];

/// The flags of `get-token`.
const OWN: &[Flag] = &[value(CLUSTER_NAME), value("role-arn"), value(CLUSTER_ID)];

/// The flags of `update-kubeconfig`.
const KUBECONFIG: &[Flag] = &[
    value("name"),
    value("kubeconfig"),
    value("role-arn"),
    value("proxy-url"),
    value("alias"),
    value("user-alias"),
    value("assume-role-arn"),
    switch("dry-run"),
    switch("verbose"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn globals_stand_anywhere_and_prefixes_are_of_their_parser() {
        for line in [
            "--region r eks get-token --cluster-name c --output json --role a",
            "eks --region r get-token --role-arn=a --cluster-n c --output=json",
            "eks get-token --cluster-name c --re r --out json --ro a",
            // the first word that is no flag is the command, whatever stands before it
            "eks --cluster-name get-token c --role a --region r --output json",
        ] {
            let words = words(line);
            let AwsLine::GetToken(token) = AwsLine::read(&words).unwrap() else {
                panic!("{line}: not understood")
            };
            assert_eq!((token.cluster_name, token.region), (Some("c"), Some("r")), "{line}");
            assert_eq!((token.role_arn, token.output), (Some("a"), Some("json")), "{line}");
        }
    }

    #[test]
    fn further_globals_are_kept_by_name() {
        let words = words(
            "--debug --endpoint-url u --no-verify-ssl --ca-bundle b --color off --no-cli-pager \
             --cli-connect-timeout 3 eks get-token --cluster-id i --query status.token",
        );
        let AwsLine::GetToken(token) = AwsLine::read(&words).unwrap() else { panic!("no token") };
        assert_eq!((token.cluster_id, token.query), (Some("i"), Some("status.token")));
        assert_eq!(
            token.further,
            [
                "debug",
                "endpoint-url",
                "no-verify-ssl",
                "ca-bundle",
                "color",
                "no-cli-pager",
                "cli-connect-timeout"
            ]
        );
    }

    #[test]
    fn other_commands_are_none_of_ours() {
        for line in [
            "sts get-caller-identity",
            "eks list-clusters",
            "eks",
            "",
            "--c x s3 ls",
            "--region",
            "--role x eks get-token",
        ] {
            let words = words(line);
            assert!(matches!(AwsLine::read(&words), Ok(AwsLine::Other)), "{line}");
        }
    }

    #[test]
    fn among_another_programs_words_only_flags_of_aws_may_come_first() {
        for (line, is_ours) in [
            ("eks get-token --cluster-name c", true),
            ("--region eks eks get-token --cluster-name c", true),
            ("get-token aws --cluster-name eks", false),
            ("--cache-dir eks get-token aws", false),
            ("--region eks get-token aws", false),
            ("--version eks get-token", false),
        ] {
            let words = words(line);
            let read = AwsLine::read_strictly(&words);
            let found = matches!(read, Ok(AwsLine::GetToken(_)));
            assert_eq!(found, is_ours, "{line}: {read:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, text) in [
            ("eks get-token --cluster-name a --cluster-id b", "exclude each other"),
            ("eks get-token --cluster a", "`--cluster` is ambiguous"),
            ("eks get-token --cluster-name", "`--cluster-name` needs a value"),
            ("eks get-token --cluster-name a b", "knows no `b`"),
            ("eks get-token --cluster-name a --nonsense", "knows no `--nonsense`"),
            ("--c x eks get-token --cluster-name a", "`--c` is ambiguous"),
        ] {
            let error = AwsLine::read(&words(line)).unwrap_err().to_string();
            assert!(error.contains(text), "{line}: {error}");
        }
    }

    #[test]
    fn a_name_that_is_empty_is_none() {
        for (line, is_named) in [
            ("eks get-token", false),
            ("eks get-token --cluster-name=", false),
            ("eks get-token --cluster-id i", true),
        ] {
            let words = words(line);
            let Ok(AwsLine::GetToken(token)) = AwsLine::read(&words) else { panic!("{line}") };
            assert_eq!(token.check_cluster().is_ok(), is_named, "{line}");
        }
    }

    #[test]
    fn update_kubeconfig_has_a_line_of_ours() {
        let words = words(
            "eks update-kubeconfig --name c --region r --role-arn a --alias x --dry-run --verbose",
        );
        let AwsLine::UpdateKubeconfig(line) = AwsLine::read(&words).unwrap() else {
            panic!("not understood")
        };
        assert_eq!(
            line,
            "fleetkey kubeconfig add aws --cluster-name c --region r --role-arn a --alias x --dry-run"
        );
    }
}
