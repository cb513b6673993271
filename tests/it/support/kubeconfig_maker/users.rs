//! The users of a made kubeconfig, one of each kind there is, and what they share.

use super::{Dice, Made, map, text, texts};

/// A user of one of the kinds there are, some of which are nobody's to convert.
#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn user(dice: &mut Dice) -> Made {
    let beta = "client.authentication.k8s.io/v1beta1";
    let exec = |command: &str, args: &[&str], env: &[(&str, &str)]| {
        let mut pairs = vec![
            ("apiVersion".to_owned(), text(beta)),
            ("args".to_owned(), texts(args)),
            ("command".to_owned(), text(command)),
        ];
        if !env.is_empty() {
            let pair = |(name, value): &(&str, &str)| {
                map([("name", text(*name)), ("value", text(*value))])
            };
            pairs.push(("env".to_owned(), Made::List(env.iter().map(pair).collect())));
        }
        pairs
    };
    let server = "--server-id=6dae42f8-4368-4678-94ff-3960e28e3630";
    let kubelogin =
        dice.one_of(&["kubelogin", "/usr/local/bin/kubelogin", "C:\\bin\\Kubelogin.exe"]);
    let mut pairs = match dice.below(14) {
        0 => exec(
            "aws",
            &[
                "--region",
                "eu-west-1",
                "eks",
                "get-token",
                "--cluster-name",
                "prod",
                "--output",
                "json",
            ],
            &[],
        ),
        1 => exec(
            "aws",
            &[
                "eks",
                "get-token",
                "--cluster-name=prod",
                "--role",
                "arn:aws:iam::111122223333:role/r",
            ],
            &[("AWS_PROFILE", "prod")],
        ),
        2 => exec(
            "/opt/bin/aws-iam-authenticator",
            &["token", "-i", "prod", "-r", "arn:aws:iam::111122223333:role/r"],
            &[("AWS_REGION", "eu-west-1")],
        ),
        3 => exec(
            kubelogin,
            &[
                "get-token",
                "--environment",
                "AzurePublicCloud",
                server,
                "--client-id",
                "80faf920-1908-4b52-b5ef-a8e7bedfc67a",
                "--tenant-id",
                "contoso.com",
                "--login",
                "devicecode",
            ],
            &[],
        ),
        4 => exec(
            kubelogin,
            &["get-token", "-l", "azurecli", server],
            &[("AZURE_CONFIG_DIR", "/home/x/.azure")],
        ),
        5 => exec(
            kubelogin,
            &[
                "get-token",
                server,
                "-t",
                "contoso.com",
                "--login=spn",
                "--client-id",
                "c",
                "--client-secret",
                "hunter2-hunter2",
            ],
            &[],
        ),
        6 => exec(kubelogin, &["get-token", server], &[]),
        7 => exec(
            "env",
            &[
                "AWS_PROFILE=x",
                "aws",
                "eks",
                "get-token",
                "--cluster-name",
                "prod",
                "--region",
                "eu-west-1",
            ],
            &[],
        ),
        8 => exec("sh", &["-c", "aws eks get-token --cluster-name prod --region eu-west-1"], &[]),
        9 => exec(
            "aws-vault",
            &["exec", "prod", "--", "aws", "eks", "get-token", "--cluster-name", "prod"],
            &[],
        ),
        10 => exec(kubelogin, &["get-token", "--oidc-issuer-url=https://issuer.example"], &[]),
        11 => return map([("token", text("sha256~abcdefgh"))]),
        12 => {
            let config = map([
                ("apiserver-id", text("6dae42f8-4368-4678-94ff-3960e28e3630")),
                ("client-id", text("80faf920-1908-4b52-b5ef-a8e7bedfc67a")),
                ("config-mode", text("1")),
                ("environment", text("AzurePublicCloud")),
                ("refresh-token", text("hunter3-hunter3")),
                ("tenant-id", text("contoso.com")),
            ]);
            return map([("auth-provider", map([("config", config), ("name", text("azure"))]))]);
        }
        _ => exec("my-plugin", &["--anything"], &[("A", "b")]),
    };
    if dice.once_in(3) {
        pairs.push(("installHint".to_owned(), text("ask the platform team\nor read the wiki")));
    }
    if dice.once_in(3) {
        pairs.push(("provideClusterInfo".to_owned(), text("false")));
    }
    if dice.once_in(4) {
        pairs.push(("x-unknown".to_owned(), map([("deep", texts(&["a", "b: c"]))])));
    }
    let at = dice.below(pairs.len());
    pairs.swap(0, at);
    let mut user = vec![("exec".to_owned(), Made::Map(pairs))];
    if dice.once_in(4) {
        user.push(("x-note".to_owned(), text("kept")));
    }
    Made::Map(user)
}

/// Some share what they are by an anchor: the first names it, later ones use it.
pub(super) fn tied(dice: &mut Dice, made: Made, number: usize, count: usize) -> Made {
    if number == 0 && count > 1 {
        return match (dice.below(3), made) {
            (0, Made::Map(mut pairs)) if pairs[0].0 == "exec" => {
                pairs[0].1 = Made::Anchored("exec".into(), Box::new(pairs[0].1.clone()));
                Made::Map(pairs)
            }
            (_, made) => Made::Anchored("user".into(), Box::new(made)),
        };
    }
    // whether the anchor is there, is seen when it is written
    match dice.below(4) {
        0 => Made::Alias("user".into()),
        1 => map([("exec", Made::Alias("exec".into()))]),
        2 => map([(
            "exec",
            Made::Map(vec![
                ("<<".to_owned(), Made::Alias("exec".into())),
                (
                    "args".to_owned(),
                    texts(&[
                        "eks",
                        "get-token",
                        "--cluster-name",
                        "other",
                        "--region",
                        "eu-west-1",
                    ]),
                ),
            ]),
        )]),
        _ => made,
    }
}
