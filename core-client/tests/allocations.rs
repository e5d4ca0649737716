//! Enqueueing a small record allocates nothing for itself.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::Server;
use tidewire::{Client, Record, TopicConfig};

thread_local! {
    /// Of this thread alone: the server and the runtime's other threads do not count.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged; counting touches only a
// thread-local cell that needs neither allocation nor destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract, and `at` came from `System`.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps `realloc`'s contract, and `at` came from `System`.
        unsafe { System.realloc(at, layout, new_size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[tokio::test]
async fn enqueueing_allocates_by_the_batch_and_not_by_the_record() {
    let server = Server::start().await;
    let client = Client::connect(&server.url()).await.expect("connects");
    client.create_topic("t", TopicConfig::default().partitions(4)).await.expect("new");
    let producer = client.producer("t").linger_ms(60_000).build().await.expect("opens");
    let record = || Record::new("0123456789").key("k");
    for _ in 0..10_000 {
        drop(producer.enqueue(record()).expect("room"));
    }
    producer.flush().await.expect("acknowledged");

    let before = ALLOCATIONS.with(Cell::get);
    for _ in 0..10_000 {
        drop(producer.enqueue(record()).expect("room"));
    }
    let allocations = ALLOCATIONS.with(Cell::get) - before;
    assert!(allocations < 100, "{allocations} allocations for 10,000 records");
    producer.close().await.expect("acknowledged");
}
