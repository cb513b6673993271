//! The keyboard of the person at the desk: one line, typed on the terminal itself.
//!
//! Standard input is the client's (`kubectl apply -f -` reads a manifest there) and is never read. Who
//! types sees what they type: these are codes that are good once, and a terminal whose echo was
//! switched off would stay so for whoever ends us while we wait.

#[cfg(unix)]
#[path = "unix.rs"]
mod this;
#[cfg(windows)]
#[path = "windows.rs"]
mod this;

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

use fleetkey_provider::{Error, Result, SecretString, one_line};

/// How long a person has to find their device and type what it shows.
const LIMIT: Duration = Duration::from_mins(3);
/// Longer than whatever somebody types by hand.
const LONGEST: u64 = 1024;

/// A terminal.
pub(super) struct Keyboard {
    input: File,
    output: File,
}

impl Keyboard {
    /// The terminal of this process, if what is typed there comes here.
    pub(super) fn open() -> Option<Self> {
        this::open().map(|(input, output)| Self { input, output })
    }

    /// Shows what is wanted. Whatever it was made of, it moves no cursor.
    pub(super) fn prompt(&self, prompt: &str) -> Result<()> {
        this::forget_typed(&self.input);
        let mut output = &self.output;
        let shown = output.write_all(one_line(prompt).as_bytes()).and_then(|()| output.flush());
        shown.map_err(|error| {
            Error::failed("nothing could be shown on the terminal").because(error.to_string())
        })
    }

    /// What is typed, without blanks around it.
    pub(super) fn line(self) -> Result<SecretString> {
        let Self { input, output } = self;
        let line = within(LIMIT, input);
        if line.is_err() {
            // the next thing on the terminal begins on a line of its own
            let mut output = &output;
            drop(output.write_all(b"\n"));
        }
        line
    }
}

/// Reads one line. A terminal has no time-out, and not every system can poll one (macOS cannot), so
/// it is read in a thread, which ends with the process where nobody types.
fn within(limit: Duration, input: impl Read + Send + 'static) -> Result<SecretString> {
    let (send, receive) = mpsc::channel();
    let read = move || {
        let mut line = Vec::new();
        let done = BufReader::new(input.take(LONGEST)).read_until(b'\n', &mut line);
        // nobody waits any more if the time was up
        drop(send.send(done.map(|_| line)));
    };
    let nothing = |why: String| Error::sign_in_needed("nothing was typed").because(why);
    thread::Builder::new().spawn(read).map_err(|error| {
        Error::failed("the terminal could not be read").because(error.to_string())
    })?;
    let line = receive
        .recv_timeout(limit)
        .map_err(|_| nothing(format!("there were {} s for it", limit.as_secs())))?
        .map_err(|error| nothing(error.to_string()))?;
    understood(&line)
}

/// A line that somebody meant, whatever they type: an arrow key sends control characters, too.
fn understood(line: &[u8]) -> Result<SecretString> {
    let unclear = |why: &str| {
        Error::sign_in_needed("what was typed could not be understood").because(why.to_owned())
    };
    let Some(line) = line.strip_suffix(b"\n") else {
        return Err(if line.len() as u64 >= LONGEST {
            unclear("it is far too long")
        } else {
            Error::sign_in_needed("nothing was typed").because("the input was ended")
        });
    };
    let line = std::str::from_utf8(line).map_err(|_| unclear("it is not UTF-8 text"))?.trim();
    if line.is_empty() {
        return Err(Error::sign_in_needed("nothing was typed").because("the line was empty"));
    }
    if line.chars().any(char::is_control) {
        return Err(unclear("a control character stands in it, perhaps of an arrow key"));
    }
    Ok(line.into())
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ExposeSecret, Kind};

    use super::*;

    #[test]
    fn a_line_is_what_stands_before_its_end() {
        for typed in ["123456\n", "123456\r\n", " 123456 \n", "123456\nand more"] {
            let line = within(LIMIT, std::io::Cursor::new(typed)).unwrap();
            assert_eq!(line.expose_secret(), "123456");
        }
    }

    #[test]
    fn what_nobody_meant_is_no_answer() {
        let long = "1".repeat(2000) + "\n";
        for (typed, words) in [
            ("", "the input was ended"),
            ("123456", "the input was ended"),
            ("\n", "the line was empty"),
            (" \r\n", "the line was empty"),
            ("12\u{1b}[D3456\n", "a control character"),
            ("12\u{7f}3456\n", "a control character"),
            (&*long, "far too long"),
        ] {
            let typed = typed.as_bytes().to_vec();
            let error = within(LIMIT, std::io::Cursor::new(typed)).unwrap_err();
            assert_eq!(error.kind(), Kind::SignInNeeded);
            assert!(error.cause().unwrap().contains(words), "{error}");
            assert!(!error.to_string().contains("3456"), "{error}");
        }
        assert!(understood(b"\xff\n").is_err());
    }

    #[test]
    fn nobody_is_waited_for_for_ever() {
        let (input, _held) = std::io::pipe().unwrap();
        let error = within(Duration::ZERO, input).unwrap_err();
        assert_eq!((error.kind(), error.message()), (Kind::SignInNeeded, "nothing was typed"));
    }
}
