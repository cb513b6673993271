//! `fleetkey kubeconfig discover`: which clusters there are, in every cloud, and into a kubeconfig with
//! those that are meant.
//!
//! Looking changes nothing. Clusters are added where `--all` or a pattern says so, or a person picks
//! them; what is there already stays as it is.

mod adding;

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use fleetkey_provider::{
    Errand, Error, ExposeSecret, Host, Kind, Provider, Result, Wanted, one_line, shown,
};

use self::adding::{Adding, Said};
use super::{add, again};
use crate::{
    World,
    broker::Folders,
    discovery::{
        Choice, DEFAULT_TEMPLATE, Failure, Found, Kubeconfigs, Pattern, Search, Template, failed,
        for_programs, gathered, json, nothing, overview,
    },
    host::stdout_width,
    kubeconfig::{files, merge::Taken},
    options::{Ask, Options},
    registry::PROVIDERS,
};

/// The flags of every provider, and those of all.
pub(super) fn grow(command: Command) -> Command {
    let text =
        |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let names = PROVIDERS.iter().map(|provider| provider.name());
    let command =
        command
            .arg(Arg::new("pattern").value_name("PATTERN").action(ArgAction::Append).help(
                "Add the clusters whose name, or whose context's, is like this, such as `prod-*`",
            ))
            .arg(switch("all").help("Add all clusters"))
            .arg(
                text("provider", "PROVIDER")
                    .action(ArgAction::Append)
                    .value_parser(clap::builder::PossibleValuesParser::new(names))
                    .help("Only look there; may be repeated"),
            )
            .arg(
                text("region", "REGION")
                    .action(ArgAction::Append)
                    .help("Only look in that region; may be repeated [default: all]"),
            )
            .arg(text("name-template", "TEMPLATE").help(
                "What contexts are to be called [default: {cloud}/{account}/{region}/{cluster}]",
            ))
            .arg(switch("json").help("Print what was found, and what failed, as JSON"))
            .arg(super::kubeconfig())
            .arg(add::overwrite().help("Add again what is there already, in place of it"))
            .arg(super::dry_run())
            .arg(super::yes())
            .arg(
                text("parallel", "NUMBER")
                    .value_parser(clap::value_parser!(u64).range(1..=32))
                    .help("How many questions may be on their way at once (1 to 32) [default: 8]"),
            )
            .arg(super::bare_command());
    PROVIDERS.iter().fold(command, |command, provider| {
        let Some(inventory) = provider.inventory() else { return command };
        let theirs = inventory.discover_arguments(Command::new(provider.name()));
        let theirs: Vec<Arg> = theirs.get_arguments().cloned().collect();
        theirs
            .into_iter()
            .fold(command, |command, arg| command.arg(arg.help_heading(provider.name())))
    })
}

pub(super) fn run(matches: &mut ArgMatches, options: &Options, world: &mut World) -> Result<()> {
    let secrets: Vec<&str> = PROVIDERS.iter().flat_map(|p| p.secrets()).copied().collect();
    let again = again::line(
        "fleetkey kubeconfig discover",
        &grow(Command::new("discover")),
        matches,
        &secrets,
    );
    let asked = Asked::read(matches)?;
    world.attend(options, None);
    let (clouds, errands): (Vec<_>, Vec<_>) =
        asked.errands(matches, &world.host)?.into_iter().unzip();
    let world = &*world;
    let paths = files::named(asked.kubeconfig.as_deref(), &world.host)?;
    let folders = Folders::of(options, &world.host)?;
    let search = Search { world, options, folders, most: asked.parallel };
    let outcome = search.run(errands);
    let kubeconfigs = Kubeconfigs::read(&paths, &world.host);
    let (found, notes) = gathered(outcome.found, &clouds, &asked.template, &kubeconfigs);
    let failures: Vec<Failure> = outcome.failures.into_values().collect();
    let picks = found.iter().any(|one| asked.is_new(one)) && asked.picks(options, world);
    if !asked.json && !found.is_empty() {
        let width = (world.stdout_is_terminal)().then(stdout_width).flatten();
        world.print(&overview(&found, picks, width))?;
    }
    for note in notes {
        world.warn(&note);
    }
    if found.is_empty() {
        return none_found(&failures, &asked, world);
    }
    let clusters = for_programs(&found);
    if !asked.json {
        world.complain(&failed(&failures));
    }
    let mut said = Said { failures, diff: None };
    let chosen = if picks { picked(found, world) } else { asked.chosen(found) };
    let done = chosen.and_then(|chosen| {
        if chosen.is_empty() {
            return Ok(());
        }
        let path = paths.into_iter().next();
        let path = path.ok_or_else(|| Error::config("there is no kubeconfig to add to"))?;
        let adding = Adding { search, asked: &asked, path, asks: !picks, again };
        adding.add(chosen, &mut said)
    });
    if asked.json {
        world.print(&json(&clusters, &said.failures, said.diff.as_deref()))?;
    }
    done
}

/// What the flags of all say.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
struct Asked {
    patterns: Vec<String>,
    all: bool,
    providers: Vec<String>,
    wanted: Wanted,
    template: Template,
    json: bool,
    kubeconfig: Option<PathBuf>,
    taken: Taken,
    dry_run: bool,
    yes: bool,
    parallel: usize,
    bare_command: bool,
}

impl Asked {
    fn read(matches: &mut ArgMatches) -> Result<Self> {
        let mut texts = |name: &str| -> Vec<String> {
            matches.remove_many(name).into_iter().flatten().collect()
        };
        let (patterns, providers, regions) = (texts("pattern"), texts("provider"), texts("region"));
        let template = matches.remove_one::<String>("name-template");
        let parallel = matches.remove_one::<u64>("parallel");
        Ok(Self {
            patterns,
            all: matches.get_flag("all"),
            providers,
            wanted: Wanted { regions },
            template: Template::parse(template.as_deref().unwrap_or(DEFAULT_TEMPLATE))?,
            json: matches.get_flag("json"),
            kubeconfig: matches.remove_one("kubeconfig"),
            taken: add::taken(matches),
            dry_run: matches.get_flag("dry-run"),
            yes: matches.get_flag("yes"),
            parallel: parallel.and_then(|number| number.try_into().ok()).unwrap_or(PARALLEL),
            bare_command: matches.get_flag("bare-command"),
        })
    }

    /// Where to look first, each with its provider.
    fn errands(
        &self,
        matches: &mut ArgMatches,
        host: &Host,
    ) -> Result<Vec<(&'static str, Box<dyn Errand>)>> {
        let mut errands = Vec::new();
        let is_meant = |provider: &&&dyn Provider| {
            self.providers.is_empty() || self.providers.iter().any(|name| name == provider.name())
        };
        for provider in PROVIDERS.iter().filter(is_meant) {
            let Some(inventory) = provider.inventory() else { continue };
            let first = inventory.discover(matches, &self.wanted, host)?;
            errands.extend(first.into_iter().map(|errand| (provider.name(), errand)));
        }
        if errands.is_empty() {
            return Err(Error::config("there is nowhere to look for clusters")
                .because(
                    "no session and no profile of a cloud is here, and no flag says where to look; \
                     keys that are in variables alone are not looked with",
                )
                .next("fleetkey kubeconfig discover --help"));
        }
        Ok(errands)
    }

    /// Whether a person is to pick.
    fn picks(&self, options: &Options, world: &World) -> bool {
        let is_said = self.all || !self.patterns.is_empty() || self.json || self.dry_run;
        !is_said && is_attended(options, world)
    }

    /// Whether there would be anything to do about a cluster.
    fn is_new(&self, one: &Found) -> bool {
        one.known.is_none() || self.taken == Taken::Overwritten
    }

    /// The clusters that flags and patterns name.
    fn chosen(&self, found: Vec<Found>) -> Result<Vec<Found>> {
        if self.all {
            return Ok(found);
        }
        let count = found.len();
        let patterns: Vec<Pattern> = self.patterns.iter().map(|text| Pattern::new(text)).collect();
        let is_like = |one: &Found| {
            patterns.iter().any(|p| p.matches(&one.cluster) || p.matches(&one.context))
        };
        let chosen: Vec<_> = found.into_iter().filter(is_like).collect();
        if chosen.is_empty() && !patterns.is_empty() {
            let patterns: Vec<_> =
                self.patterns.iter().map(|text| format!("`{}`", shown(text))).collect();
            return Err(Error::config(format!("no cluster is like {}", patterns.join(" or ")))
                .because(format!("none of the {count} that were found has such a name"))
                .next("fleetkey kubeconfig discover"));
        }
        Ok(chosen)
    }
}

/// Whether somebody is there who sees the table and can type.
fn is_attended(options: &Options, world: &World) -> bool {
    let sees = (world.stdout_is_terminal)() || options.ask == Some(Ask::Terminal);
    sees && world.host.person.means().keyboard
}

/// The clusters that a person picks.
fn picked(found: Vec<Found>, world: &World) -> Result<Vec<Found>> {
    let again = "fleetkey kubeconfig discover";
    let ask = |which: &str| match world.host.person.ask(which) {
        Ok(line) => Choice::parse(line.expose_secret(), found.len()).map(Some),
        // an empty line is an answer, too
        Err(error) if error.kind() == Kind::SignInNeeded => Ok(None),
        Err(error) => Err(error),
    };
    let choice = ask(WHICH).or_else(|error| {
        if error.kind() != Kind::Config {
            return Err(error);
        }
        world.complain(&format!("{}\n", one_line(&error.to_string())));
        ask(ONCE_MORE)
    });
    let Some(choice) = choice.map_err(|error| error.or_next(|| again.into()))? else {
        return Ok(Vec::new());
    };
    let names: Vec<&str> =
        found.iter().flat_map(|one| [one.cluster.as_str(), &one.context]).collect();
    let like_nothing: Vec<String> =
        choice.like_none_of(&names).map(|text| format!("`{}`", shown(&text))).collect();
    let numbered = found.into_iter().enumerate();
    let chosen: Vec<Found> = numbered
        .filter(|(index, one)| choice.has(index + 1, &[&one.cluster, &one.context]))
        .map(|(_, one)| one)
        .collect();
    if !like_nothing.is_empty() {
        let what = format!("no cluster is like {}", like_nothing.join(" or "));
        if chosen.is_empty() {
            return Err(Error::config(what).next(again));
        }
        world.complain(&format!("{what}\n"));
    }
    Ok(chosen)
}

fn none_found(failures: &[Failure], asked: &Asked, world: &World) -> Result<()> {
    if asked.json {
        world.print(&json(&[], failures, None))?;
    } else if failures.len() > 1 {
        world.complain(&failed(failures));
    }
    match nothing("nothing was found", failures) {
        Some(error) => Err(error),
        None if asked.json => Ok(()),
        None => world.print("no clusters were found\n"),
    }
}

/// How many questions are on their way at once.
const PARALLEL: usize = 8;
const ONCE_MORE: &str = "once more, numbers, patterns, all, or nothing: ";
const WHICH: &str = "which to add? numbers (1-3,7), patterns, all, or nothing: ";
