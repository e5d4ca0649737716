//! The way back into JavaScript: results, outcomes of records, and consumers that have something.
//!
//! Owns one thread-safe function for each environment (the main thread, or a Worker) and what is
//! to be told there. The one invariant: between two calls of [`Hub::drain`] that function is
//! called once, however much has happened, unless JavaScript looks by itself ([`Hub::look`]), and
//! it does not keep the process alive unless [`Hub::hold`] was called last.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{Array, Function, ToNapiValue, Uint32ArraySlice};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};
use napi_derive::napi;
use tidewire::blocking::{Canceller, Runtime};
use tidewire::foreign::{Look, Looking};
use tidewire::{Acks, CompletionQueue, Error, Settled};

use crate::failure::Failure;

/// Words of a settled run in the array that JavaScript gives.
const SETTLED_WORDS: usize = 12;
/// How long the thread of JavaScript looks before its event loop gets a turn.
const SLICE: Duration = Duration::from_micros(20);
/// When a turn of the event loop that has not come is given up: what it was promised by may be gone.
const LOST: Duration = Duration::from_millis(10);

type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;
type Value = Box<dyn FnOnce(sys::napi_env) -> napi::Result<sys::napi_value> + Send>;

/// What is to be told under a number.
enum News {
    /// A call is done.
    Done(Value),
    /// A call has failed.
    Failed(Box<Failure>),
    /// A consumer, or another thing that was given the number, has something.
    Ready,
}

/// Shared with the core's threads.
pub(crate) struct Shared {
    wake: Wake,
    /// The function was called, and has not looked yet.
    called: AtomicBool,
    /// JavaScript's thread looks by itself, and need not be called.
    looking: AtomicBool,
    news: Mutex<Vec<(u32, News)>>,
    running: Mutex<HashMap<u32, Canceller>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Has JavaScript look, unless it is about to.
    pub(crate) fn wake(&self) {
        // Whoever stops looking looks once more afterwards: one of the two sees what the other did.
        if !self.called.swap(true, Ordering::SeqCst) && !self.looking.load(Ordering::SeqCst) {
            // Without an environment there is nobody left to tell.
            self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    fn tell(&self, number: u32, news: News) {
        lock(&self.news).push((number, news));
        self.wake();
    }

    /// Tells that what has this number is worth a look.
    pub(crate) fn ready(&self, number: u32) {
        self.tell(number, News::Ready);
    }

    /// Runs a call of the core; its result comes under `number`, made into a value of JavaScript
    /// by `into` on its thread.
    pub(crate) fn start<T, V>(
        self: &Arc<Self>,
        number: u32,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
        into: impl FnOnce(T) -> V + Send + 'static,
    ) where
        T: Send + 'static,
        V: ToNapiValue,
    {
        self.start_fallible(number, future, |value| Ok(into(value)));
    }

    /// As [`start`](Self::start), where making the value may fail.
    pub(crate) fn start_fallible<T, V>(
        self: &Arc<Self>,
        number: u32,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
        into: impl FnOnce(T) -> Result<V, Failure> + Send + 'static,
    ) where
        T: Send + 'static,
        V: ToNapiValue,
    {
        let shared = Arc::clone(self);
        let done = move |result: Result<T, Error>| {
            lock(&shared.running).remove(&number);
            let news = match result {
                Ok(value) => News::Done(Box::new(move |env| match into(value) {
                    // SAFETY: called by `drain`, on the thread of its environment.
                    Ok(value) => unsafe { V::to_napi_value(env, value) },
                    // SAFETY: as above. A failure is told apart by its `failed`.
                    Err(failure) => unsafe { Failure::to_napi_value(env, failure) },
                })),
                Err(error) => News::Failed(Box::new(Failure::of(&error))),
            };
            shared.tell(number, news);
        };
        // Held until the canceller is there, so that a call that ends at once removes it.
        let mut running = lock(&self.running);
        match Runtime::shared().and_then(|runtime| runtime.spawn(future, done)) {
            Ok(canceller) => {
                running.insert(number, canceller);
            }
            Err(error) => {
                drop(running);
                self.tell(number, News::Failed(Box::new(Failure::of(&error))));
            }
        }
    }

    /// Tells a failure under a number, as if a call had ended with it.
    pub(crate) fn fail(&self, number: u32, failure: Failure) {
        self.tell(number, News::Failed(Box::new(failure)));
    }
}

/// What JavaScript holds of it: one for each environment.
#[napi]
pub struct Hub {
    shared: Arc<Shared>,
    completions: CompletionQueue,
    /// Kept from one call to the next.
    settled: Vec<Settled>,
    failures: Vec<Failure>,
    look: Look,
    /// The right to look, while this thread does.
    looking: Option<Looking>,
    /// It had it when it began to wait.
    looked: bool,
    /// When what is waited for was asked, if it is one thing.
    asked: Option<Instant>,
    /// When something was asked last.
    asked_at: Option<Instant>,
}

#[napi]
impl Hub {
    /// `look` is called when something has happened; it then calls `drain`, and `settle` until
    /// it returns less than fits.
    #[napi(constructor)]
    pub fn new(look: Function<'_, (), ()>) -> napi::Result<Self> {
        let wake = look
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .callee_handled::<false>()
            .build()?;
        let shared = Arc::new(Shared {
            wake,
            called: AtomicBool::new(false),
            looking: AtomicBool::new(false),
            news: Mutex::default(),
            running: Mutex::default(),
        });
        let waker = Arc::clone(&shared);
        let completions = CompletionQueue::new(move || waker.wake());
        Ok(Self {
            shared,
            completions,
            settled: Vec::new(),
            failures: Vec::new(),
            look: Look::new(),
            looking: None,
            looked: false,
            asked: None,
            asked_at: None,
        })
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub(crate) fn completions(&self) -> CompletionQueue {
        self.completions.clone()
    }

    /// Everything that was told since the last call: a number, and what belongs to it, in turn.
    /// `undefined` for what is ready.
    #[napi]
    pub fn drain<'env>(&self, env: &'env Env) -> napi::Result<Option<Array<'env>>> {
        // Before looking, so that what comes from now on calls again.
        self.shared.called.store(false, Ordering::Release);
        let news = std::mem::take(&mut *lock(&self.shared.news));
        if news.is_empty() {
            return Ok(None);
        }
        let mut array = env.create_array(0)?;
        for (number, news) in news {
            array.insert(number)?;
            match news {
                News::Ready => array.insert(())?,
                News::Failed(failure) => array.insert(*failure)?,
                News::Done(value) => {
                    let value = value(env.raw())?;
                    // SAFETY: just made in this environment, and within the scope of this call.
                    array.insert(unsafe {
                        napi::Unknown::from_raw_unchecked(env.raw(), value)
                    })?;
                }
            }
        }
        Ok(Some(array))
    }

    /// Writes settled runs of records into `words`, twelve for each; how many. If as many as fit,
    /// there may be more.
    ///
    /// The words: the producer's number; the first ticket, low and high; how many; partition;
    /// offset, low and high; append time, low and high; acks, 255 for a failure; duplicate; and
    /// which of [`Hub::failures`].
    #[napi]
    pub fn settle(&mut self, mut words: Uint32ArraySlice<'_>) -> u32 {
        // SAFETY: JavaScript waits for this call and has no other thread at this array.
        let words = unsafe { words.as_mut() };
        let max = words.len() / SETTLED_WORDS;
        self.settled.clear();
        self.failures.clear();
        // After a fork there is nothing to tell.
        let count = self.completions.drain_into(&mut self.settled, max).unwrap_or(0);
        for (run, out) in self.settled.iter().zip(words.chunks_exact_mut(SETTLED_WORDS)) {
            out[0] = run.producer as u32;
            (out[1], out[2]) = halves(run.first_ticket);
            out[3] = run.count;
            out[4] = run.partition;
            match &run.outcome {
                Ok(receipt) => {
                    (out[5], out[6]) = halves(receipt.offset);
                    (out[7], out[8]) = halves(receipt.append_time_us.cast_unsigned());
                    out[9] = match receipt.acks {
                        Acks::None => 0,
                        Acks::Written => 1,
                        _ => 2,
                    };
                    out[10] = u32::from(receipt.duplicate);
                }
                Err(error) => {
                    out[9] = 255;
                    out[11] = self.failures.len() as u32;
                    self.failures.push(Failure::of(error));
                }
            }
        }
        count as u32
    }

    /// The failures of the last [`Hub::settle`].
    #[napi]
    pub fn failures(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.failures)
    }

    /// Ends the waiting of a call; its result is then a failure, `INTERRUPTED`.
    #[napi]
    pub fn cancel(&self, number: u32) {
        if let Some(canceller) = lock(&self.shared.running).get(&number) {
            canceller.cancel();
        }
    }

    /// Keeps the process alive: one thing is waited for. Whether to look for it, by `look`, again
    /// and again with turns of the event loop in between.
    #[napi]
    pub fn hold(&mut self, env: &Env) -> bool {
        // SAFETY: the function lives as long as this object, and this is its environment.
        unsafe { sys::napi_ref_threadsafe_function(env.raw(), self.shared.wake.raw()) };
        let before = self.asked_at.replace(Instant::now());
        self.asked = self.asked_at;
        if self.looking.is_some() {
            // The last one to look has not had its turn yet, unless somebody took it away.
            self.looked = true;
            if before.is_some_and(|before| before.elapsed() < LOST) {
                return false;
            }
            self.stop_looking();
        }
        self.looking = self.look.begin();
        self.looked = self.looking.is_some();
        self.shared.looking.store(self.looked, Ordering::SeqCst);
        self.looked
    }

    /// More than one thing is waited for.
    #[napi]
    pub fn crowd(&mut self) {
        self.asked = None;
        self.look.busy();
    }

    /// Lets the process end: nothing is waited for any more.
    #[napi]
    pub fn release(&mut self, env: &Env) {
        // SAFETY: as in `hold`.
        unsafe { sys::napi_unref_threadsafe_function(env.raw(), self.shared.wake.raw()) };
        if let Some(asked) = self.asked.take() {
            self.look.came(asked.elapsed(), self.looked);
        }
    }

    /// Looks whether something has happened, for a moment: 0 if nothing has, 1 if something has, and
    /// 2 if it is time to stop looking. After 1 and 2 `look` is called no more.
    #[napi]
    pub fn look(&mut self) -> u32 {
        let begun = Instant::now();
        let over = match (&self.looking, self.asked) {
            (Some(looking), Some(asked)) => begun - asked >= looking.limit(),
            _ => true,
        };
        while !over && !self.shared.called.load(Ordering::Acquire) {
            if begun.elapsed() > SLICE {
                return 0;
            }
            std::thread::yield_now();
        }
        self.looking = None;
        self.shared.looking.store(false, Ordering::SeqCst);
        // What happened meanwhile nobody has called for.
        if self.shared.called.load(Ordering::SeqCst) { 1 } else { 2 }
    }
}

impl Hub {
    /// Looks no more; what nobody called for is called for now.
    fn stop_looking(&mut self) {
        self.looking = None;
        self.shared.looking.store(false, Ordering::SeqCst);
        if self.shared.called.load(Ordering::SeqCst) {
            self.shared.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

fn halves(number: u64) -> (u32, u32) {
    (number as u32, (number >> 32) as u32)
}
