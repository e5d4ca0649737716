//! The client as a binding uses it: blocking calls, queues with one wake-up, nothing private.

mod support;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_core::Stream;
use support::Server;
use tidewire::blocking::{Canceller, Client, Runtime};
use tidewire::{
    Code, CompletionQueue, Delivery, QueueFull, Record, RecordRef, Settled, Start, TopicConfig,
};
use tidewire_protocol::error::Error as WireError;
use tidewire_protocol::message::Kind;

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on threads of its own, and a blocking client with topic `t`.
struct Bench {
    server: Server,
    client: Client,
    _runtime: tokio::runtime::Runtime,
}

fn bench(partitions: u32) -> Bench {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let server = runtime.block_on(Server::start());
    let client = Client::connect(&server.url()).expect("connects");
    let config = TopicConfig::default().partitions(partitions);
    client.create_topic("t", config).expect("new");
    Bench { server, client, _runtime: runtime }
}

/// A wake-up that a test can wait for and count.
struct Woken {
    receiver: mpsc::Receiver<()>,
    count: Arc<AtomicUsize>,
}

fn wake_up() -> (Woken, impl Fn() + Send + Sync + 'static) {
    let (sender, receiver) = mpsc::channel();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let wake = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = sender.send(());
    };
    (Woken { receiver, count }, wake)
}

impl Woken {
    fn wait(&self) {
        self.receiver.recv_timeout(PATIENCE).expect("a wake-up");
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

fn drain(queue: &CompletionQueue, woken: &Woken, tickets: u64) -> Vec<Settled> {
    let mut all = Vec::new();
    let mut seen = 0;
    while seen < tickets {
        woken.wait();
        loop {
            let some = queue.drain(64).expect("not forked");
            seen += some.iter().map(|settled| u64::from(settled.count)).sum::<u64>();
            let last = some.len() < 64;
            all.extend(some);
            if last {
                break;
            }
        }
    }
    all
}

#[test]
fn a_hundred_thousand_records_go_and_come_by_ranges() {
    const RECORDS: u64 = 100_000;
    let bench = bench(1);
    let (woken, wake) = wake_up();
    let queue = CompletionQueue::new(wake);
    let producer =
        bench.client.producer("t").completions(&queue, 7).linger_ms(5).build().expect("opens");

    let producing = producer.clone();
    let enqueuer = thread::spawn(move || {
        for number in 0..RECORDS {
            let value = number.to_be_bytes();
            let record = RecordRef { value: Some(&value), ..RecordRef::at(1) };
            let ticket = loop {
                match producing.enqueue_ref(&record, None) {
                    Ok(ticket) => break ticket,
                    Err(error) if error.code() == Code::QUEUE_FULL => {
                        producing.ready(Some(PATIENCE)).expect("room");
                    }
                    Err(error) => panic!("{error}"),
                }
            };
            assert_eq!(ticket.number(), number);
        }
        producing.flush(Some(PATIENCE)).expect("acknowledged");
    });
    let settled = drain(&queue, &woken, RECORDS);
    enqueuer.join().expect("enqueued");

    let mut next = 0;
    for run in &settled {
        assert_eq!((run.producer, run.partition), (7, 0));
        assert_eq!(run.first_ticket, next, "in order, none twice, none left out");
        let first = run.outcome.as_ref().expect("acknowledged");
        assert_eq!(first.offset, next);
        let last = run.receipt(next + u64::from(run.count) - 1).expect("of this run");
        assert_eq!(last.expect("acknowledged").offset, next + u64::from(run.count) - 1);
        assert!(run.receipt(next + u64::from(run.count)).is_none());
        next += u64::from(run.count);
    }
    assert_eq!(next, RECORDS);
    assert!(settled.len() as u64 * 10 < RECORDS, "{} entries", settled.len());
    assert!(woken.count() <= settled.len(), "one wake-up serves one entry or more");

    let (arrived, wake) = wake_up();
    let consumer = bench.client.consumer("t").start(Start::Earliest);
    let deliveries = consumer.deliveries(None, wake).expect("subscribes");
    let (mut expected, mut batches) = (0u64, 0);
    while expected < RECORDS {
        arrived.wait();
        while let Some(delivery) = deliveries.try_next().expect("not forked") {
            let Delivery::Batch(batch) = delivery else { panic!("{delivery:?}") };
            batches += 1;
            for record in &batch {
                assert_eq!(record.value(), Some(&expected.to_be_bytes()[..]));
                expected += 1;
            }
        }
    }
    assert!(arrived.count() <= batches + 1, "{} for {batches}", arrived.count());
    assert_eq!(deliveries.lag().expect("not forked"), 0);
    deliveries.close().expect("not forked");
    arrived.wait();
    let last = deliveries.drain(8).expect("not forked");
    assert!(matches!(last[..], [Delivery::Closed]), "{last:?}");
    assert!(deliveries.try_next().expect("not forked").is_none());
    producer.close(Some(PATIENCE)).expect("closes");
}

#[test]
fn each_ticket_is_settled_once_wherever_its_record_went() {
    const RECORDS: u64 = 3_000;
    let bench = bench(3);
    let (woken, wake) = wake_up();
    let queue = CompletionQueue::new(wake);
    let producer = bench.client.producer("t").completions(&queue, 0).build().expect("opens");
    let mut tickets = BTreeMap::new();
    for number in 0..RECORDS {
        let record = Record::new("v").key(format!("{}", number % 40));
        let ticket = producer.enqueue(record).expect("room");
        tickets.insert(ticket.number(), ticket);
    }
    producer.flush(Some(PATIENCE)).expect("acknowledged");
    for run in drain(&queue, &woken, RECORDS) {
        for number in run.first_ticket..run.first_ticket + u64::from(run.count) {
            let mut ticket = tickets.remove(&number).expect("once");
            let told = ticket.wait(Some(PATIENCE)).expect("acknowledged");
            assert_eq!(run.receipt(number).expect("of the run").expect("same"), told);
            assert_eq!(run.partition, told.partition);
        }
    }
    assert!(tickets.is_empty());
}

#[test]
fn failures_come_through_the_queue_as_well() {
    let bench = bench(1);
    let refused = WireError::new(Code::RECORD_TOO_LARGE, "on purpose");
    bench.server.faults(|faults| faults.append_error = Some(refused));
    let (woken, wake) = wake_up();
    let queue = CompletionQueue::new(wake);
    let producer = bench.client.producer("t").completions(&queue, 1).build().expect("opens");
    producer.enqueue(Record::new("a")).expect("room");
    producer.enqueue(Record::new("b")).expect("room");
    assert!(producer.flush(Some(PATIENCE)).is_err());
    let settled = drain(&queue, &woken, 2);
    for run in &settled {
        let error = run.outcome.as_ref().expect_err("refused");
        assert_eq!(error.code(), Code::RECORD_TOO_LARGE);
    }
}

#[test]
fn dropped_records_are_settled_at_once() {
    let bench = bench(1);
    bench.server.faults(|faults| faults.hold_appends = true);
    let (woken, wake) = wake_up();
    let queue = CompletionQueue::new(wake);
    let builder = bench.client.producer("t").completions(&queue, 1);
    let builder = builder.queue_full(QueueFull::Drop).queue_bytes(65_536);
    let producer = builder.build().expect("opens");
    producer.enqueue(Record::new(vec![0; 70_000])).expect("room");
    let dropped = producer.enqueue(Record::new("b")).expect("dropped, not refused");
    let settled = drain(&queue, &woken, 1);
    assert_eq!(settled[0].first_ticket, dropped.number());
    assert_eq!(settled[0].outcome.as_ref().expect_err("dropped").code(), Code::QUEUE_FULL);
    bench.server.faults(|faults| faults.hold_appends = false);
    assert_eq!(drain(&queue, &woken, 1)[0].first_ticket, 0);
}

#[test]
fn what_is_not_drained_stops_the_producer() {
    let bench = bench(2);
    let queue = CompletionQueue::new(|| {});
    let producer = bench.client.producer("t").completions(&queue, 1).build().expect("opens");
    let begun = Instant::now();
    let mut taken = 0u64;
    // Alternating between partitions, each record is a run by itself.
    let error = loop {
        assert!(begun.elapsed() < PATIENCE, "{taken} records taken");
        let record = RecordRef { value: Some(b"v"), ..RecordRef::at(1) };
        match producer.enqueue_ref(&record, Some((taken % 2) as u32)) {
            Ok(_) => taken += 1,
            Err(error) if error.to_string().contains("completion queue") => break error,
            Err(error) => {
                assert_eq!(error.code(), Code::QUEUE_FULL);
                thread::sleep(Duration::from_millis(1));
            }
        }
    };
    assert_eq!(error.code(), Code::QUEUE_FULL);
    producer.flush(Some(PATIENCE)).expect("what was taken is sent");
    assert_eq!(queue.len() as u64, taken);
    let waited = producer.ready(Some(Duration::from_millis(20))).expect_err("no room");
    assert_eq!(waited.code(), Code::TIMEOUT);
    let waiting = thread::spawn({
        let producer = producer.clone();
        move || producer.ready(Some(PATIENCE))
    });
    while queue.drain(1_000).expect("not forked").len() == 1_000 {}
    waiting.join().expect("no panic").expect("room");
    producer.enqueue(Record::new("v")).expect("room");
}

#[test]
fn a_blocked_call_is_interrupted_and_loses_nothing() {
    let bench = bench(1);
    let consumer = Arc::new(bench.client.consumer("t").build().expect("subscribes"));
    let canceller = Canceller::new();
    let (begun, has_begun) = mpsc::channel();
    let blocked = thread::spawn({
        let (consumer, canceller) = (Arc::clone(&consumer), canceller.clone());
        move || {
            begun.send(()).expect("the test waits");
            canceller.run(|| consumer.next_batch())
        }
    });
    has_begun.recv_timeout(PATIENCE).expect("begins");
    canceller.cancel();
    let error = blocked.join().expect("no panic").expect_err("interrupted");
    assert_eq!(error.code(), Code::INTERRUPTED);
    // Sticky: what begins later does not wait either; outside of it all goes on.
    let again = canceller.run(|| consumer.next_batch()).expect_err("interrupted");
    assert_eq!(again.code(), Code::INTERRUPTED);
    let producer = bench.client.producer("t").build().expect("opens");
    producer.send(Record::new("v")).expect("acknowledged");
    let batch = consumer.poll(Some(PATIENCE)).expect("delivered").expect("in time");
    assert_eq!(batch.len(), 1);
}

#[test]
fn a_check_interrupts_on_the_blocked_thread() {
    let bench = bench(1);
    let consumer = bench.client.consumer("t").build().expect("subscribes");
    let here = thread::current().id();
    let asked = Arc::new(AtomicUsize::new(0));
    let canceller = Canceller::checking(Duration::from_millis(1), {
        let asked = Arc::clone(&asked);
        move || {
            assert_eq!(thread::current().id(), here);
            asked.fetch_add(1, Ordering::SeqCst) >= 3
        }
    });
    let error = canceller.run(|| consumer.next_record()).expect_err("interrupted");
    assert_eq!(error.code(), Code::INTERRUPTED);
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[test]
fn nothing_blocks_a_thread_of_an_asynchronous_runtime() {
    let bench = bench(1);
    let producer = bench.client.producer("t").build().expect("opens");
    let consumer = bench.client.consumer("t").start(Start::Earliest).build().expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("one");
    runtime.block_on(async {
        let error = Client::connect(&bench.server.url()).expect_err("would block");
        assert_eq!(error.code(), Code::WOULD_BLOCK);
        let error = consumer.next_batch().expect_err("would block");
        assert_eq!(error.code(), Code::WOULD_BLOCK);
        // It ends instead of failing for ever.
        assert_eq!(consumer.batches().count(), 1);
        let error = producer.close(None).expect_err("would block");
        assert_eq!(error.error().code(), Code::WOULD_BLOCK);
        // What does not wait may be called.
        producer.enqueue(Record::new("v")).expect("room");
        assert!(consumer.positions().is_ok());
    });
    producer.flush(Some(PATIENCE)).expect("acknowledged");
    assert!(consumer.next_batch().expect("delivered").is_some());
}

#[test]
fn waiting_ends_with_its_time() {
    let bench = bench(1);
    let consumer = bench.client.consumer("t").start(Start::Earliest).build().expect("opens");
    assert!(consumer.poll(Some(Duration::ZERO)).expect("waits").is_none());
    assert!(consumer.poll_record(Some(Duration::from_millis(5))).expect("waits").is_none());
    bench.server.faults(|faults| faults.hold_appends = true);
    let producer = bench.client.producer("t").build().expect("opens");
    let mut ticket = producer.enqueue(Record::new("v")).expect("room");
    assert!(ticket.try_receipt().is_none());
    let error = ticket.wait(Some(Duration::from_millis(5))).expect_err("held");
    assert_eq!(error.code(), Code::TIMEOUT);
    let error = producer.flush(Some(Duration::from_millis(5))).expect_err("held");
    assert_eq!(error.code(), Code::TIMEOUT);
    let sent = producer.send_within(Record::new("w"), Duration::from_millis(5));
    let error = sent.expect_err("held");
    assert!(error.is_outcome_unknown(), "{error:?}");
    bench.server.faults(|faults| faults.hold_appends = false);
    assert_eq!(ticket.wait(Some(PATIENCE)).expect("acknowledged").offset, 0);
    // A limit that no clock can hold is none.
    producer.flush(Some(Duration::MAX)).expect("acknowledged");
    let values: Vec<_> =
        consumer.records().take(2).map(|record| record.expect("one")).collect();
    assert_eq!(values[1].value(), Some(&b"w"[..]));
}

#[test]
fn closing_within_a_time_reports_what_was_not_sent() {
    let bench = bench(2);
    bench.server.faults(|faults| faults.hold_appends = true);
    let (woken, wake) = wake_up();
    let queue = CompletionQueue::new(wake);
    let producer = bench.client.producer("t").completions(&queue, 1).build().expect("opens");
    for partition in [0, 1, 1] {
        producer.enqueue(Record::new("v").partition(partition)).expect("room");
    }
    let error = producer.close(Some(Duration::from_millis(20))).expect_err("held");
    let unsent: Vec<_> = error
        .partitions()
        .iter()
        .map(|unsent| (unsent.partition, unsent.failed_records + unsent.unknown_records))
        .collect();
    assert_eq!(unsent, [(0, 1), (1, 2)]);
    let settled = drain(&queue, &woken, 3);
    assert!(settled.iter().all(|run| run.outcome.is_err()));
    let refused = producer.enqueue(Record::new("late")).expect_err("closed");
    assert_eq!(refused.error().code(), Code::CLOSED);
}

#[test]
fn errors_and_the_end_come_through_the_queue_of_deliveries() {
    let bench = bench(1);
    let producer = bench.client.producer("t").build().expect("opens");
    producer.send(Record::new("v")).expect("acknowledged");
    bench.server.faults(|faults| faults.damage_partition = Some(0));
    let (woken, wake) = wake_up();
    let events = bench.client.events().expect("not forked");
    let consumer = bench.client.consumer("t").start(Start::Earliest);
    let deliveries = consumer.deliveries(Some(events), wake).expect("subscribes");
    let mut told = Vec::new();
    while !told.iter().any(|delivery| matches!(delivery, Delivery::Closed)) {
        woken.wait();
        told.extend(deliveries.drain(100).expect("not forked"));
    }
    let [Delivery::Error(error), Delivery::Closed] = &told[..] else { panic!("{told:?}") };
    assert_eq!(error.code(), Code::CORRUPT_DELIVERY);
    assert!(deliveries.is_closed());
}

#[test]
fn a_queue_of_deliveries_begins_again_with_a_seek() {
    let bench = bench(1);
    let producer = bench.client.producer("t").build().expect("opens");
    producer.send(Record::new("a")).expect("acknowledged");
    producer.send(Record::new("b")).expect("acknowledged");
    let (woken, wake) = wake_up();
    let events = bench.client.events().expect("not forked");
    let consumer = bench.client.consumer("t").start(Start::Earliest);
    let deliveries = consumer.deliveries(Some(events), wake).expect("subscribes");
    let until = |wanted: fn(&Delivery) -> bool| {
        let mut told = Vec::new();
        while !told.last().is_some_and(wanted) {
            woken.wait();
            told.extend(deliveries.drain(100).expect("not forked"));
        }
        told
    };
    let is_b =
        |delivery: &Delivery| matches!(delivery, Delivery::Batch(b) if b.next_offset() == 2);
    until(is_b);
    // Twice, since what begins again may end again.
    for _ in 0..2 {
        deliveries.seek(0, Start::Offset(9)).expect("is read");
        let told = until(|delivery| matches!(delivery, Delivery::Closed));
        let [Delivery::Error(error), Delivery::Closed] = &told[..] else { panic!("{told:?}") };
        assert_eq!(error.code(), Code::OFFSET_OUT_OF_RANGE);
        assert!(deliveries.is_closed());
        // Whoever was told of the end asks no more: a wake-up has to tell of what follows.
        deliveries.seek(0, Start::Offset(1)).expect("is read");
        assert!(!deliveries.is_closed());
        let told = until(is_b);
        assert!(matches!(&told[..], [Delivery::Batch(batch)] if batch.base_offset() == 1));
    }
    deliveries.close().expect("not forked");
    until(|delivery| matches!(delivery, Delivery::Closed));
    assert!(deliveries.try_next().expect("not forked").is_none());
}

#[test]
fn closing_waits_until_the_server_knows() {
    let bench = bench(2);
    let (_woken, wake) = wake_up();
    let waiting = bench.client.consumer("t").build().expect("subscribes");
    let deliveries = bench.client.consumer("t").deliveries(None, wake).expect("subscribes");
    bench.server.faults(|faults| _ = faults.delays_ms.insert(Kind::UNSUBSCRIBE, 300));
    let control = deliveries.control().expect("not forked");
    let begun = Instant::now();
    deliveries.close().expect("not forked");
    let runtime = Runtime::shared().expect("threads");
    runtime.wait("closing", Some(PATIENCE), control.closed()).expect("in time");
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    assert_eq!(bench.server.log().unsubscribed, 2);
    waiting.close(Some(PATIENCE)).expect("in time");
    assert_eq!(bench.server.log().unsubscribed, 4);
    // What is closed already has nobody to wait for.
    runtime.wait("closing", Some(PATIENCE), control.closed()).expect("in time");

    // A server that does not answer is waited for as long as for any request, and no longer.
    let url = format!("{}/?request_timeout_ms=200", bench.server.url());
    let impatient = Client::connect(&url).expect("connects");
    let (_woken, wake) = wake_up();
    let deliveries = impatient.consumer("t").deliveries(None, wake).expect("subscribes");
    bench.server.faults(|faults| faults.mute.push(Kind::UNSUBSCRIBE));
    let control = deliveries.control().expect("not forked");
    deliveries.close().expect("not forked");
    runtime.wait("closing", Some(PATIENCE), control.closed()).expect("in time");
}

#[test]
fn many_small_deliveries_lose_no_wake_up() {
    const RECORDS: usize = 500;
    let bench = bench(4);
    let (woken, wake) = wake_up();
    let consumer = bench.client.consumer("t").start(Start::Earliest);
    let deliveries = consumer.deliveries(None, wake).expect("subscribes");
    let producer = bench.client.producer("t").build().expect("opens");
    let sending = thread::spawn(move || {
        for number in 0..RECORDS {
            let record = Record::new("v").partition(number as u32 % 4);
            producer.send(record).expect("acknowledged");
        }
    });
    let (mut seen, mut batches) = (0, 0);
    while seen < RECORDS {
        woken.wait();
        while let Some(batch) =
            deliveries.try_next_batch(|other| panic!("{other:?}")).expect("not forked")
        {
            seen += batch.len();
            batches += 1;
        }
    }
    sending.join().expect("sent");
    assert!(woken.count() <= batches + 1, "{} wake-ups for {batches}", woken.count());
}

#[test]
fn the_runtime_runs_what_a_binding_waits_for_in_its_own_way() {
    let bench = bench(1);
    let runtime = Runtime::shared().expect("threads");
    let (sender, receiver) = mpsc::channel();
    let connecting = {
        let url = bench.server.url();
        async move { tidewire::Client::connect(&url).await }
    };
    let done = {
        let sender = sender.clone();
        move |result: Result<tidewire::Client, _>| {
            sender
                .send(result.map(|client| Client::from_async(client).is_ok()))
                .expect("waits");
        }
    };
    runtime.spawn(connecting, done).expect("not forked");
    assert!(receiver.recv_timeout(PATIENCE).expect("done").expect("connected"));

    let done = move |result| sender.send(result).expect("waits");
    let canceller = runtime.spawn(std::future::pending(), done).expect("not forked");
    canceller.cancel();
    let error = receiver.recv_timeout(PATIENCE).expect("done").expect_err("cancelled");
    assert_eq!(error.code(), Code::INTERRUPTED);
    assert_eq!(runtime.threads(), 2);
}

#[test]
fn a_client_may_be_connected_where_nothing_blocks() {
    let bench = bench(1);
    let (sender, receiver) = mpsc::channel();
    let builder = Client::builder().url(bench.server.url());
    let (runtime, connecting) = builder.connecting().expect("good options");
    let done = move |result: Result<Client, tidewire::Error>| {
        sender.send(result).expect("waits");
    };
    runtime.spawn(connecting, done).expect("not forked");
    let client = receiver.recv_timeout(PATIENCE).expect("done").expect("connected");
    // Whoever may block can wait for any future there.
    let waited = runtime.wait("a topic", Some(PATIENCE), async {
        client.as_async().expect("not forked").describe_topic("t").await
    });
    assert_eq!(waited.expect("in time").expect("there").partitions, 1);
}

#[test]
fn a_record_that_is_waited_for_does_not_linger() {
    let bench = bench(1);
    let producer = bench.client.producer("t").linger_ms(60_000).build().expect("opens");
    let record = RecordRef { value: Some(b"v"), ..RecordRef::at(1) };
    let mut first = producer.enqueue_ref(&record, None).expect("room");
    let mut second = producer.enqueue_now_ref(&record, None).expect("room");
    // The first travels with it.
    assert_eq!(second.wait(Some(PATIENCE / 2)).expect("acknowledged").offset, 1);
    assert_eq!(first.wait(Some(PATIENCE / 2)).expect("acknowledged").offset, 0);

    let mut third = producer.enqueue_ref(&record, None).expect("room");
    let producer = producer.as_async().expect("not forked");
    producer.expedite();
    assert_eq!(third.wait(Some(PATIENCE / 2)).expect("acknowledged").offset, 2);
    assert_eq!(producer.queue_full(), QueueFull::Block);
}

#[tokio::test]
async fn batches_and_records_are_streams() {
    let server = Server::start().await;
    let client = tidewire::Client::connect(&server.url()).await.expect("connects");
    client.create_topic("t", TopicConfig::default().partitions(1)).await.expect("new");
    let producer = client.producer("t").build().await.expect("opens");
    for value in ["a", "b", "c"] {
        producer.enqueue(Record::new(value)).expect("room");
    }
    producer.flush().await.expect("acknowledged");

    let consumer = client.consumer("t").start(Start::Earliest);
    let mut batches = consumer.clone().build().await.expect("subscribes").into_stream();
    let batch = next(&mut batches).await.expect("not over").expect("delivered");
    assert_eq!(batch.len(), 3);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut batches).poll_next(&mut cx).is_pending());

    let consumer = consumer.build().await.expect("subscribes");
    let closer = consumer.control();
    let mut records = consumer.into_record_stream();
    for value in ["a", "b", "c"] {
        let record = next(&mut records).await.expect("not over").expect("delivered");
        assert_eq!(record.value(), Some(value.as_bytes()));
    }
    closer.close();
    assert!(next(&mut records).await.is_none());
    assert!(next(&mut records).await.is_none());
}

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    let next = std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx));
    tokio::time::timeout(PATIENCE, next).await.expect("in time")
}

#[test]
fn a_binding_waits_for_something_of_its_own_as_blocking_calls_do() {
    let runtime = Runtime::shared().expect("threads");
    assert_eq!(runtime.try_wait("a value", None, async { 7 }).expect("waits"), Some(7));
    let never = std::future::pending::<()>;
    let limit = Some(Duration::from_millis(1));
    assert_eq!(runtime.try_wait("nothing", limit, never()).expect("waits"), None);
    let canceller = Canceller::new();
    canceller.cancel();
    let error = canceller.run(|| runtime.try_wait("nothing", None, never()));
    assert_eq!(error.expect_err("interrupted").code(), Code::INTERRUPTED);
}

#[test]
fn what_is_enqueued_can_be_hurried_without_waiting_for_it() {
    let bench = bench(2);
    let producer = bench.client.producer("t").linger_ms(60_000).build().expect("opens");
    let mut tickets: Vec<_> = (0..2)
        .map(|at| producer.enqueue(Record::new("v").partition(at)).expect("room"))
        .collect();
    producer.as_async().expect("not forked").expedite();
    for ticket in &mut tickets {
        ticket.wait(Some(PATIENCE / 2)).expect("sent without company");
    }
}

#[test]
fn small_frames_and_large_ones_of_many_threads_keep_their_order() {
    const ROUNDS: u8 = 40;
    // The last ones are more than a socket takes at once.
    const SIZES: [usize; 4] = [1, 3_000, 100_000, 3 << 20];
    let bench = bench(4);
    let begin = std::sync::Barrier::new(SIZES.len());
    thread::scope(|scope| {
        for (partition, size) in (0..).zip(SIZES) {
            let producer = bench.client.producer("t").build().expect("opens");
            let begin = &begin;
            scope.spawn(move || {
                begin.wait();
                for round in 0..ROUNDS {
                    let record = Record::new(vec![round; size]).partition(partition);
                    let receipt = producer.send(record).expect("appended");
                    assert_eq!(receipt.offset, u64::from(round), "of {size} bytes");
                }
            });
        }
    });
    let consumer = bench.client.consumer("t").start(Start::Earliest).build().expect("opens");
    let mut next = [0; SIZES.len()];
    for _ in 0..usize::from(ROUNDS) * SIZES.len() {
        let record = consumer.poll_record(Some(PATIENCE)).expect("read").expect("in time");
        let partition = record.partition() as usize;
        let value = record.value().expect("a value");
        assert_eq!(value.len(), SIZES[partition]);
        assert!(value.iter().all(|byte| *byte == next[partition]), "of {partition}");
        next[partition] += 1;
    }
    assert_eq!(next, [ROUNDS; SIZES.len()]);
}
