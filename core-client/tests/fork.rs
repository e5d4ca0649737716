//! What the child of a fork finds: a clear error for the parent's handles, and a new client works.
//!
//! Alone in its file, so that no other test's threads are in the way.
#![cfg(unix)]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::FromRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use support::Server;
use tidewire::blocking::Client;
use tidewire::{Code, CompletionQueue, Error, Record, Start, TopicConfig};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_child_is_told_and_can_connect_anew() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let server = runtime.block_on(Server::start());
    let url = server.url();
    let client = Client::connect(&url).expect("connects");
    client.create_topic("t", TopicConfig::default().partitions(1)).expect("new");
    let queue = CompletionQueue::new(|| {});
    let producer = client.producer("t").completions(&queue, 1).build().expect("opens");
    let consumer = client.consumer("t").start(Start::Earliest).build().expect("subscribes");
    let deliveries = client.consumer("t").deliveries(None, || {}).expect("subscribes");
    let mut ticket = producer.enqueue(Record::new("parent")).expect("room");
    ticket.wait(Some(PATIENCE)).expect("acknowledged");

    let mut ends = [0; 2];
    // SAFETY: `ends` has room for the two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    // SAFETY: the child touches nothing that another thread of the parent may have locked, which
    // is what is tested, and ends by `_exit`. An alarm ends it should it hang.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    // SAFETY: the descriptors are this test's own, and each is closed once in each process.
    let (mut reader, mut writer) =
        unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) };
    if child == 0 {
        // SAFETY: no handler is set: the signal ends the process.
        unsafe { libc::alarm(PATIENCE.as_secs() as u32) };
        let report = catch_unwind(AssertUnwindSafe(|| {
            let forked = |error: &Error| error.code() == Code::FORKED;
            let mut report = String::new();
            let mut check = |what: &str, holds: bool| {
                if !holds {
                    report.push_str(what);
                    report.push('\n');
                }
            };
            check("ping", client.ping().is_err_and(|error| forked(&error)));
            check("close", client.close().is_err_and(|error| forked(&error)));
            let refused = producer.enqueue(Record::new("child"));
            check("enqueue", refused.is_err_and(|error| forked(error.error())));
            check("flush", producer.flush(None).is_err_and(|error| forked(&error)));
            check("next_batch", consumer.next_batch().is_err_and(|error| forked(&error)));
            check("try_next", deliveries.try_next().is_err_and(|error| forked(&error)));
            check("drain", queue.drain(1).is_err_and(|error| forked(&error)));
            check("ticket", ticket.wait(None).is_err_and(|error| forked(&error)));
            let builder = client.producer("t").build();
            check("build", builder.is_err_and(|error| forked(&error)));
            let text = client.ping().expect_err("forked").to_string();
            check("text", text.contains("before the process forked"));
            drop((ticket, producer, consumer, deliveries, queue, client));

            let anew = Client::connect(&url).expect("connects");
            let producer = anew.producer("t").build().expect("opens");
            let receipt = producer.send(Record::new("child")).expect("acknowledged");
            check("offset", receipt.offset == 1);
            producer.close(Some(PATIENCE)).expect("closes");
            report
        }));
        let report = report.unwrap_or_else(|_| "panicked".to_owned());
        let _ = writer.write_all(format!("{report}end").as_bytes());
        // SAFETY: ends the process without running what the parent registered for its own end.
        unsafe { libc::_exit(0) };
    }
    drop(writer);
    let mut report = String::new();
    // The child's end, or the alarm, closes the pipe.
    reader.read_to_string(&mut report).expect("reads");
    let mut status = 0;
    // SAFETY: the child is this test's own, and `status` a place for its status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(report, "end");

    // The parent notices nothing.
    let receipt = producer.send(Record::new("parent")).expect("acknowledged");
    assert_eq!(receipt.offset, 2);
    let records: Vec<_> = consumer.records().take(3).map(|r| r.expect("delivered")).collect();
    assert_eq!(records[1].value(), Some(&b"child"[..]));
}
