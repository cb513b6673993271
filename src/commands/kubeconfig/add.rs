//! `fleetkey kubeconfig add PROVIDER`: one cluster that is named, into a kubeconfig.
//!
//! Names and files are chosen as the clouds' own tools choose them. What stands in the file stays, and an
//! entry that means something else is not replaced unless that is what was typed.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use fleetkey_provider::{Error, Inventory, Result, one_line, shown};

use url::Url;

use super::again;
use crate::{
    World,
    broker::Folders,
    cli::with_flags,
    discovery::{Failure, Find, Outcome, Search, beside, described},
    host::{may_colour, this_program},
    kubeconfig::{
        addition::Described,
        document::Document,
        files,
        merge::Taken,
        stanza::Written,
        target::{Added, Target, choose},
    },
    options::Options,
    registry::{self, PROVIDERS},
};

/// A command for each provider, of which those that were typed are grown.
pub(super) fn grow(verb: Command, typed: &dyn Fn(&str) -> bool) -> Command {
    let verb = verb.subcommand_required(true).disable_help_subcommand(true);
    let all = PROVIDERS.iter().filter_map(|provider| Some((*provider, provider.inventory()?)));
    all.fold(verb, |verb, (provider, inventory)| {
        let command = Command::new(provider.name()).about(provider.about());
        verb.subcommand(if typed(provider.name()) {
            with_flags(grown(command, inventory))
        } else {
            command
        })
    })
}

/// The flags: the provider's, and those of every one.
fn grown(command: Command, inventory: &dyn Inventory) -> Command {
    let text =
        |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    inventory
        .add_arguments(command)
        .arg(super::kubeconfig())
        .arg(
            text("context", "NAME").visible_alias("alias").help(
                "What the context is to be called [default: as the cloud's own tool calls it]",
            ),
        )
        .arg(
            text("user-alias", "NAME")
                .help("What the user is to be called [default: as the cloud's own tool calls it]"),
        )
        .arg(overwrite().help("Replace entries of the same name that mean something else"))
        .arg(text("proxy-url", "URL").help("The proxy by which clients are to reach the cluster"))
        .arg(super::dry_run())
        .arg(super::bare_command())
}

/// `--overwrite`
pub(super) fn overwrite() -> Arg {
    Arg::new("overwrite")
        .long("overwrite")
        .visible_alias("overwrite-existing")
        .action(ArgAction::SetTrue)
}

/// What that flag says.
pub(super) fn taken(matches: &ArgMatches) -> Taken {
    if matches.get_flag("overwrite") { Taken::Overwritten } else { Taken::Refused }
}

pub(super) fn run(
    cloud: &str,
    matches: &mut ArgMatches,
    options: &Options,
    world: &mut World,
) -> Result<()> {
    let provider = registry::find(cloud).ok_or_else(|| Error::config("no cloud was named"))?;
    let inventory = provider.inventory();
    let inventory =
        inventory.ok_or_else(|| Error::config("this cloud's clusters are not known"))?;
    let again = {
        let command = grown(Command::new(provider.name()), inventory);
        let before = format!("fleetkey kubeconfig add {cloud}");
        again::line(&before, &command, matches, provider.secrets())
    };
    let asked = Asked::read(matches)?;
    world.attend(options, None);
    let errand = inventory.add(matches, &world.host)?;
    let world = &*world;
    let folders = Folders::of(options, &world.host)?;
    let search = Search { world, options, folders, most: 1 };
    let program = if asked.bare_command { None } else { this_program(&world.host) };
    let written = Written::new(program.as_deref(), options.api_version);
    let find = only(search.run(vec![errand]))?;
    let (id, suffix) = (find.id(), find.context_suffix());
    let described = asked.named(
        described(find, provider, &written)
            .map_err(|error| error.or_next(|| format!("{again} --verbose")))?,
        suffix,
    );
    let paths = files::named(asked.kubeconfig.as_deref(), &world.host)?;
    let path = choose(&paths, &described.cluster, &world.host)
        .ok_or_else(|| Error::config("there is no kubeconfig to add to"))?;
    let target = Target {
        path,
        taken: asked.taken,
        dry_run: asked.dry_run,
        coloured: (world.stdout_is_terminal)() && may_colour(&*world.host.env),
        ids: id.iter().cloned().collect(),
    };
    let context = described.context.clone();
    let make = |document: &Document<'_>| match id {
        // whoever chose a name wants an entry beside what is there, and no other cluster's replaced
        None if asked.context.is_some() => beside(described, document, asked.user.is_some()),
        _ => described.addition(),
    };
    let added = target
        .add(|document| vec![make(document)], Some(&context), world)
        .map_err(|error| error.or_next(|| format!("{again} --overwrite")))?;
    tell(&added, &context, &target, world)
}

/// What the flags of every provider say.
struct Asked {
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    user: Option<String>,
    proxy_url: Option<String>,
    taken: Taken,
    dry_run: bool,
    bare_command: bool,
}

impl Asked {
    fn read(matches: &mut ArgMatches) -> Result<Self> {
        let mut text = |name: &str| -> Result<Option<String>> {
            let text = matches.remove_one::<String>(name);
            match &text {
                Some(text) if text.is_empty() || one_line(text) != *text => {
                    Err(Error::config(format!("`--{name}` cannot be `{}`", shown(text)))
                        .because("it is empty, or has control characters"))
                }
                _ => Ok(text),
            }
        };
        let (context, user, proxy_url) =
            (text("context")?, text("user-alias")?, text("proxy-url")?);
        let is_proxy = |url: &String| {
            Url::parse(url).is_ok_and(|url| ["http", "https", "socks5"].contains(&url.scheme()))
        };
        if let Some(url) = proxy_url.as_ref().filter(|url| !is_proxy(url)) {
            let url = again::without_credentials(url);
            return Err(Error::config(format!("`--proxy-url` is no proxy: `{}`", shown(&url)))
                .because("clients know URLs of `http`, `https` and `socks5`"));
        }
        Ok(Self {
            kubeconfig: matches.remove_one("kubeconfig"),
            context,
            user,
            proxy_url,
            taken: taken(matches),
            dry_run: matches.get_flag("dry-run"),
            bare_command: matches.get_flag("bare-command"),
        })
    }

    /// By the names that were typed. Where a cloud's own tool calls a context as its user, it still is.
    /// What the cloud's own tool puts behind a context's name comes behind that, too.
    fn named(&self, mut described: Described, suffix: &str) -> Described {
        let is_as_user = described.context == described.user;
        if let Some(user) = &self.user {
            described.user.clone_from(user);
        }
        if let Some(context) = &self.context {
            described.context.clone_from(context);
        } else if is_as_user {
            described.context.clone_from(&described.user);
        }
        described.context += suffix;
        if let Some(url) = &self.proxy_url {
            described.set_proxy(url);
        }
        described
    }
}

/// The one thing that was found, or why it was not.
fn only(outcome: Outcome) -> Result<Find> {
    let Outcome { found, failures, .. } = outcome;
    if let Some(Failure { why, .. }) = failures.into_values().next() {
        return Err(why);
    }
    let find = found.into_values().next();
    find.ok_or_else(|| Error::failed("nothing came of looking for the cluster"))
}

fn tell(added: &Added, context: &str, target: &Target, world: &World) -> Result<()> {
    for note in &added.notes {
        world.warn(note);
    }
    if let Some(diff) = &added.diff {
        world.print(diff)?;
    }
    if !target.dry_run {
        for name in &added.made_anew {
            let name = shown(name);
            world.print(&format!(
                "cluster `{name}` was made anew; its entry has the new server\n"
            ))?;
        }
    }
    let (context, path) = (shown(context), target.path.to_string_lossy());
    match (added.is_change, target.dry_run) {
        (true, true) => Ok(()), // the diff says it
        (true, false) => world.print(&format!("context `{context}` is in {}\n", shown(&path))),
        (false, _) => world.print(&format!(
            "context `{context}` is in {} already; nothing was changed\n",
            shown(&path)
        )),
    }
}
