//! A terminal of its own for a program, and somebody who types there.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    sync::{Arc, Mutex},
    thread,
};

use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

use super::{PATIENCE, Program, Run, Running, until};

/// A program on a terminal that controls it. Its standard streams are elsewhere.
pub(crate) struct Terminal {
    running: Running,
    person: File,
    shown: Arc<Mutex<Vec<u8>>>,
    /// Who reads what is shown, until the terminal's last program is gone.
    reader: thread::JoinHandle<()>,
}

impl Terminal {
    /// Starts it there.
    pub(crate) fn start(program: &Program) -> Self {
        Self::start_many(program, 1)
    }

    /// The same so many times at once, all in front of the one terminal.
    pub(crate) fn start_many(program: &Program, count: usize) -> Self {
        // the terminal is only where the session is: what was stdin for a moment is not read
        let script = format!(
            "for n in $(seq {count}); do \"$0\" \"$@\" </dev/null & p=\"$p $!\"; done\n\
             for p in $p; do wait $p || code=$?; done; exit ${{code:-0}}"
        );
        Self::under(&script, program)
    }

    /// Starts it as a shell does: all its standard streams are the terminal, which has so many columns.
    pub(crate) fn start_on(program: &Program, columns: usize) -> Self {
        let script =
            format!("stty cols {columns} rows 24; exec \"$0\" \"$@\" >/dev/tty 2>/dev/tty");
        Self::under(&script, program)
    }

    fn under(script: &str, program: &Program) -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let path = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
        let mut options = OpenOptions::new();
        let no_controller = OFlags::NOCTTY.bits().try_into().unwrap();
        let end = options.read(true).write(true).custom_flags(no_controller).open(path).unwrap();
        let program = program.clone().under(["setsid", "--ctty", "sh", "-c", script]);
        let mut command = program.command();
        command.stdin(end);
        let running = Running::start(command);

        let person = File::from(person);
        let (mut screen, shown) = (person.try_clone().unwrap(), Arc::new(Mutex::default()));
        let screen_of = Arc::clone(&shown);
        let reader = thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                let mut shown: std::sync::MutexGuard<'_, Vec<u8>> = screen_of.lock().unwrap();
                shown.extend_from_slice(&bytes[..count]);
            }
        });
        Self { running, person, shown, reader }
    }

    /// What stands on it.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// What the program said elsewhere so far.
    pub(crate) fn said(&self) -> String {
        self.running.said()
    }

    /// Waits for these words, and types that line.
    pub(crate) fn types(mut self, after: &str, line: &str) -> Self {
        until(&format!("it shows `{after}`"), PATIENCE, || self.shown().contains(after));
        writeln!(self.person, "{line}").unwrap();
        self
    }

    /// Waits for its end; what it showed comes, too.
    pub(crate) fn finish(self) -> (Run, String) {
        let run = self.running.finish();
        self.reader.join().unwrap();
        let shown = String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned();
        (run, shown)
    }
}
