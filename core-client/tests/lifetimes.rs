//! Nothing outlives the handles that it serves.

mod support;

use std::time::Duration;

use support::Server;
use tidewire::{Client, Code, Record, Start, TopicConfig};
use tokio::runtime::{Builder, Runtime};

/// A server on a runtime of its own, so that only the client's tasks are counted.
fn server() -> (Runtime, Server) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let server = runtime.block_on(Server::start());
    (runtime, server)
}

fn client_runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn everything(url: &str) -> (Client, tidewire::Producer, tidewire::Consumer) {
    let client = Client::connect(url).await.expect("connects");
    let config = TopicConfig::default().partitions(3);
    client.create_topic("t", config).await.expect("new");
    let producer = client.producer("t").build().await.expect("opens");
    let consumer = client.consumer("t").start(Start::Earliest);
    let consumer = consumer.build().await.expect("subscribes");
    (client, producer, consumer)
}

async fn all_tasks_end() {
    for _ in 0..500 {
        if tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("tasks are left after five seconds");
}

#[test]
fn dropping_everything_in_any_order_ends_all_tasks() {
    let (_runtime, server) = server();
    for order in 0..3 {
        client_runtime().block_on(async {
            let (client, producer, consumer) = everything(&server.url()).await;
            let ticket = producer.enqueue(Record::new("x")).expect("room");
            match order {
                0 => drop((client, producer, consumer, ticket)),
                1 => drop((consumer, ticket, producer, client)),
                _ => drop((ticket, consumer, client, producer)),
            }
            all_tasks_end().await;
        });
    }
    let log = server.log();
    assert_eq!((log.closed_producers, log.unsubscribed, log.connections_ended), (3, 9, 3));
    assert_eq!(log.appends.len(), 3, "what was enqueued was sent");
}

#[test]
fn a_client_that_is_closed_or_dropped_while_it_reconnects_leaves_no_task() {
    let (_runtime, server) = server();
    for close in [false, true] {
        server.faults(|faults| faults.turn_away = false);
        client_runtime().block_on(async {
            let (client, producer, consumer) = everything(&server.url()).await;
            server.faults(|faults| faults.turn_away = true);
            server.cut();
            tokio::time::sleep(Duration::from_millis(30)).await;
            if close {
                client.close().await.expect("closes");
                let error = client.ping().await.expect_err("closed");
                assert_eq!(error.code(), Code::CLOSED);
            }
            drop((client, producer, consumer));
            all_tasks_end().await;
        });
    }
}

#[test]
fn a_connect_that_is_given_up_leaves_no_task() {
    client_runtime().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("tidewire://{}", listener.local_addr().expect("bound"));
        let limit = Duration::from_millis(30);
        let connecting = tokio::time::timeout(limit, Client::connect(&url));
        assert!(connecting.await.is_err(), "nobody answers");
        all_tasks_end().await;
    });
}

#[test]
fn a_runtime_that_stops_fails_what_waits() {
    let (_runtime, server) = server();
    server.faults(|faults| faults.hold_appends = true);
    let runtime = client_runtime();
    let (client, producer, ticket) = runtime.block_on(async {
        let (client, producer, _consumer) = everything(&server.url()).await;
        let ticket = producer.enqueue(Record::new("x")).expect("room");
        let flushing = tokio::time::timeout(Duration::from_millis(30), producer.flush());
        assert!(flushing.await.is_err(), "no append is answered");
        (client, producer, ticket)
    });
    drop(runtime);
    client_runtime().block_on(async {
        let error = ticket.await.expect_err("nobody drives the connection");
        assert_eq!((error.code(), error.is_outcome_unknown()), (Code::DISCONNECTED, true));
        assert_eq!(client.ping().await.expect_err("nor here").code(), Code::DISCONNECTED);
        assert!(producer.close().await.is_err());
    });
}
