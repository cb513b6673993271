//! `fleetkey kubeconfig convert`: users of other plugins run fleetkey from now on.
//!
//! What would change is shown and asked for first, and what was there is kept for `revert`. Only bytes that
//! are meant change, and a file that somebody else changed meanwhile is read again.

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use fleetkey_provider::{Error, ExposeSecret, Overrides, Result, one_line, shown};

use crate::{
    World,
    host::{may_colour, this_program},
    kubeconfig::{
        document::Document,
        files, flags,
        outcome::Outcome,
        plan::{Edit, Left, Plan},
        stanza::Written,
        takeover::Wish,
        undo::Undo,
    },
    options::Options,
    registry::PROVIDERS,
};

use super::meant::Meant;

/// The flags, and those of every provider, which win over what an entry says.
pub(super) fn grow(command: Command) -> Command {
    let several = |name: &'static str| Arg::new(name).long(name).action(ArgAction::Append);
    let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let names = PROVIDERS.iter().map(|provider| provider.name());
    let command = command
        .arg(super::kubeconfig())
        .arg(
            several("context")
                .value_name("NAME")
                .help("Only the user of that context; may be repeated"),
        )
        .arg(several("user").value_name("NAME").help("Only that user; may be repeated"))
        .arg(
            Arg::new("provider")
                .long("provider")
                .value_name("PROVIDER")
                .value_parser(clap::builder::PossibleValuesParser::new(names))
                .help("Only users of that provider"),
        )
        .arg(super::dry_run())
        .arg(super::yes())
        .arg(switch("one-stanza").help(
            "One user for all: what tells clusters apart goes into each cluster's own extension",
        ))
        .arg(super::bare_command())
        .arg(switch("no-undo").help("Keep nothing for `revert`"));
    PROVIDERS.iter().fold(command, |command, provider| {
        let theirs = provider.arguments(Command::new(provider.name()));
        theirs.get_arguments().fold(command, |command, arg| {
            // a flag that two providers have is for both
            if command.get_arguments().any(|known| known.get_id() == arg.get_id()) {
                return command;
            }
            command.arg(arg.clone().required(false).help_heading(provider.about()))
        })
    })
}

pub(super) fn run(matches: &mut ArgMatches, options: &Options, world: &mut World) -> Result<()> {
    world.attend(options, None);
    let (world, matches) = (&*world, &*matches);
    check_overrides(matches)?;
    let wish = wish(matches, options, world);
    let mut meant = Meant::read(matches, &world.host)?;
    let files = std::mem::take(&mut meant.files);
    let is_alone = files.len() == 1;
    let one_stanza = matches.get_flag("one-stanza");
    let plan = |path: &Path, document: &Document<'_>| -> Result<Plan> {
        if one_stanza {
            let size = |file: &str| ca_size(path, file, world);
            let is_meant = |context: (&str, &str)| meant.has_context(context);
            return Plan::one_stanza(document, &wish, is_meant, &size, is_alone);
        }
        Ok(Plan::new(document, &wish, |user| meant.has_user(user)))
    };
    let mut outcomes = Vec::new();
    for (path, text) in files {
        outcomes.push(Outcome::of(&path, text, |document| plan(&path, document))?);
    }
    let is_change = outcomes.iter().any(Outcome::is_change);
    if !is_change {
        return nothing(&outcomes, &meant, world);
    }
    if matches.get_flag("dry-run") {
        tell_left(&outcomes, world);
        return world.print(&diffs(&outcomes, (world.stdout_is_terminal)(), world)?);
    }
    let asked = !matches.get_flag("yes");
    if asked {
        world.complain(&diffs(&outcomes, (world.stderr_is_terminal)(), world)?);
        tell_left(&outcomes, world);
        confirm(&outcomes, &again(matches, "--yes"), world)?;
    } else {
        tell_left(&outcomes, world);
    }
    let undo = if matches.get_flag("no-undo") {
        None
    } else {
        Some(undo(&again(matches, "--no-undo"), world)?)
    };
    let mut lines = String::new();
    for outcome in outcomes.into_iter().filter(Outcome::is_change) {
        let written = write(outcome, undo.as_ref(), asked, plan, world)?;
        lines += &report(&written, undo.is_some());
    }
    world.print(&lines)
}

/// What was typed, and one flag more.
fn again(matches: &ArgMatches, more: &str) -> String {
    let secrets: Vec<&str> = PROVIDERS.iter().flat_map(|p| p.secrets()).copied().collect();
    let command = grow(Command::new("convert"));
    let line = super::again::line("fleetkey kubeconfig convert", &command, matches, &secrets);
    format!("{line} {more}")
}

fn wish(matches: &ArgMatches, options: &Options, world: &World) -> Wish {
    let only = matches.get_one::<String>("provider");
    let providers = PROVIDERS.iter().filter(|p| only.is_none_or(|only| only == p.name()));
    let program = if matches.get_flag("bare-command") { None } else { this_program(&world.host) };
    let providers = providers.map(|provider| (*provider, overrides(*provider, matches)));
    Wish::new(providers.collect(), Written::new(program.as_deref(), options.api_version))
}

/// The provider's flags that were typed.
fn overrides(provider: &dyn fleetkey_provider::Provider, matches: &ArgMatches) -> Overrides {
    let command = provider.arguments(Command::new(provider.name()));
    let typed = command.get_arguments().filter_map(|arg| {
        let id = arg.get_id().as_str();
        let is_typed = matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
        let name = arg.get_long().unwrap_or(id).to_owned();
        is_typed.then(|| {
            let values = matches.get_raw(id).into_iter().flatten();
            values
                .map(|value| (name.clone(), value.to_string_lossy().into_owned()))
                .collect::<Vec<_>>()
        })
    });
    Overrides(typed.flatten().collect())
}

/// What was typed wrongly is wrong for every user.
fn check_overrides(matches: &ArgMatches) -> Result<()> {
    PROVIDERS.iter().try_for_each(|provider| {
        let checked = flags::check_typed(*provider, &overrides(*provider, matches));
        checked.map_err(|error| error.or_next(|| "fleetkey kubeconfig convert --help".into()))
    })
}

/// Writes one file, as it is now.
fn write(
    outcome: Outcome,
    undo: Option<&Undo<'_>>,
    asked: bool,
    plan: impl Fn(&Path, &Document<'_>) -> Result<Plan>,
    world: &World,
) -> Result<Outcome> {
    let path = outcome.path.clone();
    files::change(&path, &world.host, |now| {
        let now = now.unwrap_or_default();
        let mut outcome = if now == outcome.old {
            drop(now);
            outcome
        } else {
            let again = Outcome::of(&path, now, |document| plan(&path, document))?;
            let shown_path = shown(&path.to_string_lossy());
            world.complain(&format!(
                "fleetkey: another program changed `{shown_path}` meanwhile, so it was read again\n"
            ));
            if asked && !is_same(&outcome.edits, &again.edits) {
                return Err(Error::failed(format!(
                    "`{shown_path}` is not what was shown any more"
                ))
                .because("another program changed users in it meanwhile; nothing was written")
                .next("fleetkey kubeconfig convert"));
            }
            again
        };
        if !outcome.is_change() {
            return Ok((None, outcome));
        }
        if let Some(undo) = undo {
            undo.push(&world.host.files.real(&path), outcome.layer()?)?;
        }
        Ok((Some(std::mem::take(&mut outcome.new)), outcome))
    })
}

/// How large a file of authorities is; a relative path is meant from the kubeconfig's folder, as by clients.
fn ca_size(kubeconfig: &Path, file: &str, world: &World) -> Option<u64> {
    let path = kubeconfig.parent().map_or_else(|| file.into(), |folder| folder.join(file));
    let bytes = world.host.files.read(&path);
    // what is too large to be read is too large to be handed over
    bytes.map_or(Some(u64::MAX >> 8), |bytes| bytes.map(|bytes| bytes.len() as u64))
}

/// Whether two plans come to the same.
fn is_same(one: &[Edit], other: &[Edit]) -> bool {
    let what = |edit: &Edit| (edit.section, edit.name.clone(), edit.meaning, edit.before.clone());
    one.iter().map(what).eq(other.iter().map(what))
}

fn undo<'w>(next: &str, world: &'w World) -> Result<Undo<'w>> {
    let undo = Undo::open(world);
    let ready = undo.and_then(|undo| undo.prepare().map(|_| undo));
    ready.map_err(|error| error.or_next(|| next.to_owned()))
}

fn diffs(outcomes: &[Outcome], coloured: bool, world: &World) -> Result<String> {
    let coloured = coloured && may_colour(&*world.host.env);
    let changed = outcomes.iter().filter(|outcome| outcome.is_change());
    changed.map(|outcome| outcome.diff(coloured)).collect()
}

fn confirm(outcomes: &[Outcome], next: &str, world: &World) -> Result<()> {
    let nobody = || {
        Error::config("nobody can be asked here whether to convert")
            .because(
                "there is no terminal, or `--ask` says so; the diff above is what would change",
            )
            .next(next)
    };
    if !world.host.person.means().keyboard {
        return Err(nobody());
    }
    let users: usize = outcomes.iter().map(|outcome| outcome.edits.len()).sum();
    let prompt = format!("change {}? [y/N] ", counted(users, "entry", "entries"));
    let answer = world.host.person.ask(&prompt);
    let is_yes = answer
        .is_ok_and(|text| ["y", "yes"].contains(&text.expose_secret().to_lowercase().as_str()));
    if is_yes { Ok(()) } else { Err(Error::failed("nothing was changed, as you said")) }
}

fn tell_left(outcomes: &[Outcome], world: &World) {
    for Left { user, why } in outcomes.iter().flat_map(|outcome| &outcome.left) {
        world.complain(&left_line(user, why));
    }
}

fn left_line(user: &str, why: &Error) -> String {
    let cause = why.cause().map_or_else(String::new, |cause| format!(" ({})", one_line(cause)));
    format!("left as it is: user `{}`: {}{cause}\n", shown(user), one_line(why.message()))
}

/// What was done to a file, a line for it and one for each thing to know.
fn report(outcome: &Outcome, can_revert: bool) -> String {
    let path = shown(&outcome.path.to_string_lossy());
    let changed = counted(outcome.edits.len(), "entry", "entries");
    let back =
        if can_revert { "; `fleetkey kubeconfig revert` puts back what was there" } else { "" };
    let mut lines = format!("changed {changed} in {path}{back}\n");
    for edit in &outcome.edits {
        for note in &edit.notes {
            lines += &["user `", &shown(&edit.name), "`: ", &one_line(note), "\n"].concat();
        }
    }
    lines
}

/// Where there is nothing to write: why, if something was named.
fn nothing(outcomes: &[Outcome], meant: &Meant, world: &World) -> Result<()> {
    let left = outcomes.iter().flat_map(|outcome| &outcome.left);
    if meant.is_named
        && let Some(Left { user, why }) = left.clone().next()
    {
        let cause = why.cause().unwrap_or_default();
        let why = if cause.is_empty() {
            why.message().to_owned()
        } else {
            format!("{}: {cause}", why.message())
        };
        return Err(Error::config(format!("user `{}` cannot be converted", shown(user)))
            .because(why)
            .or_next(|| "fleetkey kubeconfig convert --dry-run".into()));
    }
    tell_left(outcomes, world);
    let ours: usize = outcomes.iter().map(|outcome| outcome.ours.len()).sum();
    let already = if ours == 0 {
        String::new()
    } else {
        format!("; {} fleetkey already", counted(ours, "user runs", "users run"))
    };
    world.print(&format!("nothing to convert{already}\n"))
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
