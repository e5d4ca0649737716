//! What a terminal shows while a measurement runs: what happens, how far it is, how fast it goes.
//!
//! The one invariant: it looks at the counts a few times a second and is not part of what is
//! measured.

use std::time::Duration;

use indicatif::ProgressBar;
use tokio::task::JoinHandle;

use super::meter::Meter;
use crate::output::number;

/// How often the line is drawn.
const TICK: Duration = Duration::from_millis(100);

/// How often the figures in it are new.
const LOOK: Duration = Duration::from_millis(500);

/// Says what happens now, until the value is dropped; nothing where stderr is not a terminal.
/// `records` is how many there will be, if that is known.
pub fn phase(what: &'static str, meter: &Meter, records: Option<u64>) -> Phase {
    let bar = ProgressBar::new_spinner().with_message(what);
    bar.enable_steady_tick(TICK);
    let (shown, meter) = (bar.clone(), meter.clone());
    let watch = tokio::spawn(async move {
        let mut before = meter.sums();
        loop {
            tokio::time::sleep(LOOK).await;
            let now = meter.sums();
            let rate = (now.0 - before.0) as f64 / LOOK.as_secs_f64();
            let bytes = (now.1 - before.1) as f64 / LOOK.as_secs_f64();
            let share = match records {
                Some(records) => format!(", {} %", 100 * now.0.min(records) / records.max(1)),
                None => String::new(),
            };
            let rate = number::rate(rate);
            shown.set_message(format!(
                "{what}: {rate} records/s, {:.1} MB/s{share}",
                bytes / 1e6
            ));
            before = now;
        }
    });
    Phase { bar, watch }
}

/// A line on the terminal that goes when what it tells is over.
pub struct Phase {
    bar: ProgressBar,
    watch: JoinHandle<()>,
}

impl Drop for Phase {
    fn drop(&mut self) {
        self.watch.abort();
        self.bar.finish_and_clear();
    }
}
