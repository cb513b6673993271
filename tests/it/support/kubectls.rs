//! Every real kubectl of this machine.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Program;

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Kubectl {
    pub(crate) path: PathBuf,
    /// As it calls itself.
    pub(crate) version: String,
    /// The `NN` of `1.NN`.
    pub(crate) minor: u32,
    /// Whether it starts another kubectl, and so the plugin once more.
    pub(crate) is_dispatcher: bool,
}

/// Those on the PATH, those named `kubectl.1.NN` beside them, and those that `FLEETKEY_KUBECTLS`
/// names. A dispatcher counts only where there is no other.
pub(crate) fn kubectls() -> Vec<Kubectl> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut add = |path: PathBuf| {
        if let Ok(path) = path.canonicalize()
            && path.is_file()
            && !found.contains(&path)
        {
            found.push(path);
        }
    };
    let named = std::env::var_os("FLEETKEY_KUBECTLS").unwrap_or_default();
    for path in std::env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()) {
        assert!(path.is_file(), "FLEETKEY_KUBECTLS names {}, which is not there", path.display());
        add(path);
    }
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        let kubectl = folder.join("kubectl");
        if let Some(real) = kubectl.canonicalize().ok().as_deref().and_then(Path::parent) {
            versioned(real).into_iter().for_each(&mut add);
        }
        versioned(&folder).into_iter().for_each(&mut add);
        add(kubectl);
    }
    let mut kubectls: Vec<_> = found.into_iter().filter_map(ask).collect();
    if kubectls.iter().any(|kubectl| !kubectl.is_dispatcher) {
        kubectls.retain(|kubectl| !kubectl.is_dispatcher);
    }
    kubectls.sort_by_key(|kubectl| kubectl.minor);
    kubectls
}

/// Files named `kubectl.1.NN`.
fn versioned(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let is_one = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.and_then(|name| name.strip_prefix("kubectl.1."))
            .is_some_and(|minor| minor.parse::<u32>().is_ok())
    };
    entries.flatten().map(|entry| entry.path()).filter(is_one).collect()
}

/// What it says of itself; nothing if it does not run, as a version manager's shim without a version.
fn ask(path: PathBuf) -> Option<Kubectl> {
    let home = tempfile::tempdir().unwrap();
    let run = Program::new(&path)
        .env("HOME", home.path())
        .args(["version", "--client", "-o", "json"])
        .run();
    let Ok(answer) = serde_json::from_str::<Value>(&run.stdout) else {
        super::say(&format!("{} is skipped, it does not run: {}", path.display(), run.stderr));
        return None;
    };
    let client = &answer["clientVersion"];
    let version = client["gitVersion"].as_str().unwrap().to_owned();
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let minor = client["minor"].as_str().unwrap_or_default();
    let minor = version.strip_prefix("v1.").map_or_else(|| digits(minor), digits);
    Some(Kubectl {
        is_dispatcher: version.contains("-dispatcher"),
        minor: minor.parse().unwrap_or_else(|_| panic!("{} is {version}", path.display())),
        path,
        version,
    })
}
