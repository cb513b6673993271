use serde_json::json;

use super::*;

fn addition(name: &str, server: &str, user: &str) -> Addition {
    let entry = |section, name: &str, value| Wanted { section, name: name.into(), value };
    Addition {
        entries: [
            entry(
                Section::Clusters,
                name,
                json!({"server": server, "certificate-authority-data": "QUJD"}),
            ),
            entry(Section::Contexts, name, json!({"cluster": name, "user": user})),
            entry(Section::Users, user, json!({"exec": exec(name)})),
        ],
        notes: Vec::new(),
    }
}

fn exec(cluster: &str) -> Value {
    json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/fleetkey",
           "args": ["get-token", "mars", "--cluster", cluster]})
}

fn mars() -> Addition {
    addition("mars", "https://mars.example", "me@mars")
}

fn merged(text: &str, taken: Taken) -> Result<String> {
    let new = merge(text, "/h/config", &[mars()], Some("mars"), taken)?.text;
    let again = merge(&new, "/h/config", &[mars()], Some("mars"), Taken::Refused)?;
    assert!(again.text == new && again.splices.is_empty(), "it changes again: {new}");
    Ok(new)
}

fn added(text: &str) -> String {
    merged(text, Taken::Refused).unwrap()
}

const NEW: &str = "\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: QUJD
    server: https://mars.example
  name: mars
contexts:
- context:
    cluster: mars
    user: me@mars
  name: mars
current-context: mars
kind: Config
preferences: {}
users:
- name: me@mars
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - get-token
      - mars
      - --cluster
      - mars
      command: /bin/fleetkey
";

#[test]
fn a_kubeconfig_begins_where_there_is_nothing() {
    for (text, before) in [
        ("", ""),
        ("---\n", "---\n"),
        ("# mine\n", "# mine\n"),
        ("# mine", "# mine\n"),
        ("null\n", ""),
    ] {
        let new = added(text);
        assert_eq!(new.trim_end(), format!("{before}{NEW}").trim_end(), "{text:?}");
    }
    assert!(added("{}").starts_with("{\"clusters\": [{"));
}

#[test]
fn what_stands_there_stays_to_the_byte() {
    for text in [
        OLD,
        &OLD.replace('\n', "\r\n"),
        OLD.trim_end(),
        &OLD.replace("users:\n- name: old\n  user:\n    token: x # t\n", "users: null\n"),
        &OLD.replace("users:\n- name: old\n  user:\n    token: x # t\n", "users: []\n"),
        &OLD.replace("users:\n- name: old\n  user:\n    token: x # t\n", ""),
        &OLD.replace("- name: old\n  user:", "  - name: old\n    user:")
            .replace("    token", "      token"),
    ] {
        let new = added(text);
        let mut rest = new.as_str();
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("current-context") && !line.starts_with("users: "));
        for line in lines {
            let at = rest.find(line).unwrap_or_else(|| panic!("`{line}` is lost in\n{new}"));
            rest = &rest[at + line.len()..];
        }
        assert_eq!(new.contains("\r\n"), text.contains("\r\n"));
        assert!(!text.contains("\r\n") || !new.replace("\r\n", "").contains('\n'));
        assert!(new.contains("current-context: mars # now"), "{new}");
    }
}

const OLD: &str = "\
# mine
kind: Config
clusters:   # all of them
- name: old # o
  cluster: {server: 'https://old'}
# between
contexts:
- context:
    cluster: old
    user: old
  name: old
current-context: old # now
users:
- name: old
  user:
    token: x # t
# the end
";

#[test]
fn json_stays_json() {
    let text = "{\n  \"clusters\": [\n    {\"name\": \"a\", \"cluster\": {}}\n  ],\n  \"users\": [],\n  \"kind\": \"Config\"\n}\n";
    let new = added(text);
    let value: Value = serde_json::from_str(&new).unwrap_or_else(|error| panic!("{error}:\n{new}"));
    assert_eq!(value["clusters"].as_array().unwrap().len(), 2);
    assert_eq!(value["users"][0]["name"], "me@mars");
    assert_eq!(value["current-context"], "mars");
}

#[test]
fn a_list_that_ends_in_a_text_of_many_lines_is_added_to() {
    for tail in
        ["|\n      a\n      b\n", "|+\n      a\n\n\n", "|-\n      a", ">\n      a\n\nz: 1\n"]
    {
        let text = format!("users:\n- name: a\n  user:\n    hint: {tail}");
        let new = added(&text);
        let document = Document::read(&new, "").unwrap();
        assert_eq!(document.entries(Section::Users).len(), 2, "{new}");
    }
}

#[test]
fn the_same_cluster_is_brought_up_to_date_and_what_was_added_to_it_stays() {
    let old = NEW
        .replace("server: https://mars.example", "server: https://mars.example:443/\n    tls-server-name: x")
        .replace("QUJD", "T0xE")
        .replace("    user: me@mars", "    user: me@mars\n    namespace: team # ours")
        .replace("      - mars\n      command: /bin/fleetkey", "      - venus\n      command: /old/fleetkey\n      env:\n      - name: HTTPS_PROXY\n        value: p");
    let new = added(&old);
    assert!(new.contains("QUJD") && !new.contains("T0xE"), "{new}");
    for stays in
        ["https://mars.example:443/", "tls-server-name: x", "namespace: team # ours", "HTTPS_PROXY"]
    {
        assert!(new.contains(stays), "{stays} is lost in\n{new}");
    }
    assert!(new.contains("command: /bin/fleetkey") && !new.contains("venus"), "{new}");
}

#[test]
fn the_same_name_for_something_else_is_refused_unless_it_is_to_be_overwritten() {
    let insert = |user: &str| {
        NEW.split_once("    exec:").map(|(before, _)| format!("{before}    {user}\n")).unwrap()
    };
    let shared = "contexts:\n- name: other\n  context: {cluster: other, user: me@mars}\n";
    for (text, what) in [
        (
            NEW.replace("https://mars", "https://venus"),
            "cluster `mars`: its server is `https://venus.example`",
        ),
        (
            NEW.replace("cluster: mars", "cluster: venus"),
            "context `mars`: it leads to cluster `venus`",
        ),
        (
            NEW.replace("    user: me@mars", "    user: you"),
            "context `mars`: its user is `you`, not `me@mars`",
        ),
        (insert("token: x"), "user `me@mars`: it has a certificate, a token"),
        (insert("exec: {command: vault, args: [x]}"), "user `me@mars`: it runs `vault`"),
        (
            NEW.replace("contexts:\n", shared).replace("- --cluster", "- --other"),
            "user `me@mars`: context `other`",
        ),
    ] {
        let error = merged(&text, Taken::Refused).unwrap_err();
        assert!(error.to_string().contains(what), "{error} for {what}");
        let new =
            merge(&text, "/h/config", &[mars()], Some("mars"), Taken::Overwritten).unwrap().text;
        let document = Document::read(&new, "").unwrap();
        let server = document.entry(Section::Clusters, "mars").unwrap();
        assert_eq!(document.text(&server, "server"), Some("https://mars.example"));
        let user = document.entry(Section::Users, "me@mars").unwrap();
        assert_eq!(document.value(&user).unwrap(), json!({"exec": exec("mars")}));
    }
}

#[test]
fn a_cluster_that_was_made_anew_gets_its_new_server_but_only_for_the_same_user() {
    use super::super::likeness::is_recreated;
    let old = NEW
        .replace("https://mars", "https://old")
        .replace("    server", "    proxy-url: http://p\n    server");
    let anew = |text: &str| is_recreated(&Document::read(text, "").unwrap(), &mars());
    assert!(anew(&old) && !anew(NEW), "{old}");
    for (from, to) in [
        ("      - mars\n", "      - venus\n"),
        ("    user: me@mars", "    user: you"),
        ("  name: mars\ncontexts", "  name: venus\ncontexts"),
    ] {
        assert!(old.contains(from), "{from} in {old}");
        assert!(!anew(&old.replace(from, to)), "{from}");
    }
    let names = ["mars".to_owned()];
    let new = merge_with(&old, "", &[mars()], None, Taken::Refused, &names).unwrap().text;
    assert!(new.contains("https://mars.example") && new.contains("proxy-url"), "{new}");
    merge_with(&old, "", &[mars()], None, Taken::Refused, &[]).unwrap_err();
}

#[test]
fn many_are_added_at_once_and_in_their_order() {
    let all: Vec<_> =
        (0..200).map(|n| addition(&format!("m{n}"), "https://m", &format!("u{n}"))).collect();
    let new = merge(OLD, "", &all, None, Taken::Refused).unwrap().text;
    let document = Document::read(&new, "").unwrap();
    let names: Vec<_> =
        document.entries(Section::Contexts).iter().map(|e| e.name.to_owned()).collect();
    assert_eq!((names.len(), &*names[1], &*names[200]), (201, "m0", "m199"));
    assert_eq!(document.current_context(), Some("old"));
    let twice = [mars(), addition("mars", "https://venus", "v")];
    let error = merge("", "", &twice, None, Taken::Refused).unwrap_err();
    assert!(error.next_line().unwrap().contains("--name-template"), "overwriting helps nobody");
}

#[test]
fn aliases_and_anchors_change_nobody_else() {
    let text = "x: &u {token: t}\nusers:\n- &i {name: me@mars, user: {exec: &e {command: fleetkey, args: [get-token]}}}\n\
                - {name: b, user: {exec: *e}}\n- *i\n";
    let error = merged(text, Taken::Refused).unwrap_err();
    assert!(error.message().contains("cannot be added to"), "{error}");
    let text = "y: &e {command: fleetkey, args: [get-token]}\nusers:\n- name: me@mars\n  user: {exec: *e}\n";
    let new = added(text);
    assert!(new.starts_with("y: &e {command: fleetkey, args: [get-token]}\n"), "{new}");
}

#[test]
fn what_is_no_kubeconfig_is_refused_with_its_line() {
    for (text, line) in [("a text\nand more\n", 1), ("kind: Config\nusers: x\n", 2)] {
        let error = merged(text, Taken::Refused).unwrap_err();
        assert_eq!(error.message(), format!("`/h/config` is not a kubeconfig, line {line}"));
    }
}
