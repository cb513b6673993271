//! tokio, on one thread, built when the first future has to run.

use std::{sync::OnceLock, time::Duration};

use fleetkey_provider::{BoxFuture, Error, Result};
use tokio::runtime::{Builder, Runtime as TokioRuntime};

use crate::Runtime;

/// The runtime of the cold path.
#[derive(Default)]
pub(crate) struct Tokio(OnceLock<Result<TokioRuntime>>);

impl Runtime for Tokio {
    fn run<'a>(&'a self, work: BoxFuture<'a, ()>, limit: Duration) -> Result<()> {
        let runtime = self.0.get_or_init(|| {
            Builder::new_current_thread().enable_all().build().map_err(|error| {
                Error::failed("the runtime could not be started").because(error.to_string())
            })
        });
        let runtime = runtime.as_ref().map_err(Clone::clone)?;
        runtime.block_on(async { tokio::time::timeout(limit, work).await }).map_err(|_| {
            Error::unavailable(format!("no answer within {} s", limit.as_secs())).because(
                "the network or the cloud is slow, or something between drops what is sent",
            )
        })
    }
}

impl Drop for Tokio {
    /// Does not wait: a name look-up that hangs sits in a thread that nobody can end.
    fn drop(&mut self) {
        if let Some(Ok(runtime)) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
