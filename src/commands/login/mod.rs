//! `fleetkey login`: people sign in by hand, once for each identity.
//!
//! As those of a kubeconfig's contexts ([`all`]), or as the one that a provider's flags name ([`one`]).

mod all;
mod losses;
mod one;
mod report;

use clap::{Arg, ArgAction, ArgMatches, Command};
use fleetkey_provider::{Error, Kind, Means, Request, Result};

use super::{kubeconfig, status};
use crate::{
    World,
    fleet::{Insisting, Insists, steps},
    options::{Ask, Options},
};

/// The flags of the verb itself.
pub(crate) fn grow(verb: Command) -> Command {
    let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let verb = verb
        .arg(status::contexts("The contexts whose identities are to sign in"))
        .arg(switch("all").conflicts_with("contexts").help("Those of all contexts"))
        .arg(kubeconfig::kubeconfig())
        .arg(switch("no-hint").help("Do not write into the kubeconfig who signed in"))
        .arg(switch("json").help("Print what came of it as JSON"));
    ways(verb)
}

/// The flags about how to be asked, which stand behind a provider too.
pub(crate) fn ways(command: Command) -> Command {
    let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    command
        .arg(switch(DEVICE_CODE).help(
            "Sign in with codes that are typed on a phone or another machine, on a terminal with a picture \
             for its camera",
        ))
        .arg(
            switch("no-browser")
                .conflicts_with(DEVICE_CODE)
                .help("Show the pages' addresses, and open none of them"),
        )
}

pub(super) fn run(
    cloud: Option<&str>,
    matches: &mut ArgMatches,
    above: &[ArgMatches],
    options: &Options,
    world: &mut World,
) -> Result<()> {
    let insists = std::iter::once(&*matches).chain(above).map(insists);
    let insists =
        insists.fold(Insists::Nothing, |all, one| if one == Insists::Nothing { all } else { one });
    let Some(cloud) = cloud else { return all::run(matches, insists, options, world) };
    let is_all = above.iter().any(|above| {
        matches!(above.try_get_one::<bool>("all"), Ok(Some(true)))
            || matches!(above.try_contains_id("contexts"), Ok(true))
    });
    if is_all {
        return Err(Error::config("contexts and a provider exclude each other")
            .because(format!("a context that is called `{cloud}` is named behind `--`"))
            .next(format!("fleetkey login -- {cloud}")));
    }
    one::run(cloud, matches, insists, options, world)
}

fn insists(matches: &ArgMatches) -> Insists {
    let is_on = |name| matches!(matches.try_get_one::<bool>(name), Ok(Some(true)));
    match (is_on(DEVICE_CODE), is_on("no-browser")) {
        (true, _) => Insists::Codes,
        (false, true) => Insists::NoBrowser,
        (false, false) => Insists::Nothing,
    }
}

/// Has the person at the desk asked as they want it. How often they are is counted.
fn insist(
    insists: Insists,
    options: &Options,
    world: &mut World,
) -> std::sync::Arc<std::sync::atomic::AtomicUsize> {
    let nobody = Box::new(fleetkey_provider::Refusing);
    let person = std::mem::replace(&mut world.host.person, nobody);
    let (person, asked) = Insisting::on(
        insists,
        person,
        (world.stderr_is_terminal)(),
        options.ask == Some(Ask::Never),
    );
    world.host.person = Box::new(person);
    asked
}

/// The error of somebody who wanted to sign in, and was not asked because there is nothing to ask them by: a
/// code would have served. `line` asks for one, if it is not the error's own with that flag.
fn or_by_a_code(
    error: Error,
    request: &dyn Request,
    line: Option<String>,
    options: &Options,
    world: &World,
) -> Error {
    let means = world.host.person.means();
    let serves = |means| steps(request).any(|step| step.how(means).is_some());
    if error.kind() != Kind::SignInNeeded
        || options.ask == Some(Ask::Never)
        || serves(means)
        || !serves(Means { terminal: true, ..means })
    {
        return error;
    }
    let own = || {
        let line = error.next_line().filter(|line| line.starts_with("fleetkey login "))?;
        Some(format!("{line} --{DEVICE_CODE}"))
    };
    let line = line.or_else(own);
    let error = error.because("there is neither a browser here nor a terminal to ask on");
    match line {
        Some(line) => error.next(line),
        None => error,
    }
}

const DEVICE_CODE: &str = "device-code";
