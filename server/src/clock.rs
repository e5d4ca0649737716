//! The time, read in one place and passed on as an argument.

#![expect(clippy::disallowed_methods, reason = "this is the server's clock")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidewire_protocol::connection::Time;

/// The server's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// Monotonic time, for deadlines.
    pub(crate) fn now(&self) -> Time {
        #[cfg(feature = "sim")]
        if let Some((now, _)) = simulated::get() {
            return now;
        }
        // 2^64 nanoseconds are 584 years.
        Time::from_nanos(self.start.elapsed().as_nanos() as u64)
    }

    /// The instant of a monotonic time.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        self.start + Duration::from_nanos(time.as_nanos())
    }

    /// Time of day, in microseconds since the Unix epoch.
    pub(crate) fn wall_us(&self) -> i64 {
        #[cfg(feature = "sim")]
        if let Some((_, wall_us)) = simulated::get() {
            return wall_us;
        }
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// The monotonic time of an instant.
    #[cfg(feature = "sim")]
    pub(crate) fn time(&self, instant: Instant) -> Time {
        Time::from_nanos(instant.duration_since(self.start).as_nanos() as u64)
    }
}

/// What a simulation makes of the time, on its own thread. Without the feature no server asks.
#[cfg(feature = "sim")]
pub(crate) mod simulated {
    use std::cell::Cell;

    use tidewire_protocol::connection::Time;

    thread_local! {
        static TIME: Cell<Option<(Time, i64)>> = const { Cell::new(None) };
    }

    pub(crate) fn set(time: Option<(Time, i64)>) {
        TIME.set(time);
    }

    pub(super) fn get() -> Option<(Time, i64)> {
        TIME.get()
    }
}
