//! One partition's place in a consumer, whatever becomes of the connection.
//!
//! Owns where the application stands, how far records have arrived, the credit that the server
//! was granted, and with what to subscribe again; leaves the bytes and the clock to the driver.
//!
//! The invariant: the application is shown every record from its place on, once and in order. A
//! new subscription begins after what has arrived already, never after it; and whatever is
//! delivered below the application's place (whole batches are) is hidden by the driver.

use super::Backoff;
use crate::connection::Time;
use crate::error::{Code, Disposition, Error};
use crate::limits::MAX_BATCH_LEN;
use crate::message::Start;

/// Pause before a subscription that failed is tried again, in milliseconds; it doubles.
const RETRY_MS: u32 = 50;
/// Longest such pause, in milliseconds.
const MAX_RETRY_MS: u32 = 2_000;

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the first record that there is.
    Earliest,
    /// After the last record that there is.
    Latest,
    /// At this offset.
    Offset(u64),
    /// At the first record appended at this time or later, in microseconds since the Unix epoch.
    Timestamp(i64),
    /// So many records before the end, or at the first that there is.
    Last(u64),
}

/// What SUBSCRIBE says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where to begin.
    pub start: Start,
    /// What `start` needs beside it.
    pub start_at: u64,
    /// The first credit, in bytes.
    pub credit_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// To be subscribed from then on.
    Idle { not_before: Time },
    /// SUBSCRIBE is on its way.
    Asked,
    /// Deliveries come.
    Live,
    /// There will be no more.
    Ended,
}

/// A subscription to one partition that outlives its connections.
#[derive(Clone, Debug)]
pub struct Subscription {
    phase: Phase,
    from: From,
    paused: bool,
    /// Bytes that may be on their way or waiting.
    window: u64,
    /// What has arrived and was not taken, of this subscription and of those before.
    held: u64,
    /// Of this subscription: the limit that the server was told last.
    granted: u64,
    /// Of this subscription: what was delivered.
    received: u64,
    /// The record that the application is shown next, once it is known.
    next_offset: Option<u64>,
    /// The record that has to arrive next.
    arriving: Option<u64>,
    end_offset: u64,
    backoff: Backoff,
}

impl Subscription {
    /// A subscription that begins at `from`, with up to `window` bytes ahead of the application.
    pub fn new(from: From, window: u64, seed: u64) -> Self {
        Self {
            phase: Phase::Idle { not_before: Time::ZERO },
            from,
            paused: false,
            window,
            held: 0,
            granted: 0,
            received: 0,
            next_offset: None,
            arriving: None,
            end_offset: 0,
            backoff: Backoff::new(RETRY_MS, MAX_RETRY_MS, seed),
        }
    }

    /// What to subscribe with, if that is due and there is a connection. It counts as asked.
    pub fn poll_subscribe(&mut self, now: Time) -> Option<Place> {
        match self.phase {
            Phase::Idle { not_before } if now >= not_before => {}
            _ => return None,
        }
        self.phase = Phase::Asked;
        self.received = 0;
        self.granted = if self.paused { 0 } else { self.window.saturating_sub(self.held) };
        let (start, start_at) = match (self.arriving, self.from) {
            (Some(offset), _) | (None, From::Offset(offset)) => (Start::Offset, offset),
            (None, From::Earliest) => (Start::Earliest, 0),
            (None, From::Latest) => (Start::Latest, 0),
            // Nothing was appended before 1970.
            (None, From::Timestamp(time_us)) => {
                (Start::Timestamp, u64::try_from(time_us).unwrap_or(0))
            }
            (None, From::Last(records)) => (Start::Last, records),
        };
        Some(Place { start, start_at, credit_bytes: self.granted })
    }

    /// When [`Subscription::poll_subscribe`] will have something, unless something happens.
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.phase {
            Phase::Idle { not_before } => Some(not_before),
            _ => None,
        }
    }

    /// The reply to SUBSCRIBE came; the limit to grant now, if there is one: what was taken while
    /// the server was asked made room that the first credit did not count.
    ///
    /// # Errors
    /// The server would leave out records that have to come; the subscription is ended.
    pub fn handle_subscribed(
        &mut self,
        next_offset: u64,
        end_offset: u64,
    ) -> Result<Option<u64>, Error> {
        if self.phase != Phase::Asked {
            return Ok(None);
        }
        if let Some(wanted) = self.arriving
            && next_offset > wanted
        {
            self.phase = Phase::Ended;
            return Err(Error::new(
                Code::OFFSET_OUT_OF_RANGE,
                format!("the server goes on at offset {next_offset}, {wanted} is due"),
            ));
        }
        self.phase = Phase::Live;
        self.backoff.reset();
        self.next_offset.get_or_insert(next_offset);
        self.arriving.get_or_insert(next_offset);
        self.end_offset = self.end_offset.max(end_offset);
        Ok(self.grant())
    }

    /// The server refused or ended the subscription; whether that is the end of it. If not, it
    /// is subscribed again after a pause, or on the next connection.
    pub fn handle_ended(&mut self, now: Time, error: &Error) -> bool {
        const AGAIN: [Disposition; 3] =
            [Disposition::RETRIABLE, Disposition::RECONNECT, Disposition::OUTCOME_UNKNOWN];
        if self.phase == Phase::Ended {
            return true;
        }
        if AGAIN.iter().any(|bit| error.disposition.has(*bit)) {
            let not_before = now.plus_ms(self.backoff.next_ms());
            self.phase = Phase::Idle { not_before };
            return false;
        }
        self.phase = Phase::Ended;
        true
    }

    /// The connection is gone: to be subscribed again as soon as there is another.
    pub fn handle_disconnected(&mut self) {
        if self.phase != Phase::Ended {
            self.phase = Phase::Idle { not_before: Time::ZERO };
        }
    }

    /// `len` bytes of batches came. `next_offset` is an offset at or below that of the record
    /// after them, and above that of their first record.
    ///
    /// # Errors
    /// They are more than was granted; the subscription is ended, and they are not to be used.
    pub fn handle_delivery(
        &mut self,
        len: u64,
        next_offset: u64,
        end_offset: u64,
    ) -> Result<(), Error> {
        self.received = self.received.saturating_add(len);
        // SPEC F-2: the last batch may pass the limit, whatever its size.
        if self.received > self.granted.saturating_add(u64::from(MAX_BATCH_LEN)) {
            self.phase = Phase::Ended;
            return Err(Error::new(
                Code::UNEXPECTED_FRAME,
                format!(
                    "the server sent {} bytes, but was granted {}",
                    self.received, self.granted
                ),
            ));
        }
        self.held = self.held.saturating_add(len);
        self.arriving = self.arriving.max(Some(next_offset));
        self.end_offset = self.end_offset.max(end_offset);
        Ok(())
    }

    /// `len` bytes of what came were taken out; the limit to grant now, if it is worth a frame.
    pub fn handle_taken(&mut self, len: u64) -> Option<u64> {
        self.held = self.held.saturating_sub(len);
        self.grant()
    }

    /// Half a window at a time: neither a grant for each batch nor a pause of the flow.
    fn grant(&mut self) -> Option<u64> {
        let limit = self.received + self.window.saturating_sub(self.held);
        let worth = limit.saturating_sub(self.granted) >= self.window.div_ceil(2).max(1);
        if self.phase != Phase::Live || self.paused || !worth {
            return None;
        }
        self.granted = limit;
        Some(limit)
    }

    /// The application was shown everything before `next_offset`.
    pub fn advance(&mut self, next_offset: u64) {
        self.next_offset = Some(next_offset);
        self.arriving = self.arriving.max(Some(next_offset));
    }

    /// Goes on elsewhere; what came and was not taken is void. Whether the server has to be told
    /// to stop what it sends now.
    pub fn seek(&mut self, from: From) -> bool {
        let subscribed = matches!(self.phase, Phase::Asked | Phase::Live);
        self.phase = Phase::Idle { not_before: Time::ZERO };
        self.from = from;
        self.held = 0;
        self.arriving = None;
        self.next_offset = match from {
            From::Offset(offset) => Some(offset),
            _ => None,
        };
        subscribed
    }

    /// Goes on at `from`, because what is due there was deleted. What has arrived is still to be
    /// shown.
    pub fn skip_to(&mut self, from: From) {
        self.phase = Phase::Idle { not_before: Time::ZERO };
        self.from = from;
        self.arriving = None;
        if self.held == 0 {
            self.next_offset = None;
        }
    }

    /// Changes how much may be ahead of the application, from the next grant on.
    pub fn set_window(&mut self, window: u64) {
        self.window = window;
    }

    /// Grants no more until it is resumed.
    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// Goes on after a pause; the limit to grant now.
    pub fn resume(&mut self) -> Option<u64> {
        self.paused = false;
        self.grant()
    }

    /// Whether it is paused.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether deliveries come.
    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Offset of the record that the application is shown next, once it is known.
    pub fn next_offset(&self) -> Option<u64> {
        self.next_offset
    }

    /// Offset of the record that has to arrive next, once it is known.
    pub fn arriving(&self) -> Option<u64> {
        match (self.arriving, self.from) {
            (None, From::Offset(offset)) => Some(offset),
            (arriving, _) => arriving,
        }
    }

    /// Offset after the partition's last record, as far as it was heard.
    pub fn end_offset(&self) -> u64 {
        self.end_offset
    }

    /// Bytes that came and were not taken.
    pub fn held_bytes(&self) -> u64 {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: u64 = 1_000;

    fn live(from: From, next_offset: u64) -> Subscription {
        let mut sub = Subscription::new(from, WINDOW, 1);
        sub.poll_subscribe(Time::ZERO).expect("due at once");
        assert_eq!(sub.poll_subscribe(Time::ZERO), None, "asked once");
        sub.handle_subscribed(next_offset, 50).expect("as wanted");
        sub
    }

    #[test]
    fn it_goes_on_after_what_has_arrived_and_not_after_what_was_shown() {
        let mut sub = live(From::Latest, 10);
        sub.handle_delivery(300, 15, 60).expect("granted");
        sub.handle_delivery(300, 20, 60).expect("granted");
        sub.handle_taken(300);
        sub.advance(15);
        sub.handle_disconnected();
        let place = sub.poll_subscribe(Time::ZERO).expect("due");
        let expected = Place { start: Start::Offset, start_at: 20, credit_bytes: WINDOW - 300 };
        assert_eq!(place, expected);
        sub.handle_subscribed(20, 70).expect("as wanted");
        assert_eq!((sub.next_offset(), sub.end_offset()), (Some(15), 70));
    }

    #[test]
    fn a_subscription_that_had_no_reply_begins_where_it_was_told() {
        for (from, start, offset) in [
            (From::Earliest, Start::Earliest, 0),
            (From::Latest, Start::Latest, 0),
            (From::Offset(9), Start::Offset, 9),
            (From::Timestamp(7), Start::Timestamp, 7),
            (From::Timestamp(-1), Start::Timestamp, 0),
            (From::Last(3), Start::Last, 3),
        ] {
            let mut sub = Subscription::new(from, WINDOW, 1);
            for _ in 0..3 {
                let place = sub.poll_subscribe(Time::ZERO).expect("due");
                assert_eq!((place.start, place.start_at), (start, offset));
                sub.handle_disconnected();
            }
        }
    }

    #[test]
    fn a_server_that_would_skip_records_is_an_error() {
        let mut sub = live(From::Earliest, 10);
        sub.handle_disconnected();
        sub.poll_subscribe(Time::ZERO).expect("due");
        let error = sub.handle_subscribed(11, 60).expect_err("10 is missing");
        assert_eq!(error.code, Code::OFFSET_OUT_OF_RANGE);
        assert_eq!(sub.poll_subscribe(Time::ZERO), None, "ended");
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_the_end() {
        let mut sub = live(From::Earliest, 0);
        let now = Time::ZERO;
        assert!(!sub.handle_ended(now, &Error::new(Code::OVERLOADED, "later")));
        assert_eq!(sub.poll_subscribe(now), None, "after a pause");
        let then = sub.poll_timeout().expect("a pause");
        assert!(sub.poll_subscribe(then).is_some());
        assert!(sub.handle_ended(then, &Error::new(Code::TOPIC_NOT_FOUND, "gone")));
        sub.handle_disconnected();
        assert_eq!((sub.poll_subscribe(then), sub.poll_timeout()), (None, None));
    }

    /// SPEC F-1, F-2, F-3: credit is absolute, and an overrun is more than the last batch.
    #[test]
    fn credit_follows_what_is_taken_by_half_windows() {
        let mut sub = live(From::Earliest, 0);
        sub.handle_delivery(900, 9, 50).expect("granted");
        assert_eq!(sub.handle_taken(400), None);
        assert_eq!(sub.handle_taken(100), Some(1_500));
        assert_eq!(sub.handle_taken(400), None);
        sub.handle_delivery(u64::from(MAX_BATCH_LEN), 20, 50).expect("the last may pass");
        let error = sub.handle_delivery(2_000, 21, 50).expect_err("too much");
        assert_eq!(error.code, Code::UNEXPECTED_FRAME);
    }

    #[test]
    fn a_pause_grants_nothing_and_keeps_the_place() {
        let mut sub = live(From::Earliest, 0);
        sub.pause();
        sub.handle_delivery(1_000, 9, 50).expect("granted before");
        assert_eq!(sub.handle_taken(1_000), None);
        sub.handle_disconnected();
        assert_eq!(sub.poll_subscribe(Time::ZERO).expect("due").credit_bytes, 0);
        sub.handle_subscribed(9, 50).expect("as wanted");
        assert_eq!(sub.resume(), Some(1_000));
    }

    /// With all of the window held, the first credit of a new connection is nothing: if all is
    /// taken before the reply comes, the reply is the last occasion to grant more.
    #[test]
    fn what_is_taken_while_the_server_is_asked_is_granted_with_its_reply() {
        let mut sub = live(From::Earliest, 0);
        sub.handle_delivery(1_000, 9, 50).expect("granted");
        sub.handle_disconnected();
        assert_eq!(sub.poll_subscribe(Time::ZERO).expect("due").credit_bytes, 0);
        assert_eq!(sub.handle_taken(600), None, "the server does not know the channel yet");
        assert_eq!(sub.handle_taken(400), None);
        assert_eq!(sub.handle_subscribed(9, 50).expect("as wanted"), Some(1_000));
        // The same for a pause that ends meanwhile.
        sub.pause();
        sub.handle_disconnected();
        assert_eq!(sub.poll_subscribe(Time::ZERO).expect("due").credit_bytes, 0);
        assert_eq!(sub.resume(), None);
        assert_eq!(sub.handle_subscribed(9, 50).expect("as wanted"), Some(1_000));
    }

    #[test]
    fn skipping_what_was_deleted_keeps_what_has_arrived() {
        let mut sub = live(From::Offset(3), 3);
        sub.handle_delivery(300, 6, 50).expect("granted");
        assert!(
            sub.handle_ended(Time::ZERO, &Error::new(Code::OFFSET_OUT_OF_RANGE, "deleted"))
        );
        assert_eq!(sub.arriving(), Some(6));
        sub.skip_to(From::Earliest);
        let place = sub.poll_subscribe(Time::ZERO).expect("due");
        let expected =
            Place { start: Start::Earliest, start_at: 0, credit_bytes: WINDOW - 300 };
        assert_eq!(place, expected);
        sub.handle_subscribed(20, 50).expect("as wanted");
        assert_eq!((sub.next_offset(), sub.arriving()), (Some(3), Some(20)));
        sub.handle_taken(300);
        sub.advance(6);
        assert_eq!(sub.arriving(), Some(20), "what was shown moves nothing back");
        // With nothing left to show, the place is where it goes on.
        sub.handle_ended(Time::ZERO, &Error::new(Code::OFFSET_OUT_OF_RANGE, "deleted"));
        sub.skip_to(From::Earliest);
        sub.poll_subscribe(Time::ZERO).expect("due");
        sub.handle_subscribed(30, 50).expect("as wanted");
        assert_eq!(sub.next_offset(), Some(30));
    }

    #[test]
    fn seeking_forgets_what_was_held() {
        let mut sub = live(From::Earliest, 0);
        sub.handle_delivery(1_000, 9, 50).expect("granted");
        assert!(sub.seek(From::Offset(3)));
        assert_eq!((sub.held_bytes(), sub.next_offset()), (0, Some(3)));
        let place = sub.poll_subscribe(Time::ZERO).expect("due");
        assert_eq!((place.start_at, place.credit_bytes), (3, WINDOW));
        assert!(sub.seek(From::Latest) && sub.next_offset().is_none());
    }
}
