//! Conversions that another program would have made: all that are meant, or none, each written where
//! it stands, without a word.

use fleetkey_provider::{Conversion, Error, Result};

use crate::World;

/// Converts, as the other program would.
pub(super) fn as_the_original(_conversion: &dyn Conversion, _world: &World) -> Result<()> {
    Err(Error::failed("kubeconfigs are not converted here yet").next("fleetkey --help"))
}
