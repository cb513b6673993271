//! The rules of the house that a compiler does not know: who may depend on whom, who may name a
//! cloud, how long a file may be, and that what is generated is what the code says.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use toml_edit::DocumentMut;

const LONGEST_FILE: usize = 400;
const CLOUDS: [&str; 5] = ["aws", "azure", "entra", "eks", "aks"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn manifest(folder: &str) -> DocumentMut {
    fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap().parse().unwrap()
}

fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = manifest(folder);
    let table = manifest["dependencies"].as_table_like().unwrap();
    table.iter().map(|(name, _)| name.to_owned()).collect()
}

/// The folders of the clouds.
fn provider_folders() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("providers")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "core").collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_provider_sees_the_contract_and_no_runtime_no_http_library_no_host_and_no_other_provider() {
    for folder in provider_folders() {
        let seen = dependencies(&format!("providers/{folder}"));
        assert!(seen.contains("fleetkey-provider"), "{folder}");
        let others = provider_folders().into_iter().map(|other| format!("fleetkey-{other}"));
        let hidden = ["fleetkey", "hyper", "reqwest", "rustls", "tokio"].map(str::to_owned);
        for hidden in others.chain(hidden) {
            assert!(!seen.contains(&hidden), "{folder} depends on {hidden}");
        }
    }
}

#[test]
fn the_contract_does_no_io() {
    for hidden in ["fleetkey", "reqwest", "rustix", "tempfile", "tokio"] {
        assert!(!dependencies("providers/core").contains(hidden), "{hidden}");
    }
}

#[test]
fn the_sandbox_depends_on_the_root_alone() {
    let ours =
        dependencies("tests/sandbox").into_iter().filter(|name| name.starts_with("fleetkey"));
    assert_eq!(ours.collect::<Vec<_>>(), ["fleetkey"]);
}

#[test]
fn folders_registry_and_docs_pages_agree() {
    let registered: BTreeSet<String> =
        fleetkey::registry::PROVIDERS.iter().map(|provider| provider.name().to_owned()).collect();
    assert_eq!(registered, provider_folders());
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    for name in registered {
        assert!(root().join(format!("docs/src/{name}.md")).is_file(), "{name} has no page");
        assert!(summary.contains(&format!("({name}.md)")), "{name} is not in the summary");
        let line = format!("fleetkey_{name}::PROVIDER");
        let registry = fs::read_to_string(root().join("src/registry.rs")).unwrap();
        assert_eq!(registry.matches(&line).count(), 1, "{line}");
    }
}

#[test]
fn no_cloud_is_named_in_the_host_outside_the_registry() {
    for file in rust_files(&root().join("src")) {
        if file.ends_with("registry.rs") || file.ends_with("hot_path.rs") {
            continue; // the one line per cloud, and a test of the whole path with the one there is
        }
        let text = fs::read_to_string(&file).unwrap().to_lowercase();
        let word = |c: char| !(c.is_alphanumeric() || c == '_');
        let named = text.split(word).find(|word| CLOUDS.contains(word));
        assert_eq!(named, None, "{}", file.display());
    }
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let folders = ["benches", "providers", "src", "tests"];
    let files: Vec<_> =
        folders.iter().flat_map(|folder| rust_files(&root().join(folder))).collect();
    assert!(files.len() > 50, "only {} files were found", files.len());
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.display());
    }
}

#[test]
fn no_dependency_asks_for_a_newer_rust_than_we_state() {
    let output = |program: &str, args: &[&str]| {
        std::process::Command::new(program).args(args).current_dir(root()).output().unwrap()
    };
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let version = String::from_utf8(output(&cargo, &["-vV"]).stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let filter = format!("--filter-platform={host}");
    let metadata =
        output(&cargo, &["metadata", "--format-version=1", "--offline", "--locked", &filter]);
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let version = |text: &str| {
        let mut parts = text.split('.').map(|part| part.parse::<u32>().unwrap());
        [(); 3].map(|()| parts.next().unwrap_or(0))
    };
    let manifest = manifest(".");
    let stated = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        if let Some(asked) = package["rust_version"].as_str() {
            assert!(version(asked) <= version(stated), "{} asks for {asked}", package["name"]);
        }
    }
}

#[test]
fn the_reference_in_the_docs_is_what_the_code_says() {
    let path = root().join("docs/src/reference.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- cli:begin -->").expect("a begin mark");
    let (_, after) = rest.split_once("<!-- cli:end -->").expect("an end mark");
    let mut text = String::new();
    describe(fleetkey::command_line(), "", &mut text);
    let wanted = format!("{before}<!-- cli:begin -->\n\n{text}<!-- cli:end -->{after}");
    if std::env::var_os("FLEETKEY_UPDATE").is_some() {
        fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(
        page == wanted,
        "docs/src/reference.md is out of date: `FLEETKEY_UPDATE=1 cargo test --test it reference`"
    );
}

#[test]
fn the_table_of_differences_in_the_docs_is_what_the_code_says() {
    let path = root().join("docs/src/coming-from-kubelogin.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- differences:begin -->").expect("a begin mark");
    let (_, after) = rest.split_once("<!-- differences:end -->").expect("an end mark");
    let rows = fleetkey_azure::replay::DIFFERENCES.iter().map(|difference| {
        let fleetkey_azure::replay::Difference { kubelogin, fleetkey, why, .. } = difference;
        format!("| {kubelogin} | {fleetkey} | {why} |\n")
    });
    let rows: String = rows.collect();
    let wanted = format!(
        "{before}<!-- differences:begin -->\n\n| kubelogin | fleetkey | why |\n|---|---|---|\n{rows}\n\
         <!-- differences:end -->{after}"
    );
    if std::env::var_os("FLEETKEY_UPDATE").is_some() {
        fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(
        page == wanted,
        "{} is out of date: `FLEETKEY_UPDATE=1 cargo test --test it differences`",
        path.display()
    );
}

/// A command's long help, and that of its subcommands.
fn describe(command: clap::Command, above: &str, out: &mut String) {
    let name = format!("{above}{}", command.get_name());
    let mut command = command.bin_name(&name).disable_help_flag(false);
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let text = lines.join("\n");
    out.extend(["### `", &name, "`\n\n```text\n", &text, "\n```\n\n"]);
    for deeper in command.get_subcommands().cloned().collect::<Vec<_>>() {
        describe(deeper, &format!("{name} "), out);
    }
}
