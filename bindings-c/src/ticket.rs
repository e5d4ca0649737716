//! Records to send, and what became of them.
//!
//! Owns the layout of records, receipts and tickets. The one invariant: a record is read while it
//! is handed over and never after.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tidewire::blocking::{Producer, Runtime};
use tidewire::{Code, Error, Receipt, Record, RecordRef, Ticket};

use crate::error::tw_error;
use crate::guard::{
    array, failed, free, guard, guard_value, handle, invalid, limit, tw_status, value,
};

/// Bytes somewhere, with their number. `data` NULL is "none", which is not the same as no bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_slice {
    /// Where they are.
    pub data: *const c_void,
    /// How many there are.
    pub len: usize,
}

impl tw_slice {
    pub(crate) const NONE: Self = Self { data: std::ptr::null(), len: 0 };

    pub(crate) fn of(bytes: Option<&[u8]>) -> Self {
        bytes.map_or(Self::NONE, |b| Self { data: b.as_ptr().cast(), len: b.len() })
    }

    /// # Safety
    /// NULL, or as many bytes, for as long as `'a`.
    #[inline]
    unsafe fn bytes<'a>(self, what: &str) -> Result<Option<&'a [u8]>, Error> {
        if self.data.is_null() {
            if self.len > 0 {
                let text = format!("the {what} is NULL, but has a length of {}", self.len);
                return Err(invalid(text));
            }
            return Ok(None);
        }
        if self.len > isize::MAX as usize {
            return Err(invalid(format!("the {what} has an impossible length")));
        }
        // SAFETY: as the caller says.
        Ok(Some(unsafe { std::slice::from_raw_parts(self.data.cast(), self.len) }))
    }
}

/// A header of a record: a name in UTF-8, 1 to 65,535 bytes, and a value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_header {
    /// Its name.
    pub name: tw_slice,
    /// Its value.
    pub value: tw_slice,
}

/// `tw_record.timestamp_us` counts.
pub const TW_RECORD_TIMESTAMP: u32 = 1;
/// `tw_record.partition` counts.
pub const TW_RECORD_PARTITION: u32 = 2;

/// A record to send. Everything it points to is the caller's, and copied before the call returns.
/// All zeros is a record without key, value or headers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_record {
    /// The key; decides the partition unless one is named. NULL is no key.
    pub key: tw_slice,
    /// The value; NULL is a tombstone.
    pub value: tw_slice,
    /// Headers in order; names may repeat.
    pub headers: *const tw_header,
    /// How many.
    pub header_count: usize,
    /// 16 bytes by which the server finds duplicates, in a topic with `dedup_window_ms`; NULL is
    /// no id.
    pub id: *const u8,
    /// Microseconds since the Unix epoch; the time of the call unless `set` has
    /// `TW_RECORD_TIMESTAMP`.
    pub timestamp_us: i64,
    /// The partition; left to the key or the producer unless `set` has `TW_RECORD_PARTITION`.
    pub partition: u32,
    /// Which of the two above count.
    pub set: u32,
}

/// Headers up to which handing a record over allocates nothing.
const INLINE_HEADERS: usize = 8;

impl tw_record {
    /// Shows the record to `f`, with its partition.
    ///
    /// # Safety
    /// It points to what the header says.
    #[inline]
    pub(crate) unsafe fn with<T>(
        &self,
        f: impl FnOnce(&RecordRef<'_>, Option<u32>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.set & !(TW_RECORD_TIMESTAMP | TW_RECORD_PARTITION) != 0 {
            let text =
                format!("the record's set is {:#x}: it has bits that mean nothing", self.set);
            return Err(invalid(text));
        }
        // SAFETY: as the caller says.
        let (key, value, headers) = unsafe {
            (
                self.key.bytes("key")?,
                self.value.bytes("value")?,
                array(self.headers, self.header_count, "headers")?,
            )
        };
        let id = match self.id.is_null() {
            true => None,
            // SAFETY: as the caller says, 16 bytes.
            false => Some(unsafe { self.id.cast::<[u8; 16]>().read_unaligned() }),
        };
        let mut inline = [("", &[][..]); INLINE_HEADERS];
        let mut many = Vec::new();
        let shown = if headers.len() <= INLINE_HEADERS {
            for (place, header) in inline.iter_mut().zip(headers) {
                // SAFETY: as the caller says.
                *place = unsafe { header.parts() }?;
            }
            &inline[..headers.len()]
        } else {
            for header in headers {
                // SAFETY: as the caller says.
                many.push(unsafe { header.parts() }?);
            }
            &many
        };
        let timestamp_us =
            if self.set & TW_RECORD_TIMESTAMP != 0 { self.timestamp_us } else { now_us() };
        let record = RecordRef { key, value, headers: shown, timestamp_us, id };
        f(&record, self.named_partition())
    }

    /// The record, if it has nothing but a key, a value and a time, which is `now_us` if it has
    /// none itself.
    ///
    /// # Safety
    /// It points to what the header says.
    #[inline]
    pub(crate) unsafe fn plain<'a>(&self, now_us: i64) -> Option<RecordRef<'a>> {
        let known = TW_RECORD_TIMESTAMP | TW_RECORD_PARTITION;
        if self.header_count != 0 || !self.id.is_null() || self.set & !known != 0 {
            return None;
        }
        let timestamp_us =
            if self.set & TW_RECORD_TIMESTAMP != 0 { self.timestamp_us } else { now_us };
        // SAFETY: as the caller says.
        let (key, value) =
            unsafe { (self.key.bytes("key").ok()?, self.value.bytes("value").ok()?) };
        Some(RecordRef { key, value, ..RecordRef::at(timestamp_us) })
    }

    /// The partition that it names.
    #[inline]
    pub(crate) fn named_partition(&self) -> Option<u32> {
        (self.set & TW_RECORD_PARTITION != 0).then_some(self.partition)
    }

    /// A record of its own.
    ///
    /// # Safety
    /// It points to what the header says.
    pub(crate) unsafe fn copied(&self) -> Result<Record, Error> {
        let copy = |record: &RecordRef<'_>, partition| {
            let headers = record.headers.iter();
            Ok(Record {
                key: record.key.map(|key| key.to_vec().into()),
                value: record.value.map(|value| value.to_vec().into()),
                headers: headers.map(|&(n, v)| (n.to_owned(), v.to_vec().into())).collect(),
                timestamp_us: Some(record.timestamp_us),
                partition,
                id: record.id,
            })
        };
        // SAFETY: as the caller says.
        unsafe { self.with(copy) }
    }
}

impl tw_header {
    /// # Safety
    /// It points to what the header says.
    unsafe fn parts<'a>(&self) -> Result<(&'a str, &'a [u8]), Error> {
        // SAFETY: as the caller says.
        let (name, value) =
            unsafe { (self.name.bytes("header name")?, self.value.bytes("header value")?) };
        let name = std::str::from_utf8(name.unwrap_or_default())
            .map_err(|why| invalid(format!("a header's name is not UTF-8: {why}")))?;
        Ok((name, value.unwrap_or_default()))
    }
}

/// Microseconds since the Unix epoch; 0 on a clock that is set before it.
pub(crate) fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// What became of a record.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tw_receipt {
    /// Its offset in the partition.
    pub offset: u64,
    /// When it was appended, in microseconds since the Unix epoch; 0 for a duplicate by its id.
    pub append_time_us: i64,
    /// Its partition.
    pub partition: u32,
    /// `TW_OK`, or why it was not acknowledged; then only the partition counts.
    pub status: i32,
    /// What bits of `TW_DISPOSITION_…` say of that.
    pub disposition: u32,
    /// The promise that holds, at least the one asked for: one of `TW_ACKS_…`.
    pub acks: u8,
    /// Whether it was there already, or another record of its id was; the offset is that one's.
    pub duplicate: bool,
    /// Zero.
    pub reserved: u16,
}

impl tw_receipt {
    pub(crate) fn of(outcome: &Result<Receipt, Error>, partition: u32) -> Self {
        match outcome {
            Ok(receipt) => Self {
                offset: receipt.offset,
                append_time_us: receipt.append_time_us,
                partition: receipt.partition,
                acks: receipt.acks.into(),
                duplicate: receipt.duplicate,
                ..Self::default()
            },
            Err(error) => Self {
                partition,
                status: i32::from(error.code().0),
                disposition: u32::from(error.disposition().0),
                ..Self::default()
            },
        }
    }
}

/// What a ticket stands for.
#[derive(Debug)]
pub struct TicketValue {
    /// Whoever waits holds it.
    ticket: Mutex<Option<Ticket>>,
    number: u64,
    partition: u32,
    /// For asking whether this is its process.
    producer: Producer,
}

handle! {
    /// The outcome of an enqueued record, to come. Freeing it changes nothing for the record. Any
    /// thread may use it; it is freed by `tw_ticket_free`.
    tw_ticket(TicketValue), b"twticket", "ticket"
}

impl TicketValue {
    pub(crate) fn new(ticket: Ticket, producer: &Producer) -> Self {
        let (number, partition) = (ticket.number(), ticket.partition());
        Self { ticket: Mutex::new(Some(ticket)), number, partition, producer: producer.clone() }
    }
}

impl Drop for TicketValue {
    fn drop(&mut self) {
        if self.producer.as_async().is_err() {
            let ticket = self.ticket.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(ticket.take());
        }
    }
}

/// The ticket's number: 0 for the producer's first record, then rising by one with each that was
/// taken. `TW_EVENT_SETTLED` speaks of it. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_ticket_number(ticket: Option<&tw_ticket>) -> u64 {
    guard_value(0, || value(ticket).map_or(0, |it| it.number))
}

/// Waits for the outcome for up to `timeout_ms`, without end if negative; 0 only asks. Every
/// record has its outcome within the producer's `delivery_timeout_ms`.
///
/// Returns the record's error, if it has one, or `TW_E_TIMEOUT` with the outcome still to come;
/// `receipt`, which may be NULL, tells the two apart: its status is the record's own, and
/// `TW_E_WOULD_BLOCK` while there is no outcome.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_ticket_wait(
    ticket: Option<&tw_ticket>,
    timeout_ms: i64,
    receipt: Option<&mut MaybeUninit<tw_receipt>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let it = value(ticket)?;
        it.producer.as_async()?;
        let mut nowhere = MaybeUninit::uninit();
        let receipt = receipt.unwrap_or(&mut nowhere);
        receipt.write(tw_receipt {
            partition: it.partition,
            status: i32::from(Code::WOULD_BLOCK.0),
            ..tw_receipt::default()
        });
        let mut held = it.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ticket) = held.as_mut() else { return Ok(()) };
        let outcome = match ticket.try_receipt() {
            Some(outcome) => outcome,
            None => {
                let runtime = Runtime::shared()?;
                let what = "waiting for an acknowledgement";
                let waited = runtime.try_wait(what, limit(timeout_ms), ticket)?;
                waited.ok_or_else(|| {
                    failed(Code::TIMEOUT, format!("no outcome within {timeout_ms} ms"))
                })?
            }
        };
        receipt.write(tw_receipt::of(&outcome, it.partition));
        outcome?;
        Ok(())
    })
}

/// Frees a ticket; NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_ticket_free(ticket: *mut tw_ticket) {
    // SAFETY: as the header says.
    unsafe { free(ticket) }
}
