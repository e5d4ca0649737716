//! Connecting, and what the client itself is asked.
//!
//! Owns the handle of a client: a blocking client, or one that is still connecting, and the hub of
//! its events. The one invariant: a client that could not connect stays one that can be freed.

use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use tidewire::Error;
use tidewire::blocking::{Canceller, Client, ClientBuilder};

use crate::error::tw_error;
use crate::guard::{
    Tagged, boxed, free, guard, guard_value, handle, invalid, optional_text, place, read_sized,
    tw_status, value,
};
use crate::hub::{Handle, Hub, Opaque, TW_EVENT_OPENED};
use crate::lists::{Texts, hand_out, take_back};
use crate::options::tw_client_options;

/// A client, perhaps still connecting.
#[derive(Debug)]
pub struct ClientValue {
    client: Arc<OnceLock<Client>>,
    hub: Arc<Hub>,
    number: u64,
    begun: OnceLock<Canceller>,
    watching: OnceLock<Canceller>,
}

handle! {
    /// A connection to a server, and all that is made from it. It makes the connection again when
    /// it is lost. Any number of threads may use it; it is freed by `tw_client_free`.
    tw_client(ClientValue), b"twclient", "client"
}

impl ClientValue {
    /// The client, if it is connected, or was.
    pub(crate) fn client(&self) -> Result<&Client, Error> {
        self.client.get().ok_or_else(|| {
            invalid("the client is not connected yet: wait for its TW_EVENT_OPENED")
        })
    }

    /// Its events, unless this is another process.
    pub(crate) fn hub(&self) -> Result<&Arc<Hub>, Error> {
        match self.client.get() {
            Some(client) => client.as_async().map(drop)?,
            // Says so without touching a lock.
            None => drop(self.hub.completions().drain(0)?),
        }
        Ok(&self.hub)
    }

    fn new(hub: Arc<Hub>) -> Self {
        let number = hub.number();
        Self {
            client: Arc::default(),
            hub,
            number,
            begun: OnceLock::new(),
            watching: OnceLock::new(),
        }
    }
}

impl Drop for ClientValue {
    fn drop(&mut self) {
        if !self.hub.is_here() {
            // The parent's threads may have held its locks.
            std::mem::forget(Arc::clone(&self.hub));
            return;
        }
        for canceller in self.begun.get().into_iter().chain(self.watching.get()) {
            canceller.cancel();
        }
        self.hub.forget(self.number);
    }
}

/// # Safety
/// As the header says.
unsafe fn builder(
    url: *const c_char,
    options: &tw_client_options,
) -> Result<ClientBuilder, Error> {
    let mut builder = Client::builder();
    // SAFETY: as the caller says.
    if let Some(url) = unsafe { optional_text(url, "url") }? {
        builder = builder.url(url);
    }
    // SAFETY: as the caller says.
    unsafe { options.apply(builder) }
}

/// Connects to the first server of `url` that can be reached, such as
/// `tidewire://host:8433,host2:8433/?linger_ms=1`; NULL is `tidewire://127.0.0.1:8433`. `options`
/// may be NULL. It waits up to `connect_timeout_ms` for each server.
///
/// `*client` belongs to the caller; on failure it is NULL. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_connect(
    url: *const c_char,
    options: *const tw_client_options,
    client: Option<&mut MaybeUninit<*mut tw_client>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(client, "client")?;
        out.write(std::ptr::null_mut());
        // SAFETY: as the header says.
        let (builder, user_data) = unsafe {
            let options = read_sized(options)?;
            (builder(url, &options)?, options.user_data)
        };
        let connected = builder.connect()?;
        let made = ClientValue::new(Hub::new());
        made.hub.bind(made.number, Handle::Client(Opaque::new(user_data)));
        // Nobody else has it yet.
        let _ = made.client.set(connected);
        out.write(boxed(made));
        Ok(())
    })
}

/// As `tw_client_connect`, without waiting: `tw_client_poll` tells with `TW_EVENT_OPENED` when the
/// client is connected, or with the event's error that it cannot be. Until then only
/// `tw_client_fd`, `tw_client_poll` and `tw_client_free` may be called for it; others fail with
/// `TW_E_INVALID_ARGUMENT`.
///
/// `*client` belongs to the caller, also if the event has an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_start(
    url: *const c_char,
    options: *const tw_client_options,
    client: Option<&mut MaybeUninit<*mut tw_client>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let out = place(client, "client")?;
        out.write(std::ptr::null_mut());
        // SAFETY: as the header says.
        let (builder, user_data) = unsafe {
            let options = read_sized(options)?;
            (builder(url, &options)?, options.user_data)
        };
        let (runtime, connecting) = builder.connecting()?;
        let made = ClientValue::new(Hub::new());
        let number = made.number;
        made.hub.bind(number, Handle::Client(Opaque::new(user_data)));
        let (slot, hub) = (Arc::clone(&made.client), Arc::downgrade(&made.hub));
        let done = move |result: Result<Client, Error>| {
            let failure = result.map(|client| slot.set(client));
            if let Some(hub) = hub.upgrade() {
                hub.done(TW_EVENT_OPENED, number, None, failure.err().map(Into::into));
            }
        };
        let _ = made.begun.set(runtime.spawn(connecting, done)?);
        out.write(boxed(made));
        Ok(())
    })
}

/// From now on `tw_client_poll` tells what happens to the connection, too: events of the kinds
/// from `TW_EVENT_CONNECTED` on. Of those that nobody polls, the latest 1,024 are kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_watch(
    client: Option<&tw_client>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let it = value(client)?;
        let client = it.client()?;
        let mut events = client.events()?;
        if it.watching.get().is_some() {
            return Ok(());
        }
        let hub = Arc::downgrade(&it.hub);
        let watching = async move {
            while let Some(event) = events.next().await {
                let Some(hub) = hub.upgrade() else { break };
                hub.happened(event);
            }
            Ok(())
        };
        let canceller = client.runtime().spawn(watching, |_: Result<(), Error>| {})?;
        if let Err(second) = it.watching.set(canceller) {
            // Another thread was faster.
            second.cancel();
        }
        Ok(())
    })
}

/// What the server said of itself when the connection was made.
#[repr(C)]
#[derive(Debug)]
pub struct tw_server_info {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Its name.
    pub name: *const c_char,
    /// Its version.
    pub version: *const c_char,
    /// The address at which it was reached, `host:port`.
    pub address: *const c_char,
    /// A number that stays with its data.
    pub id: u64,
    /// Largest frame, in bytes.
    pub max_frame_len: u32,
    /// Largest batch, in bytes.
    pub max_batch_len: u32,
    /// Most records in a batch.
    pub max_batch_records: u32,
    /// Most unanswered requests.
    pub max_in_flight: u32,
    /// Most open producers and subscribed partitions on one connection.
    pub max_channels: u32,
    /// Zero.
    pub reserved: u32,
}

/// What the server said of itself; without a connection, what the last one said. It does not wait.
///
/// `*info` belongs to the caller, and is freed by `tw_server_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_server(
    client: Option<&tw_client>,
    info: Option<&mut MaybeUninit<*mut tw_server_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let server = value(client)?.client()?.server()?;
        let out = place(info, "info")?;
        let mut texts = Texts::default();
        let info = tw_server_info {
            size: size_of::<tw_server_info>(),
            name: texts.keep(&server.name),
            version: texts.keep(&server.version),
            address: texts.keep(&server.address),
            id: server.id,
            max_frame_len: server.limits.max_frame_len,
            max_batch_len: server.limits.max_batch_len,
            max_batch_records: server.limits.max_batch_records,
            max_in_flight: server.limits.max_in_flight,
            max_channels: server.limits.max_channels,
            reserved: 0,
        };
        out.write(hand_out(info, texts));
        Ok(())
    })
}

/// Frees what `tw_client_server` gave. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_server_info_free(info: *mut tw_server_info) {
    // SAFETY: as the header says.
    unsafe { take_back(info) }
}

/// Asks the server for a sign of life; `round_trip_us`, which may be NULL, is the time that it
/// took, in microseconds. It waits up to `request_timeout_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_ping(
    client: Option<&tw_client>,
    round_trip_us: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let took = value(client)?.client()?.ping()?;
        if let Some(out) = round_trip_us {
            out.write(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
        Ok(())
    })
}

/// Closes the connection, for all that was made from this client: their calls fail with
/// `TW_E_CLOSED` from then on, and those that wait end. Close producers first to have their
/// records acknowledged. The handle is still to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_close(
    client: Option<&tw_client>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || Ok(value(client)?.client()?.close()?))
}

/// Frees a client; NULL is nothing to free. It does not close the connection while something that
/// was made from it is still there, which goes on; its events end. No other thread may use the
/// handle any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_free(client: *mut tw_client) {
    // SAFETY: as the header says.
    unsafe { free(client) }
}

thread_local! {
    /// What interrupts the blocking calls of this thread.
    static CURRENT: RefCell<Option<Canceller>> = const { RefCell::new(None) };
}

handle! {
    /// Makes blocked calls of other threads return. Any number of threads may use it; it is freed
    /// by `tw_canceller_free`, also while calls are within it.
    tw_canceller(Canceller), b"cancelle", "canceller"
}

/// A canceller, or NULL if there is no memory. It belongs to the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_canceller_new() -> *mut tw_canceller {
    guard_value(std::ptr::null_mut(), || boxed(Canceller::new()))
}

/// From now on, every blocking call of the calling thread ends with `TW_E_INTERRUPTED` once
/// `canceller` is cancelled. It takes the place of one that the thread entered before; NULL is
/// none. Whoever enters leaves again, by entering NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_canceller_enter(
    canceller: Option<&tw_canceller>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let entered = match canceller {
            Some(_) => Some(value(canceller)?.clone()),
            None => None,
        };
        CURRENT.set(entered);
        Ok(())
    })
}

/// Interrupts every blocking call within the canceller, on whatever threads, and all that will be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_canceller_cancel(canceller: Option<&tw_canceller>) {
    guard_value((), || {
        if let Ok(canceller) = value(canceller) {
            canceller.cancel();
        }
    });
}

/// Frees a canceller; NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_canceller_free(canceller: *mut tw_canceller) {
    // SAFETY: as the header says.
    unsafe { free(canceller) }
}

/// Runs what may block within the canceller that this thread has entered, if any.
pub(crate) fn interruptible<T>(f: impl FnOnce() -> T) -> T {
    match CURRENT.try_with(|current| current.borrow().clone()) {
        Ok(Some(canceller)) => canceller.run(f),
        _ => f(),
    }
}

/// The version of the library, such as "0.1.0". Static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

const _: () = assert!(size_of::<tw_client>() == size_of::<Tagged<ClientValue>>());
const _: () = assert!(size_of::<*const c_void>() == size_of::<usize>());
