//! Which machine this is: two that share a home folder have identities of their own, and neither may
//! be given the token of the other.

use std::path::Path;

use fleetkey_provider::{Fingerprint, Host, Result};

/// What tells this machine apart from every other one, the best that it has.
pub(super) fn here(host: &Host) -> Result<Fingerprint> {
    let file = |path: &str| {
        let bytes = host.files.read(Path::new(path)).ok().flatten()?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    // empty in images of containers, and this word in those of machines (machine-id(5))
    if let Some(id) = file("/etc/machine-id").filter(|id| id != "uninitialized") {
        return Ok(named("machine-id", &id));
    }
    if let Some(name) = host.path_var(COMPUTERNAME) {
        return Ok(named("name", &name.to_string_lossy()));
    }
    // containers of one machine have one boot id, and names of their own
    let name = file("/proc/sys/kernel/hostname");
    if let (Some(name), Some(boot)) = (name, file("/proc/sys/kernel/random/boot_id")) {
        return Ok(named("boot", &format!("{boot} {name}")));
    }
    // nothing is known: a key that nobody else has, this machine at another time included, so that
    // no token is shared with a stranger
    host.notes.note("nothing tells this machine apart: its token is asked for anew each time");
    let mut chance = [0; 32];
    host.entropy.fill(&mut chance)?;
    Ok(Fingerprint::of(&chance))
}

fn named(kind: &str, name: &str) -> Fingerprint {
    Fingerprint::of(format!("{kind} {name}").as_bytes())
}

/// The name of a Windows machine.
const COMPUTERNAME: &str = "COMPUTERNAME";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn of(world: &World) -> Fingerprint {
        here(&world.host()).unwrap()
    }

    fn booted(name: &str, boot: &str) -> World {
        World::default()
            .file("/proc/sys/kernel/hostname", format!("{name}\n"))
            .file("/proc/sys/kernel/random/boot_id", format!("{boot}\n"))
    }

    #[test]
    fn a_machine_with_an_empty_id_is_not_every_machine_with_one() {
        for id in ["", "\n", "uninitialized\n"] {
            let with_id = |name, boot| of(&booted(name, boot).file("/etc/machine-id", id));
            assert_eq!(with_id("a", "1"), with_id("a", "1"), "{id:?}");
            assert_eq!(with_id("a", "1"), of(&booted("a", "1")), "{id:?}");
            assert_ne!(with_id("a", "1"), with_id("b", "1"), "{id:?}");
            assert_ne!(with_id("a", "1"), with_id("a", "2"), "{id:?}");
        }
    }

    #[test]
    fn the_best_that_is_there_counts() {
        let id = booted("a", "1").env(&[("COMPUTERNAME", "n")]).file("/etc/machine-id", "i");
        assert_eq!(of(&id), of(&World::default().file("/etc/machine-id", "i\n")));
        let name = booted("a", "1").env(&[("COMPUTERNAME", "n")]);
        assert_eq!(of(&name), of(&World::default().env(&[("COMPUTERNAME", "n")])));
    }

    #[test]
    fn a_machine_of_which_nothing_is_known_shares_nothing() {
        for world in [
            World::default(),
            World::default().file("/etc/machine-id", ""),
            World::default().file("/proc/sys/kernel/hostname", "localhost\n"),
        ] {
            let host = world.host();
            assert_ne!(here(&host).unwrap(), here(&host).unwrap());
        }
    }
}
