//! `fleetkey kubeconfig revert`: what `convert` changed is put back.
//!
//! A file that is still what it became is put back byte for byte; of any other, each entry that still
//! means what was written.

use clap::{ArgMatches, Command};
use fleetkey_provider::{Error, Result, shown};

use super::meant::Meant;
use crate::{
    World,
    host::may_colour,
    kubeconfig::{
        files,
        restore::{Restored, restore},
        undo::Undo,
    },
    options::Options,
};

pub(super) fn grow(command: Command) -> Command {
    command.arg(super::kubeconfig()).arg(super::dry_run())
}

pub(super) fn run(matches: &mut ArgMatches, options: &Options, world: &mut World) -> Result<()> {
    world.attend(options, None);
    let world = &*world;
    let meant = Meant::read(matches, &world.host)?;
    let undo = Undo::open(world)?;
    let coloured = (world.stdout_is_terminal)() && may_colour(&*world.host.env);
    let (mut lines, mut is_any) = (String::new(), false);
    for (path, text) in &meant.files {
        let file = world.host.files.real(path);
        let record = undo.read(&file)?;
        if record.layers.is_empty() {
            continue;
        }
        is_any = true;
        if matches.get_flag("dry-run") {
            lines += &restore(path, text, record)?.diff(path, text, coloured)?;
            continue;
        }
        let put_back = |now: Option<String>| {
            let now = now.unwrap_or_default();
            let restored = restore(path, &now, undo.read(&file)?)?;
            let new = (restored.text != now).then(|| restored.text.clone());
            Ok((new, restored))
        };
        // what was put back is forgotten once it is back, and before the next conversion adds to it
        let forget = |restored: &Restored| undo.keep(&file, &restored.record);
        let restored = files::change_and(path, &world.host, put_back, forget)?;
        lines += &report(&shown(&path.to_string_lossy()), &restored);
    }
    if !is_any {
        return Err(Error::config("there is nothing to put back")
            .because("`fleetkey kubeconfig convert` changed none of these files, or kept nothing")
            .next("fleetkey kubeconfig convert --dry-run"));
    }
    world.print(&lines)
}

fn report(path: &str, restored: &Restored) -> String {
    let Restored { whole, entries, left, .. } = restored;
    let mut lines = match (whole, entries.len()) {
        (true, _) => format!("put back {path}, byte for byte\n"),
        (false, 1) => format!("put back 1 entry in {path}\n"),
        (false, number) => format!("put back {number} entries in {path}\n"),
    };
    for (name, why) in left {
        lines += &["left as it is: `", &shown(name), "`: ", why, "\n"].concat();
    }
    lines
}
