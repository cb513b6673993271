//! Contexts, and what is written of them.

use serde_json::json;

use super::*;
use crate::registry::PROVIDERS;

fn place(user: &Value, cluster: &Value) -> Place {
    Place { name: "me".into(), user: user.clone(), cluster: cluster.clone(), folder: "/k".into() }
}

fn ours(args: &[&str], more: &Value) -> Value {
    let mut exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": "/opt/fleetkey", "args": args,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        exec[key] = value.clone();
    }
    json!({ "exec": exec })
}

fn of(user: &Value, cluster: &Value, whom: Whom) -> String {
    let place = place(user, cluster);
    let host = fleetkey_provider::Host::refusing();
    written(&place, &Line::of(&place, &host).unwrap(), whom)
}

#[test]
fn a_user_of_ours_is_written_as_it_is() {
    let user = ours(
        &["get-token", PROVIDERS[0].name(), "--profile", "${x}"],
        &json!({"env": [{"name": "A_B", "value": "%{c}"}]}),
    );
    let cluster = json!({
        "server": "https://s:6443", "certificate-authority-data": "Q0E=",
        "tls-server-name": "t", "proxy-url": "http://p",
    });
    let name = PROVIDERS[0].name();
    let exec = |margin: &str, head: &str| {
        let lines = [
            format!("{head} {{"),
            "  api_version = \"client.authentication.k8s.io/v1\"".into(),
            "  command     = \"/opt/fleetkey\"".into(),
            "  args = [".into(),
            format!("    \"get-token\", \"{name}\","),
            "    \"--profile\", \"$${x}\",".into(),
            "  ]".into(),
            "  env = {".into(),
            "    A_B = \"%%{c}\"".into(),
            "  }".into(),
            "}".into(),
        ];
        lines.map(|line| format!("{margin}{line}\n")).concat()
    };
    let at = |margin: &str| {
        let lines = [
            "host                   = \"https://s:6443\"",
            "cluster_ca_certificate = base64decode(\"Q0E=\")",
            "tls_server_name        = \"t\"",
            "proxy_url              = \"http://p\"",
        ];
        lines.map(|line| format!("{margin}{line}\n")).concat()
    };
    assert_eq!(
        of(&user, &cluster, Whom::Kubernetes),
        format!("provider \"kubernetes\" {{\n{}{}}}\n", at("  "), exec("  ", "exec"))
    );
    for (whom, nested, head) in
        [(Whom::Helm, "kubernetes =", "exec ="), (Whom::Helm2, "kubernetes", "exec")]
    {
        assert_eq!(
            of(&user, &cluster, whom),
            format!(
                "provider \"helm\" {{\n  {nested} {{\n{}{}  }}\n}}\n",
                at("    "),
                exec("    ", head)
            )
        );
    }
}

#[test]
fn files_are_found_from_anywhere_and_what_is_not_checked_is_said() {
    let cluster = json!({
        "server": "s", "certificate-authority": "ca.pem", "insecure-skip-tls-verify": true,
    });
    let text =
        of(&ours(&["get-token", PROVIDERS[0].name()], &Value::Null), &cluster, Whom::Kubernetes);
    assert!(text.contains("= file(\"/k/ca.pem\")\n") && text.contains("= true\n"), "{text}");
}

#[test]
fn secrets_are_named_and_not_written() {
    let env = json!({"env": [
        {"name": "MY_TOKEN", "value": "hunter2"}, {"name": "MY_TOKEN_FILE", "value": "path"},
    ]});
    for provider in PROVIDERS {
        let user = ours(&["get-token", provider.name()], &env);
        let text = of(&user, &json!({"server": "s"}), Whom::Kubernetes);
        assert!(text.starts_with("# `MY_TOKEN` is a secret, and left out"), "{text}");
        assert!(!text.contains("hunter2") && text.contains("MY_TOKEN_FILE = \"path\""), "{text}");
        let command = provider.arguments(Command::new(provider.name()));
        let flags = command.get_arguments().filter_map(Arg::get_long);
        for flag in flags.filter(|flag| provider.secrets().contains(flag)) {
            let (long, attached) = (format!("--{flag}"), format!("--{flag}=hunter2"));
            for words in [&[long.as_str(), "hunter2"][..], &[attached.as_str()]] {
                let words = [&["get-token", provider.name()], words].concat();
                let text = of(&ours(&words, &Value::Null), &json!({}), Whom::Helm);
                assert!(text.contains(&format!("# `--{flag}` is a secret")), "{text}");
                assert!(!text.contains("hunter2"), "{text}");
            }
        }
    }
}

#[test]
fn no_password_of_a_url_is_written() {
    let cluster = json!({
        "server": "https://u:hunter2@s:6443", "proxy-url": "http://u:hunter2@p:3128",
    });
    let env = json!({"env": [
        {"name": "HTTPS_PROXY", "value": "http://u:hunter2@p"}, {"name": "NO_PROXY", "value": "x"},
    ]});
    let text = of(&ours(&["get-token", PROVIDERS[0].name()], &env), &cluster, Whom::Kubernetes);
    for words in [
        "= \"https://s:6443\"\n",
        "= \"http://p:3128\"\n",
        "left out of `host`: set `KUBE_HOST` where",
        "left out of `proxy_url`: set `KUBE_PROXY_URL` where",
        "# `HTTPS_PROXY` is a secret, and left out",
        "NO_PROXY = \"x\"",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn an_entry_without_a_version_gets_that_of_the_answer() {
    let name = PROVIDERS[0].name();
    for (args, version) in [
        (&["get-token", name][..], "v1beta1"),
        (&["get-token", name, "--exec-api-version=v1"], "v1"),
    ] {
        let user = json!({"exec": {"command": "fleetkey", "args": args}});
        let text = of(&user, &json!({"server": "s"}), Whom::Kubernetes);
        let line = format!("api_version = \"client.authentication.k8s.io/{version}\"\n");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn what_a_wrapper_hides_is_not_written() {
    let words = ["MY_TOKEN=hunter2", "fleetkey", "get-token", PROVIDERS[0].name()];
    let user = json!({"exec": {"command": "env", "args": words}});
    let error = Line::of(&place(&user, &json!({})), &fleetkey_provider::Host::refusing());
    let error = error.map(|line| line.command).unwrap_err();
    assert_eq!(error.message(), "user `me` runs fleetkey by `env`");
}

#[test]
fn who_signs_in_by_nothing_we_know_is_named() {
    for user in [json!({"token": "x"}), json!({"exec": {"command": "mars"}}), Value::Null] {
        let place = place(&user, &json!({}));
        let host = fleetkey_provider::Host::refusing();
        let error = Line::of(&place, &host).map(|line| line.command).unwrap_err();
        assert_eq!(error.message(), "user `me` signs in by no program that is known here");
    }
}
