//! Options, as structs that grow.
//!
//! Owns their layout in C and how they reach the builders; names, ranges and defaults are the
//! protocol's table, and are checked behind the builders. The one invariant: what is unset in a
//! struct is not passed on, so that the URL, the environment and the defaults count.

use std::ffi::{c_char, c_void};
use std::ptr;

use tidewire::blocking::{ClientBuilder, ProducerBuilder};
use tidewire::{Acks, Codec, Error, FetchOptions, QueueFull, Secret, Start, TopicConfig};

use crate::guard::{Grows, invalid, optional_text};

/// An option of 32 bits that is not set.
pub const TW_UNSET: u32 = u32::MAX;
/// An option of 64 bits that is not set.
pub const TW_UNSET64: u64 = u64::MAX;

/// Have `send` wait where the queue is full, and `enqueue` give the record back.
pub const TW_QUEUE_FULL_BLOCK: u32 = 0;
/// Have both give it back.
pub const TW_QUEUE_FULL_ERROR: u32 = 1;
/// Have it dropped; its outcome is `TW_E_QUEUE_FULL`.
pub const TW_QUEUE_FULL_DROP: u32 = 2;

/// Options of a client. What is unset comes from the URL, then from the environment
/// (`TIDEWIRE_HEARTBEAT_MS`), then from the defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_client_options {
    /// Bytes of this struct; set by `TW_CLIENT_OPTIONS_INIT`.
    pub size: usize,
    /// A name for the server's logs; the program's if unset.
    pub client_name: *const c_char,
    /// Who logs in; the user of the URL if unset. A token knows its user.
    pub user: *const c_char,
    /// The password or token; that of `secret_file` or of the URL if unset.
    pub secret: *const c_char,
    /// A file whose first line is the password or token, read at each connection.
    pub secret_file: *const c_char,
    /// With a URL of `tidewire+tls://`, a file of the certificates that the server's has to lead
    /// to; those that the system trusts if unset.
    pub tls_ca_file: *const c_char,
    /// A file with a certificate that shows the server who the client is.
    pub tls_cert_file: *const c_char,
    /// A file with the private key of `tls_cert_file`.
    pub tls_key_file: *const c_char,
    /// `trust-any-server` believes whoever answers, so that anybody on the way can read and change
    /// everything: for trials only.
    pub tls_danger: *const c_char,
    /// Keys that batches are encrypted and read with, as `tidewire keygen` prints them, with commas
    /// between them.
    pub encryption_keys: *const c_char,
    /// A file with such keys, one a line; they are added to those of `encryption_keys`.
    pub encryption_key_file: *const c_char,
    /// Time to reach a server and finish the handshake, for each address, in milliseconds.
    pub connect_timeout_ms: u32,
    /// Time until an unanswered request fails with its outcome unknown, in milliseconds: the bound
    /// of every call that asks the server.
    pub request_timeout_ms: u32,
    /// Silence after which the server is asked for a sign of life, in milliseconds.
    pub heartbeat_ms: u32,
    /// Pause before what failed is tried again, in milliseconds; it doubles.
    pub retry_backoff_ms: u32,
    /// Longest such pause, in milliseconds.
    pub retry_backoff_max_ms: u32,
    /// Threads that all clients of the process share, 1 to 64; the first client decides.
    pub runtime_threads: u32,
    /// How long a thread that waits for one answer looks for it before it sleeps, in microseconds, while
    /// answers have lately come within that time; 0 to 1,000, 0 never looks. The first client of the
    /// process decides.
    pub busy_poll_us: u32,
    /// Not used yet; leave it as it is.
    pub reserved: u32,
    /// Given back with the client's events.
    pub user_data: *mut c_void,
}

/// Options of a producer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_producer_options {
    /// Bytes of this struct; set by `TW_PRODUCER_OPTIONS_INIT`.
    pub size: usize,
    /// A name within the topic. Who opens the name again takes the place of whoever has it.
    pub name: *const c_char,
    /// What an acknowledgement promises: one of `TW_ACKS_…`.
    pub acks: u32,
    /// How long enqueued records may wait for company, in milliseconds.
    pub linger_ms: u32,
    /// Size at which a batch is sent without waiting further, in bytes.
    pub batch_bytes: u32,
    /// Record count at which a batch is sent without waiting further.
    pub batch_records: u32,
    /// Bound of the records that wait to be sent or acknowledged, in bytes.
    pub queue_bytes: u32,
    /// Unacknowledged batches that a partition may have on the wire.
    pub max_in_flight: u32,
    /// Compression of batches, in place of the topic's: one of `TW_CODEC_…`.
    pub codec: u32,
    /// Time from enqueueing a record to its outcome, in milliseconds, with all retries.
    pub delivery_timeout_ms: u32,
    /// What happens to a record for which the queue has no room: one of `TW_QUEUE_FULL_…`.
    pub queue_full: u32,
    /// Number of the client's key that batches are encrypted with; 0, as if unset, encrypts nothing.
    pub encryption_key_id: u32,
    /// 1 to have the outcomes of all records told by `tw_client_poll`, as events of the kind
    /// `TW_EVENT_SETTLED`. Whoever sets it polls: with 65,536 of them waiting, no more records
    /// are taken.
    pub completions: u32,
    /// Given back with the producer's events.
    pub user_data: *mut c_void,
}

/// Options of a topic.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_topic_options {
    /// Bytes of this struct; set by `TW_TOPIC_OPTIONS_INIT`.
    pub size: usize,
    /// Number of partitions, 1 to 100,000.
    pub partitions: u32,
    /// Compression by producers that do not choose for themselves: one of `TW_CODEC_…`.
    pub codec: u32,
    /// Size at which a partition's log begins a new file, in bytes.
    pub segment_bytes: u64,
    /// Age at which records may be deleted, in milliseconds; 0 keeps them for ever.
    pub retention_ms: u64,
    /// Size of a partition's log above which its oldest files are deleted, in bytes; 0 is
    /// unlimited.
    pub retention_bytes: u64,
    /// How long ids of records are remembered, in milliseconds; 0 is not at all.
    pub dedup_window_ms: u64,
}

/// Store no offsets unless `tw_consumer_commit` and the like are called.
pub const TW_AUTO_COMMIT_OFF: u32 = 0;
/// Store every `auto_commit_interval_ms` what is done: the batches before the one that was returned
/// last. At least once.
pub const TW_AUTO_COMMIT_INTERVAL: u32 = 1;
/// Store what is done whenever the next batch is asked for. At least once.
pub const TW_AUTO_COMMIT_AFTER: u32 = 2;
/// Store a batch before it is returned. At most once.
pub const TW_AUTO_COMMIT_BEFORE: u32 = 3;

/// End a partition with an error where its records were deleted before they were read.
pub const TW_OUT_OF_RANGE_ERROR: u32 = 0;
/// Go on at the first record that there is.
pub const TW_OUT_OF_RANGE_EARLIEST: u32 = 1;
/// Go on at the end.
pub const TW_OUT_OF_RANGE_LATEST: u32 = 2;

/// A partition, and an offset in it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_partition_offset {
    /// The partition.
    pub partition: u32,
    /// Zero.
    pub reserved: u32,
    /// The offset.
    pub offset: u64,
}

/// Options of a consumer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_consumer_options {
    /// Bytes of this struct; set by `TW_CONSUMER_OPTIONS_INIT`.
    pub size: usize,
    /// The group to be a member of; NULL reads without one.
    pub group: *const c_char,
    /// Without a group, a name under which offsets are stored; NULL is none.
    pub name: *const c_char,
    /// With a group, further topics to read.
    pub topics: *const *const c_char,
    /// How many.
    pub topic_count: usize,
    /// Without a group, which partitions to read; NULL is all of them.
    pub partitions: *const u32,
    /// How many.
    pub partition_count: usize,
    /// Without a group, where to begin in single partitions.
    pub offsets: *const tw_partition_offset,
    /// How many.
    pub offset_count: usize,
    /// Where to begin, in a group where nothing is stored: one of `TW_START_…`.
    pub start: u32,
    /// Bound of the batches that were delivered but not yet taken, in bytes.
    pub prefetch_bytes: u32,
    /// What stands beside `start`: an offset, a time in microseconds since the Unix epoch, or a
    /// number of records.
    pub start_at: u64,
    /// A name that keeps the member's place in its group while its program is restarted.
    pub member_name: *const c_char,
    /// How long the group waits for a member whose connection is lost, in milliseconds.
    pub session_timeout_ms: u32,
    /// How long the group waits for a member to let go of a partition, in milliseconds.
    pub rebalance_timeout_ms: u32,
    /// When offsets are stored by themselves: one of `TW_AUTO_COMMIT_…`.
    pub auto_commit: u32,
    /// How often, in milliseconds.
    pub auto_commit_interval_ms: u32,
    /// What happens where records were deleted before they were read: one of
    /// `TW_OUT_OF_RANGE_…`.
    pub on_out_of_range: u32,
    /// Not used yet; leave it as it is.
    pub reserved: u32,
    /// Given back with the consumer's events.
    pub user_data: *mut c_void,
}

/// How much a fetch returns, and how long it waits for it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tw_fetch_options {
    /// Bytes of this struct; set by `TW_FETCH_OPTIONS_INIT`.
    pub size: usize,
    /// Most bytes to return; 1 MiB if unset. The first batch is returned whatever its size.
    pub max_bytes: u32,
    /// Wait until there are this many bytes.
    pub min_bytes: u32,
    /// Longest wait for `min_bytes`, in milliseconds, up to 60,000.
    pub max_wait_ms: u32,
    /// Not used yet; leave it as it is.
    pub reserved: u32,
}

// SAFETY: integers and pointers only; `size` stands first.
unsafe impl Grows for tw_consumer_options {
    const NAME: &'static str = "tw_consumer_options";
    const FIRST_SIZE: usize = size_of::<Self>();

    fn unset() -> Self {
        Self {
            size: size_of::<Self>(),
            group: ptr::null(),
            name: ptr::null(),
            topics: ptr::null(),
            topic_count: 0,
            partitions: ptr::null(),
            partition_count: 0,
            offsets: ptr::null(),
            offset_count: 0,
            start: TW_UNSET,
            prefetch_bytes: TW_UNSET,
            start_at: 0,
            member_name: ptr::null(),
            session_timeout_ms: TW_UNSET,
            rebalance_timeout_ms: TW_UNSET,
            auto_commit: TW_UNSET,
            auto_commit_interval_ms: TW_UNSET,
            on_out_of_range: TW_UNSET,
            reserved: TW_UNSET,
            user_data: ptr::null_mut(),
        }
    }
}

// SAFETY: integers only; `size` stands first.
unsafe impl Grows for tw_fetch_options {
    const NAME: &'static str = "tw_fetch_options";
    const FIRST_SIZE: usize = size_of::<Self>();

    fn unset() -> Self {
        Self {
            size: size_of::<Self>(),
            max_bytes: TW_UNSET,
            min_bytes: TW_UNSET,
            max_wait_ms: TW_UNSET,
            reserved: TW_UNSET,
        }
    }
}

// SAFETY: integers and pointers only; `size` stands first.
unsafe impl Grows for tw_client_options {
    const NAME: &'static str = "tw_client_options";
    const FIRST_SIZE: usize = size_of::<Self>();

    fn unset() -> Self {
        Self {
            size: size_of::<Self>(),
            client_name: ptr::null(),
            user: ptr::null(),
            secret: ptr::null(),
            secret_file: ptr::null(),
            tls_ca_file: ptr::null(),
            tls_cert_file: ptr::null(),
            tls_key_file: ptr::null(),
            tls_danger: ptr::null(),
            encryption_keys: ptr::null(),
            encryption_key_file: ptr::null(),
            connect_timeout_ms: TW_UNSET,
            request_timeout_ms: TW_UNSET,
            heartbeat_ms: TW_UNSET,
            retry_backoff_ms: TW_UNSET,
            retry_backoff_max_ms: TW_UNSET,
            runtime_threads: TW_UNSET,
            busy_poll_us: TW_UNSET,
            reserved: TW_UNSET,
            user_data: ptr::null_mut(),
        }
    }
}

// SAFETY: integers and pointers only; `size` stands first.
unsafe impl Grows for tw_producer_options {
    const NAME: &'static str = "tw_producer_options";
    const FIRST_SIZE: usize = size_of::<Self>();

    fn unset() -> Self {
        Self {
            size: size_of::<Self>(),
            name: ptr::null(),
            acks: TW_UNSET,
            linger_ms: TW_UNSET,
            batch_bytes: TW_UNSET,
            batch_records: TW_UNSET,
            queue_bytes: TW_UNSET,
            max_in_flight: TW_UNSET,
            codec: TW_UNSET,
            delivery_timeout_ms: TW_UNSET,
            queue_full: TW_UNSET,
            encryption_key_id: TW_UNSET,
            completions: TW_UNSET,
            user_data: ptr::null_mut(),
        }
    }
}

// SAFETY: integers only; `size` stands first.
unsafe impl Grows for tw_topic_options {
    const NAME: &'static str = "tw_topic_options";
    const FIRST_SIZE: usize = size_of::<Self>();

    fn unset() -> Self {
        Self {
            size: size_of::<Self>(),
            partitions: TW_UNSET,
            codec: TW_UNSET,
            segment_bytes: TW_UNSET64,
            retention_ms: TW_UNSET64,
            retention_bytes: TW_UNSET64,
            dedup_window_ms: TW_UNSET64,
        }
    }
}

/// Hands on the options that are set.
macro_rules! hand_on {
    ($options:ident => $builder:ident: $($name:ident),*) => {
        $(
            if u64::from($options.$name) != crate::options::unset(size_of_val(&{ $options.$name })) {
                $builder = $builder.$name($options.$name);
            }
        )*
    };
}

pub(crate) use hand_on;

/// What stands for "not set" in so many bytes.
pub(crate) const fn unset(bytes: usize) -> u64 {
    if bytes == 4 { TW_UNSET as u64 } else { TW_UNSET64 }
}

pub(crate) fn codec(number: u32) -> Codec {
    u8::try_from(number).map_or(Codec::Other(u8::MAX), Codec::from)
}

/// A switch: not set, 0 or 1.
pub(crate) fn switch(value: u32, name: &str) -> Result<bool, Error> {
    match value {
        TW_UNSET | 0 => Ok(false),
        1 => Ok(true),
        other => Err(invalid(format!("{name} is {other}, but should be 0 or 1"))),
    }
}

/// One of `TW_START_…` and the number beside it.
pub(crate) fn start(kind: u32, at: u64) -> Result<Start, Error> {
    use tidewire_protocol::message::Start as Wire;
    Ok(match u8::try_from(kind).map(Wire::from) {
        Ok(Wire::Offset) => Start::Offset(at),
        Ok(Wire::Earliest) => Start::Earliest,
        Ok(Wire::Latest) => Start::Latest,
        Ok(Wire::Timestamp) => Start::Timestamp(at.cast_signed()),
        Ok(Wire::Last) => Start::Last(at),
        _ => return Err(invalid(format!("start is {kind}, which is none of TW_START_…"))),
    })
}

impl tw_client_options {
    /// # Safety
    /// Its texts are NULL or texts.
    pub(crate) unsafe fn apply(
        &self,
        mut builder: ClientBuilder,
    ) -> Result<ClientBuilder, Error> {
        // SAFETY: as the caller says.
        if let Some(name) = unsafe { optional_text(self.client_name, "client_name") }? {
            builder = builder.client_name(name);
        }
        macro_rules! texts {
            ($($name:ident($to:expr)),*) => {$(
                // SAFETY: as the caller says.
                if let Some(text) = unsafe { optional_text(self.$name, stringify!($name)) }? {
                    builder = builder.$name($to(text));
                }
            )*};
        }
        texts!(
            user(str::to_owned),
            secret(Secret::new),
            secret_file(str::to_owned),
            tls_ca_file(str::to_owned),
            tls_cert_file(str::to_owned),
            tls_key_file(str::to_owned),
            tls_danger(str::to_owned),
            encryption_keys(Secret::new),
            encryption_key_file(str::to_owned)
        );
        hand_on!(self => builder: connect_timeout_ms, request_timeout_ms, heartbeat_ms,
            retry_backoff_ms, retry_backoff_max_ms, runtime_threads, busy_poll_us);
        Ok(builder)
    }
}

impl tw_producer_options {
    /// # Safety
    /// Its texts are NULL or texts.
    pub(crate) unsafe fn apply(
        &self,
        mut builder: ProducerBuilder,
    ) -> Result<ProducerBuilder, Error> {
        // SAFETY: as the caller says.
        if let Some(name) = unsafe { optional_text(self.name, "name") }? {
            builder = builder.name(name);
        }
        hand_on!(self => builder: linger_ms, batch_bytes, batch_records, queue_bytes,
            max_in_flight, delivery_timeout_ms, encryption_key_id);
        if self.acks != TW_UNSET {
            let acks = u8::try_from(self.acks).map_or(Acks::Other(u8::MAX), Acks::from);
            builder = builder.acks(acks);
        }
        if self.codec != TW_UNSET {
            builder = builder.codec(codec(self.codec));
        }
        Ok(match self.queue_full {
            TW_UNSET => builder,
            TW_QUEUE_FULL_BLOCK => builder.queue_full(QueueFull::Block),
            TW_QUEUE_FULL_ERROR => builder.queue_full(QueueFull::Error),
            TW_QUEUE_FULL_DROP => builder.queue_full(QueueFull::Drop),
            other => {
                let text = format!("queue_full is {other}, which is none of TW_QUEUE_FULL_…");
                return Err(invalid(text));
            }
        })
    }
}

impl tw_topic_options {
    pub(crate) fn config(&self) -> TopicConfig {
        let mut config = TopicConfig::default();
        hand_on!(self => config: partitions, segment_bytes, retention_ms, retention_bytes,
            dedup_window_ms);
        if self.codec != TW_UNSET {
            config = config.codec(codec(self.codec));
        }
        config
    }
}

impl tw_fetch_options {
    pub(crate) fn options(&self) -> FetchOptions {
        let mut options = FetchOptions::default();
        hand_on!(self => options: max_bytes, min_bytes, max_wait_ms);
        options
    }
}
