//! `fleetkey kubeconfig snippet`: a context of a kubeconfig as Terraform's providers want it.
//!
//! They start plugins as `kubectl` does, but have no kubeconfig, and tell a plugin nothing of the
//! cluster. So all that stands there is written out, but for secrets.

mod address;
mod hcl;
mod line;

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command};
use fleetkey_provider::{Error, Result, one_line, quoted, shown};
use serde_json::Value;

use self::{
    address::Address,
    hcl::{Body, key, string},
    line::Line,
};
use crate::{
    World,
    kubeconfig::{
        document::{Document, Section},
        files,
    },
};

pub(super) fn grow(command: Command) -> Command {
    let context = Arg::new("context")
        .long("context")
        .value_name("NAME")
        .help("The context that is meant [default: the current one]");
    let whom = Arg::new("for")
        .long("for")
        .value_name("PROVIDER")
        .value_parser(["kubernetes", "helm", "helm-2"])
        .help("The provider of Terraform: kubernetes, helm from version 3 on, or helm-2 [default: kubernetes]");
    command.arg(super::kubeconfig()).arg(context).arg(whom)
}

pub(super) fn run(matches: &mut ArgMatches, world: &World) -> Result<()> {
    let file: Option<PathBuf> = matches.remove_one("kubeconfig");
    let context: Option<String> = matches.remove_one("context");
    let whom = Whom::of(matches.remove_one::<String>("for").as_deref());
    let mut texts = Vec::new();
    for path in files::named(file.as_deref(), &world.host)? {
        if let Some(text) = files::read(&path, &world.host)? {
            texts.push((path, text));
        }
    }
    let mut documents = Vec::new();
    for (path, text) in &texts {
        documents.push((path.as_path(), Document::read(text, &path.to_string_lossy())?));
    }
    let config = Config { documents, file: file.as_deref() };
    let place = config.place(context.as_deref())?;
    let line = Line::of(&place, &world.host)?;
    world.print(&written(&place, &line, whom))
}

/// Whose configuration it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Whom {
    Kubernetes,
    Helm,
    Helm2,
}

impl Whom {
    fn of(name: Option<&str>) -> Self {
        match name {
            Some("helm") => Self::Helm,
            Some("helm-2") => Self::Helm2,
            _ => Self::Kubernetes,
        }
    }
}

/// All files of a kubeconfig: what stands in an earlier one counts.
struct Config<'d> {
    documents: Vec<(&'d Path, Document<'d>)>,
    file: Option<&'d Path>,
}

/// Where a context leads.
struct Place {
    /// The user's name.
    name: String,
    user: Value,
    cluster: Value,
    /// The folder that the cluster's paths are relative to.
    folder: PathBuf,
}

impl Config<'_> {
    fn place(&self, context: Option<&str>) -> Result<Place> {
        let current = || self.documents.iter().find_map(|(_, document)| document.current_context());
        let Some(context) = context.or_else(current).filter(|name| !name.is_empty()) else {
            return Err(Error::config("no context is named, and none is current").next(self.list()));
        };
        let (_, found) = self.value(Section::Contexts, context)?.ok_or_else(|| {
            Error::config(format!("there is no context `{}`", shown(context))).next(self.list())
        })?;
        let name_of = |key| found.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (name, cluster) = (name_of("user"), name_of("cluster"));
        let absent = |what: &str, name: &str| {
            Error::config(format!("there is no {what} `{}`", shown(name)))
                .because(format!("context `{}` names it", shown(context)))
                .next(self.list())
        };
        let (_, user) = self.value(Section::Users, &name)?.ok_or_else(|| absent("user", &name))?;
        let (path, cluster) =
            self.value(Section::Clusters, &cluster)?.ok_or_else(|| absent("cluster", &cluster))?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Place { name, user, cluster, folder })
    }

    fn value(&self, section: Section, name: &str) -> Result<Option<(&Path, Value)>> {
        for (path, document) in &self.documents {
            if let Some(entry) = document.entry(section, name) {
                let value = document.value(&entry).map_err(|_| {
                    Error::config(format!("`{}` is larger than any entry is", shown(name)))
                })?;
                return Ok(Some((path, value)));
            }
        }
        Ok(None)
    }

    fn list(&self) -> String {
        let file =
            self.file.map(|file| format!(" --kubeconfig {}", quoted(&file.to_string_lossy())));
        format!("kubectl config get-contexts{}", file.unwrap_or_default())
    }
}

fn written(place: &Place, line: &Line, whom: Whom) -> String {
    let mut exec = Body::default();
    exec.set("api_version", string(&line.api_version));
    exec.set("command", string(&line.command));
    exec.list("args", &line.args);
    if !line.env.is_empty() {
        let mut env = Body::default();
        for (name, value) in &line.env {
            env.set(&key(name), string(value));
        }
        exec.nest("env =", env);
    }
    let (mut inner, addresses) = cluster(place);
    inner.nest(if whom == Whom::Helm { "exec =" } else { "exec" }, exec);
    let (mut body, head) = (
        Body::default(),
        match whom {
            Whom::Kubernetes => "provider \"kubernetes\"",
            Whom::Helm | Whom::Helm2 => "provider \"helm\"",
        },
    );
    match whom {
        Whom::Kubernetes => body.nest(head, inner),
        Whom::Helm | Whom::Helm2 => {
            let mut outer = Body::default();
            let assigned = if whom == Whom::Helm { "kubernetes =" } else { "kubernetes" };
            outer.nest(assigned, inner);
            body.nest(head, outer);
        }
    }
    let notes = line.notes.iter().chain(&addresses).map(|note| format!("# {}\n", one_line(note)));
    let mut out: String = notes.collect();
    body.render(0, &mut out);
    out
}

/// Where the cluster is, and whom to believe there; and what a person should know of it.
fn cluster(place: &Place) -> (Body, Vec<String>) {
    let text = |key| {
        let value = place.cluster.get(key).and_then(Value::as_str);
        value.filter(|value| !value.is_empty())
    };
    let (mut body, mut notes) = (Body::default(), Vec::new());
    if let Some(server) = text("server") {
        let address = Address::of(server);
        notes.extend(address.note("host", "KUBE_HOST"));
        if !address.text.is_empty() {
            body.set("host", string(&address.text));
        }
    }
    if let Some(data) = text("certificate-authority-data") {
        body.set("cluster_ca_certificate", format!("base64decode({})", string(data)));
    } else if let Some(path) = text("certificate-authority") {
        let path = place.folder.join(path);
        body.set("cluster_ca_certificate", format!("file({})", string(&path.to_string_lossy())));
    }
    if let Some(name) = text("tls-server-name") {
        body.set("tls_server_name", string(name));
    }
    if place.cluster.get("insecure-skip-tls-verify").and_then(Value::as_bool) == Some(true) {
        body.set("insecure", "true");
    }
    if let Some(proxy) = text("proxy-url") {
        let address = Address::of(proxy);
        notes.extend(address.note("proxy_url", "KUBE_PROXY_URL"));
        if !address.text.is_empty() {
            body.set("proxy_url", string(&address.text));
        }
    }
    (body, notes)
}

#[cfg(test)]
mod tests;
