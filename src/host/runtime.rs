//! tokio, on one thread, built when the first future has to run.

use std::{sync::OnceLock, time::Duration};

use fleetkey_provider::{BoxFuture, Error, Result};
use tokio::{
    runtime::{Builder, Runtime as TokioRuntime},
    time::timeout,
};

use super::Hold;
use crate::Runtime;

/// How soon work that had to be finished is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The runtime of the cold path.
pub(crate) struct Tokio {
    built: OnceLock<Result<TokioRuntime>>,
    hold: &'static Hold,
}

impl Default for Tokio {
    fn default() -> Self {
        Self { built: OnceLock::new(), hold: Hold::of_this_process() }
    }
}

impl Runtime for Tokio {
    fn run<'a>(&'a self, mut work: BoxFuture<'a, ()>, limit: Duration) -> Result<()> {
        let runtime = self.built.get_or_init(|| {
            Builder::new_current_thread().enable_all().build().map_err(|error| {
                Error::failed("the runtime could not be started").because(error.to_string())
            })
        });
        let runtime = runtime.as_ref().map_err(Clone::clone)?;
        runtime.block_on(async {
            let mut next = limit;
            // a session that is being redeemed is kept first, however late it is
            while timeout(next, &mut work).await.is_err() {
                if !self.hold.is_on() {
                    return Err(Error::unavailable(format!(
                        "no answer within {} s",
                        limit.as_secs()
                    ))
                    .because(
                        "the network or the cloud is slow, or something between drops what is sent",
                    ));
                }
                next = LOOK_AGAIN;
            }
            Ok(())
        })
    }
}

impl Drop for Tokio {
    /// Does not wait: a name look-up that hangs sits in a thread that nobody can end.
    fn drop(&mut self) {
        if let Some(Ok(runtime)) = self.built.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A runtime with a hold that no other test knows.
    fn tokio() -> Tokio {
        Tokio { built: OnceLock::new(), hold: Box::leak(Box::new(Hold::new())) }
    }

    /// Longer than a limit of zero, which the runtime's timer rounds up to a millisecond or two.
    async fn a_while() {
        tokio::time::sleep(Duration::from_millis(30)).await;
    }

    #[test]
    fn work_that_takes_too_long_is_dropped() {
        assert!(tokio().run(Box::pin(std::future::pending()), Duration::ZERO).is_err());
        assert!(tokio().run(Box::pin(a_while()), Duration::ZERO).is_err());
    }

    #[test]
    fn what_must_not_be_cut_short_is_finished_and_what_follows_is_not() {
        let tokio = tokio();
        let kept = AtomicBool::new(false);
        let work = async {
            let held = tokio.hold.begin();
            a_while().await;
            kept.store(true, Ordering::SeqCst);
            drop(held);
            std::future::pending::<()>().await;
        };
        assert!(tokio.run(Box::pin(work), Duration::ZERO).is_err());
        assert!(kept.into_inner());
    }

    #[test]
    fn an_answer_that_came_late_while_held_is_an_answer() {
        let tokio = tokio();
        let work = async {
            let _held = tokio.hold.begin();
            a_while().await;
        };
        assert!(tokio.run(Box::pin(work), Duration::ZERO).is_ok());
    }
}
