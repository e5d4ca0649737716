//! The client: connecting, and what it is asked itself. Administration is in `admin` and
//! `groups`.
//!
//! Owns the handle and the watch of events. The one invariant: a number of JavaScript is answered
//! once for each call, and again and again only for events.

use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::BigInt;
use napi_derive::napi;
use tidewire::blocking;
use tidewire::{Error, Event, Events};

use crate::failure::Failure;
use crate::hub::{Hub, Shared};
use crate::info::{ServerInfo, TopicPartition};
use crate::options::Options;

/// A client of the core's.
#[napi]
pub struct NativeClient {
    pub(crate) client: blocking::Client,
    pub(crate) hub: Arc<Shared>,
}

/// Connects; the client comes under `number`.
#[napi]
pub fn connect(hub: &Hub, number: u32, url: Option<String>, options: Vec<String>) {
    let hub = hub.shared();
    let mut builder = match Options::new(options).client(blocking::Client::builder()) {
        Ok(builder) => builder,
        Err(failure) => return hub.fail(number, failure),
    };
    if let Some(url) = url {
        builder = builder.url(url);
    }
    let with = Arc::clone(&hub);
    match builder.connecting() {
        Ok((_, connecting)) => {
            hub.start(number, connecting, move |client| NativeClient { client, hub: with })
        }
        Err(error) => hub.fail(number, Failure::of(&error)),
    }
}

#[napi]
impl NativeClient {
    /// The asynchronous client, unless the process forked.
    pub(crate) fn inner(&self) -> Result<&tidewire::Client, Error> {
        self.client.as_async()
    }

    /// Runs a call of the client.
    pub(crate) fn call<T, V, F>(
        &self,
        number: u32,
        call: impl FnOnce(tidewire::Client) -> F,
        into: impl FnOnce(T) -> V + Send + 'static,
    ) where
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
        V: napi::bindgen_prelude::ToNapiValue,
    {
        match self.inner() {
            Ok(client) => self.hub.start(number, call(client.clone()), into),
            Err(error) => self.hub.fail(number, Failure::of(&error)),
        }
    }

    #[napi]
    pub fn server(&self) -> Option<ServerInfo> {
        self.client.server().ok().map(Into::into)
    }

    /// The time that the server took, in milliseconds.
    #[napi]
    pub fn ping(&self, number: u32) {
        self.call(
            number,
            |client| async move { client.ping().await },
            |took| took.as_secs_f64() * 1000.0,
        );
    }

    #[napi]
    pub fn close(&self, number: u32) {
        self.call(number, |client| async move { client.close().await }, |()| ());
    }

    /// Watches; `number` is told when there are events to take.
    #[napi]
    pub fn watch(&self, number: u32) -> Option<Watch> {
        let events = self.client.events().ok()?;
        let told = Arc::new(Mutex::new(Told::default()));
        let (hub, into) = (Arc::clone(&self.hub), Arc::clone(&told));
        let watching = watch(events, move |event| {
            let mut told = into.lock().unwrap_or_else(PoisonError::into_inner);
            told.events.push(event);
            if !std::mem::replace(&mut told.ready, true) {
                drop(told);
                hub.ready(number);
            }
        });
        let runtime = self.client.runtime();
        let canceller = runtime.spawn(watching, |_: Result<(), Error>| {}).ok()?;
        Some(Watch { told, canceller })
    }
}

async fn watch(mut events: Events, tell: impl Fn(Option<Event>)) -> Result<(), Error> {
    loop {
        let event = events.next().await;
        let over = event.is_none();
        tell(event);
        if over {
            return Ok(());
        }
    }
}

#[derive(Default)]
struct Told {
    /// None when there will be no more.
    events: Vec<Option<Event>>,
    /// JavaScript was told that there are some.
    ready: bool,
}

/// Events that are watched.
#[napi]
pub struct Watch {
    told: Arc<Mutex<Told>>,
    canceller: blocking::Canceller,
}

#[napi]
impl Watch {
    /// Those that have happened since it was last called.
    #[napi]
    pub fn take(&self) -> Vec<NativeEvent> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.ready = false;
        std::mem::take(&mut told.events).into_iter().map(NativeEvent::from).collect()
    }

    /// Ends it.
    #[napi]
    pub fn end(&self) {
        self.canceller.cancel();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.canceller.cancel();
    }
}

/// An event; what belongs to it is there.
#[napi(object)]
#[derive(Default)]
pub struct NativeEvent {
    pub kind: String,
    pub address: Option<String>,
    pub attempt: Option<u32>,
    pub error: Option<Failure>,
    pub topic: Option<String>,
    pub partition: Option<u32>,
    pub group: Option<String>,
    pub partitions: Option<Vec<TopicPartition>>,
    pub from_offset: Option<BigInt>,
    pub to_offset: Option<BigInt>,
    pub missed: Option<f64>,
}

impl From<Option<Event>> for NativeEvent {
    fn from(event: Option<Event>) -> Self {
        let named = |kind: &str| Self { kind: kind.to_owned(), ..Self::default() };
        let places =
            |kind: &str, group: String, partitions: Vec<tidewire::TopicPartition>| Self {
                group: Some(group),
                partitions: Some(partitions.into_iter().map(Into::into).collect()),
                ..named(kind)
            };
        match event {
            None => named("end"),
            Some(Event::Connected { address }) => {
                Self { address: Some(address), ..named("connected") }
            }
            Some(Event::Disconnected { address, error }) => Self {
                address: Some(address),
                error: Some(Failure::of(&error)),
                ..named("disconnected")
            },
            Some(Event::Reconnecting { address, attempt }) => {
                Self { address: Some(address), attempt: Some(attempt), ..named("reconnecting") }
            }
            Some(Event::GaveUp { error }) => {
                Self { error: Some(Failure::of(&error)), ..named("gaveUp") }
            }
            Some(Event::Throttled { topic, partition, error }) => Self {
                topic: Some(topic),
                partition: Some(partition),
                error: Some(Failure::of(&error)),
                ..named("throttled")
            },
            Some(Event::PartitionsAssigned { group, partitions }) => {
                places("partitionsAssigned", group, partitions)
            }
            Some(Event::PartitionsRevoked { group, partitions }) => {
                places("partitionsRevoked", group, partitions)
            }
            Some(Event::PartitionsLost { group, partitions }) => {
                places("partitionsLost", group, partitions)
            }
            Some(Event::RecordsSkipped { topic, partition, from_offset, to_offset }) => Self {
                topic: Some(topic),
                partition: Some(partition),
                from_offset: Some(from_offset.into()),
                to_offset: Some(to_offset.into()),
                ..named("recordsSkipped")
            },
            Some(Event::Missed(missed)) => {
                Self { missed: Some(missed as f64), ..named("missed") }
            }
            Some(_) => named("other"),
        }
    }
}
