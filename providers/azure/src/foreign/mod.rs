//! What other programs left behind, in our words: users that run `kubelogin` or `az`, or have the
//! `auth-provider` of old; and command lines that were written for kubelogin itself.
//!
//! Everything here is text in, text out. A user becomes values by the names of our flags (one reader
//! per kind of user), values become an adoption (`adopt`), and what is meant by a flag stands in one
//! table (`flags`). No secret changes its place: what stood in arguments stays there, and what stood
//! in variables does.

mod adopt;
#[cfg(test)]
mod adopt_tests;
mod auth_provider;
mod az_line;
mod check;
mod convert;
mod differences;
mod extension;
mod flags;
mod kubelogin_line;
mod line;
mod manner;
mod overrides;
mod recognise;
mod secrets;
mod stand_in;
mod tidy;
mod variables_win;

use fleetkey_provider::{Adoption, Foreign, Overrides, Result};

use self::adopt::Found;
pub use self::differences::{DIFFERENCES, Difference};
pub(crate) use self::{
    check::check,
    extension::extension,
    recognise::{is_aks, recognises},
    secrets::SECRETS,
    stand_in::stands_in,
};

/// Takes a user over, if it is of a kind that is known here.
pub(crate) fn adopt(foreign: &Foreign, overrides: &Overrides) -> Option<Result<Adoption>> {
    let found: Result<Found> = match foreign {
        Foreign::Program { name, args, env } => match name.as_str() {
            kubelogin_line::NAME => kubelogin_line::read(args, env)?,
            az_line::NAME => az_line::read(args, env)?,
            _ => return None,
        },
        Foreign::AuthProvider { name, config } if name == auth_provider::NAME => {
            Ok(auth_provider::read(config))
        }
        Foreign::AuthProvider { .. } => return None,
    };
    Some(found.and_then(|found| found.adopted(overrides)))
}
