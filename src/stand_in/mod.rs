//! fleetkey in another program's place: under its name, or by the words that it is called with.
//!
//! What such a command line means is the providers' affair, and so is how its answer looks and how it
//! fails. The token comes the same way as every other: from the same cache, behind the same locks.
//! Every start passes through here, so what is plainly our own is let go by after two comparisons.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::ExitCode,
};

use fleetkey_provider::{Env, Error, Manner, Provider, Result, StandIn, one_line};

use crate::{World, cli, commands::get_token, exec, options::Command, registry::PROVIDERS, report};

mod convert;

/// A command line that was written for another program, and whose provider knows that program.
pub(crate) struct Line {
    provider: &'static dyn Provider,
    meant: Result<StandIn>,
}

impl Line {
    /// Whether a token is all that it asks for.
    pub(crate) fn is_token(&self) -> bool {
        matches!(self.meant, Ok(StandIn::Token { .. }))
    }
}

/// Understands a command line; `None` if it is our own.
pub(crate) fn line(args: &[OsString], env: &dyn Env) -> Option<Line> {
    let (program, args) = args.split_first()?;
    let program = name(program)?;
    if program == OURS && args.first().is_some_and(|word| word == GET_TOKEN) {
        return None;
    }
    let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    PROVIDERS.iter().find_map(|provider| {
        let meant = provider.stands_in(&program, &args, env)?;
        Some(Line { provider: *provider, meant })
    })
}

/// Does what the other program would.
pub(crate) fn run(line: Line, mut world: World) -> ExitCode {
    match line.meant {
        Ok(StandIn::Token { args, manner }) => {
            let done = token(line.provider, args, &*manner, &mut world);
            ended(done, &*manner, &world)
        }
        Ok(StandIn::Convert(conversion)) => {
            let done = convert::as_the_original(&*conversion, &world);
            ended(done, conversion.manner(), &world)
        }
        Ok(StandIn::Text(text)) => match world.print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => report::failed(&error, &world),
        },
        Err(error) => report::failed(&error, &world),
    }
}

/// A program's name as people call it: no folders, lower case, without `.exe`.
fn name(program: &OsStr) -> Option<String> {
    let mut name = Path::new(program).file_name()?.to_str()?.to_ascii_lowercase();
    if let Some(bare) = name.strip_suffix(".exe") {
        name.truncate(bare.len());
    }
    Some(name)
}

fn token(
    provider: &'static dyn Provider,
    args: Vec<String>,
    manner: &dyn Manner,
    world: &mut World,
) -> Result<()> {
    let text = exec::text(&world.host);
    let (version, warning) = manner.version(text.as_deref())?;
    if let Some(warning) = warning {
        world.complain(&format!("{}\n", one_line(&warning)));
    }
    let words = [OURS, GET_TOKEN, provider.name()].map(str::to_owned);
    let line = words.into_iter().chain(args).map(OsString::from);
    let matches = match cli::parse(line)? {
        cli::Parsed::Verb(matches) => matches,
        cli::Parsed::Text(text) => return world.print(&text),
    };
    let Command { mut matches, options, .. } = Command::new(matches)?;
    let exec = exec::spec(text.as_deref());
    let token = get_token::token(provider, &mut matches, &exec, &options, world);
    let help = || format!("{OURS} {GET_TOKEN} {} --help", provider.name());
    let token = token.map_err(|error| error.or_next(help))?;
    world.answer(&manner.answer(&token, &version)?)
}

fn ended(done: Result<(), Error>, manner: &dyn Manner, world: &World) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    let (text, code) = manner.failure(&error);
    world.complain(&text);
    ExitCode::from(code)
}

/// What we are called, unless somebody called us otherwise.
const OURS: &str = "fleetkey";
const GET_TOKEN: &str = "get-token";

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::StaticEnv;

    use super::*;

    #[test]
    fn a_program_is_known_by_its_bare_name() {
        for (program, expected) in [
            ("kubelogin", "kubelogin"),
            ("/opt/bin/KubeLogin.EXE", "kubelogin"),
            ("./fleetkey", "fleetkey"),
            ("a.exe.exe", "a.exe"),
        ] {
            assert_eq!(name(OsStr::new(program)).as_deref(), Some(expected));
        }
        assert_eq!(name(OsStr::new("/")), None);
        assert_eq!(name(OsStr::new("")), None);
    }

    #[test]
    fn our_own_lines_are_nobody_elses() {
        let args = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        let env = StaticEnv::default();
        for ours in ["fleetkey get-token x", "fleetkey", "fk get-token x", "fleetkey --version"] {
            assert!(line(&args(ours), &env).is_none(), "{ours}");
        }
        assert!(line(&[], &env).is_none());
        assert!(line(&args("kubelogin get-token"), &env).is_some());
    }
}
