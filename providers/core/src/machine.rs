//! Which machine this is: two that share a home folder have identities of their own, and neither may
//! be given the token of the other.

use std::path::Path;

use crate::{Fingerprint, Host, Result};

/// What tells this machine apart from every other one, the best that it has: for the keys of what a
/// machine is lent.
pub fn this_machine(host: &Host) -> Result<Fingerprint> {
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
    use crate::testing::{CountingEntropy, StaticEnv, StaticFiles};

    /// A machine with these files, and this name on Windows.
    fn host(files: &[(&str, &str)], name: Option<&str>) -> Host {
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
        Host {
            env: Box::new(StaticEnv::new(name.map(|name| (COMPUTERNAME, name)))),
            files: Box::new(StaticFiles::new(files)),
            entropy: Box::new(CountingEntropy::default()),
            ..Host::refusing()
        }
    }

    fn booted(name: &str, boot: &str, id: Option<&str>) -> Fingerprint {
        let mut files =
            vec![("/proc/sys/kernel/hostname", name), ("/proc/sys/kernel/random/boot_id", boot)];
        files.extend(id.map(|id| ("/etc/machine-id", id)));
        this_machine(&host(&files, None)).unwrap()
    }

    #[test]
    fn a_machine_with_an_empty_id_is_not_every_machine_with_one() {
        for id in ["", "\n", "uninitialized\n"] {
            let with_id = |name, boot| booted(name, boot, Some(id));
            assert_eq!(with_id("a", "1"), with_id("a", "1\n"), "{id:?}");
            assert_eq!(with_id("a", "1"), booted("a", "1", None), "{id:?}");
            assert_ne!(with_id("a", "1"), with_id("b", "1"), "{id:?}");
            assert_ne!(with_id("a", "1"), with_id("a", "2"), "{id:?}");
        }
    }

    #[test]
    fn the_best_that_is_there_counts() {
        let id = ("/etc/machine-id", "i");
        let of = |files: &[(&str, &str)], name| this_machine(&host(files, name)).unwrap();
        assert_eq!(booted("a", "1", Some("i\n")), of(&[id], Some("n")));
        let boot = [("/proc/sys/kernel/hostname", "a"), ("/proc/sys/kernel/random/boot_id", "1")];
        assert_eq!(of(&boot, Some("n")), of(&[], Some("n")));
    }

    #[test]
    fn a_machine_of_which_nothing_is_known_shares_nothing() {
        for files in
            [&[][..], &[("/etc/machine-id", "")], &[("/proc/sys/kernel/hostname", "localhost\n")]]
        {
            let host = host(files, None);
            assert_ne!(this_machine(&host).unwrap(), this_machine(&host).unwrap());
        }
    }
}
