//! What `demo` and `serve` set up: a cluster in each cloud, and every way in that needs nobody to be asked.

mod aks;
mod eks;

use std::io;
use std::path::{Path, PathBuf};

use fleetkey_sandbox::{Endpoint, Exec, Home, Route, Sandbox};

use self::aks::Aks;
use self::eks::Eks;

/// The first argument that makes this binary the plugin.
pub(crate) const PLUGIN: &str = "plugin";

/// A sandbox with something in it.
pub(crate) struct Estate {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: Home,
    eks: Eks,
    aks: Aks,
}

/// One way in.
pub(crate) struct Way<'a> {
    /// What it is called, as a context of the kubeconfig.
    pub(crate) context: &'static str,
    /// The same in words.
    pub(crate) title: &'static str,
    /// Where it leads.
    pub(crate) cluster: &'a dyn Endpoint,
    /// Arguments of the plugin.
    pub(crate) args: Vec<String>,
    /// Variables it needs.
    pub(crate) env: Vec<(String, String)>,
    /// Who the cluster should say it is, at least in part.
    pub(crate) identity: String,
    /// What it should ask of the cloud, at first.
    pub(crate) asks: Option<Route>,
}

impl Estate {
    pub(crate) fn new(home: Home) -> io::Result<Self> {
        let sandbox = Sandbox::start()?;
        home.ca(sandbox.ca_pem())?;
        let eks = Eks::new(&sandbox, &home)?;
        let aks = Aks::new(&sandbox, &home)?;
        Ok(Self { sandbox, home, eks, aks })
    }

    /// All ways in, the easiest of each cloud first.
    pub(crate) fn ways(&self) -> Vec<Way<'_>> {
        self.eks.ways().into_iter().chain(self.aks.ways()).collect()
    }

    /// One kubeconfig with a context for each way; its plugin is this very binary, or another program.
    pub(crate) fn kubeconfig(&self, plugin: Option<&Path>) -> io::Result<PathBuf> {
        let ways = self.ways();
        let execs = ways.iter().map(|way| exec(way, plugin)).collect::<io::Result<Vec<_>>>()?;
        let contexts: Vec<_> =
            ways.iter().zip(&execs).map(|(way, exec)| (way.context, way.cluster, exec)).collect();
        self.home.kubeconfig_at(".kube/config", &contexts)
    }
}

fn exec(way: &Way<'_>, plugin: Option<&Path>) -> io::Result<Exec> {
    let exec = if let Some(program) = plugin {
        Exec::new(program, way.args.clone())
    } else {
        let args = std::iter::once(PLUGIN.to_owned()).chain(way.args.clone());
        Exec::new(std::env::current_exe()?, args)
    };
    Ok(exec.with_env(way.env.clone()))
}
