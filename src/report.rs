//! Errors for people and for scripts: three lines on stderr and a stable exit code.
//!
//! Clients show nothing of a plugin but its exit code, so the codes never change meaning.

use std::{io::Write, process::ExitCode};

use fleetkey_provider::{Error, Kind, one_line};

use crate::{World, host::stderr_width, prose::wrapped};

/// Prints what happened, why, and what to type next; the last line can be pasted.
pub(crate) fn failed(error: &Error, world: &World) -> ExitCode {
    world.complain(&render(error, stderr_width()));
    ExitCode::from(code(error.kind()))
}

/// The same of one failure of many, for what it was about; the run goes on to tell others.
pub(crate) fn also_failed(what: &str, error: &Error, world: &World) {
    let next = error.next_line().map(one_line);
    let next = next.map(|next| format!("; next, type:\n{next}")).unwrap_or_default();
    let told = format!("failed: {}{next}\n", one_line(&format!("{what}: {error}")));
    world.complain(&wrapped(&told, stderr_width()));
}

/// The exit code of each kind of error.
pub fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Failed => 1,
        Kind::Config => 2,
        Kind::SignInNeeded => 3,
        Kind::Refused => 4,
        Kind::Unavailable => 5,
    }
}

/// Replaces the panic message, which could carry anything, by one that says where it happened.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let error = Error::failed("fleetkey itself broke; this is a fault of ours")
            .because(format!("a panic at {}", place.as_deref().unwrap_or("an unknown place")))
            .next("fleetkey --version");
        // stderr may be closed; there is nobody left to tell
        drop(std::io::stderr().write_all(render(&error, None).as_bytes()));
        #[allow(
            clippy::exit,
            reason = "an abort would be a signal, and clients show only the code"
        )]
        std::process::exit(i32::from(code(Kind::Failed)));
    }));
}

/// Sentences are for that many columns; what is to be typed is one line, however long.
fn render(error: &Error, columns: Option<usize>) -> String {
    let message = one_line(error.message());
    let (why, next) = (error.cause().map(one_line), error.next_line().map(one_line));
    let told = match (why, next) {
        (Some(why), Some(next)) => {
            format!("error: {message}\n  why: {why}; next, type:\n{next}\n")
        }
        (Some(why), None) => format!("error: {message}\n  why: {why}\n"),
        (None, Some(next)) => format!("error: {message}\n  next, type:\n{next}\n"),
        (None, None) => format!("error: {message}\n"),
    };
    wrapped(&told, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_can_be_pasted() {
        let error = Error::config("a\u{1b}[2J").because("b\nc").next("fleetkey trust add h");
        assert_eq!(
            render(&error, None),
            "error: a [2J\n  why: b c; next, type:\nfleetkey trust add h\n"
        );
    }

    #[test]
    fn what_can_be_pasted_is_one_line_on_a_narrow_terminal_too() {
        let next = "fleetkey login mars --cluster-name prod --profile dev";
        let error = Error::config("nobody is signed in to SSO `corp`").because("x").next(next);
        let told = "error: nobody is signed in to\n  SSO `corp`\n  why: x; next, type:\n";
        assert_eq!(render(&error, Some(30)), format!("{told}{next}\n"));
    }

    #[test]
    fn the_exit_codes_are_those_of_the_docs() {
        let codes =
            [Kind::Failed, Kind::Config, Kind::SignInNeeded, Kind::Refused, Kind::Unavailable]
                .map(code);
        assert_eq!(codes, [1, 2, 3, 4, 5]);
    }
}
