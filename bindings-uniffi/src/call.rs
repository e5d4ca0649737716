//! Running what waits, and reading what is passed.
//!
//! Owns the way of a future of the core into one of UniFFI's. The one invariant: when the
//! language lets go of a call, what it waited for ends too, and nothing of it goes on unseen.

use std::time::Duration;

use tidewire::blocking::{Canceller, Runtime};
use tidewire::{Code, Error};
use tokio::sync::oneshot;

use crate::failure::{Failure, NativeError};

/// Cancels what runs when the one who waits for it is gone; without effect once it has ended.
struct Waiting(Canceller);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs a future on the core's runtime: UniFFI polls on threads of the language, where the core's
/// sockets and timers do not live.
pub(crate) async fn on<T, E>(
    runtime: &Runtime,
    future: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, NativeError>
where
    T: Send + 'static,
    E: Into<NativeError> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let running = async move { Ok(future.await) };
    let done = move |result: Result<Result<T, E>, Error>| {
        // Who asked may be gone.
        let _ = sender.send(result);
    };
    let _waiting = Waiting(runtime.spawn(running, done)?);
    match receiver.await {
        Ok(Ok(result)) => result.map_err(Into::into),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => {
            let text = "the client's threads have ended".to_owned();
            Err(Failure::invalid(Code::INTERNAL, text).into())
        }
    }
}

/// Ends a future with `TIMEOUT` once its time is over. To be run by [`on`].
pub(crate) async fn within<T>(
    what: &'static str,
    limit: Option<Duration>,
    future: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(limit) = limit else { return future.await };
    tokio::time::timeout(limit, future).await.unwrap_or_else(|_| {
        let text = format!("{what} was not done within {} ms", limit.as_millis());
        Err(tidewire_protocol::error::Error::new(Code::TIMEOUT, text).into())
    })
}

/// A time limit; none if there is none.
pub(crate) fn limit(
    name: &str,
    limit_ms: Option<i64>,
) -> Result<Option<Duration>, NativeError> {
    limit_ms.map(|ms| Ok(Duration::from_millis(unsigned(name, ms)?))).transpose()
}

/// A number that may not be negative.
pub(crate) fn unsigned(name: &str, number: i64) -> Result<u64, NativeError> {
    u64::try_from(number).map_err(|_| negative(name, number))
}

/// A number that may not be negative.
pub(crate) fn unsigned32(name: &str, number: i32) -> Result<u32, NativeError> {
    u32::try_from(number).map_err(|_| negative(name, i64::from(number)))
}

/// Partitions by their numbers.
pub(crate) fn partitions(given: Option<Vec<i32>>) -> Result<Option<Vec<u32>>, NativeError> {
    let all =
        |given: Vec<i32>| given.into_iter().map(|one| unsigned32("partition", one)).collect();
    given.map(all).transpose()
}

fn negative(name: &str, number: i64) -> NativeError {
    let text = format!("{name} is {number}, but should not be negative");
    Failure::invalid(Code::INVALID_ARGUMENT, text).into()
}
