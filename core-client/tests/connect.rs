//! What a client says when it cannot connect, and what it knows when it can.

mod support;

use std::time::{Duration, Instant};

use support::{Server, raw};
use tidewire::{Client, Code, Error, ErrorKind, Event, TopicConfig};
use tidewire_protocol::message::Kind;

async fn refused(url: &str) -> Error {
    Client::connect(url).await.expect_err("it cannot be connected to")
}

#[tokio::test]
async fn a_client_knows_its_server() {
    let server = Server::start().await;
    let client = Client::connect(&server.url()).await.expect("connects");
    let info = client.server();
    assert_eq!((info.name.as_str(), info.address), ("tidewire", server.address()));
    assert_eq!(info.limits.max_batch_len, 8 << 20);
    assert!(client.ping().await.expect("alive") < Duration::from_secs(5));
}

#[tokio::test]
async fn a_refusal_names_the_address_and_says_how_to_start_a_server() {
    let address = raw::refusing().await;
    let error = refused(&format!("tidewire://{address}")).await;
    assert_eq!(error.code(), Code::CONNECT_FAILED);
    assert!(error.is_retriable() && !error.is_outcome_unknown());
    let text = error.to_string();
    assert!(text.contains(&address) && text.contains("`tidewire serve`"), "{text}");
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn a_name_that_is_not_known_is_named() {
    let error = refused("tidewire://no-such-host.invalid").await;
    assert_eq!(error.code(), Code::CONNECT_FAILED);
    assert!(error.to_string().contains("\"no-such-host.invalid\""), "{error}");
}

#[tokio::test]
async fn a_silent_peer_is_a_timeout() {
    let address = raw::answering(Vec::new()).await;
    let begun = Instant::now();
    let error = refused(&format!("tidewire://{address}/?connect_timeout_ms=50")).await;
    assert_eq!((error.code(), error.kind()), (Code::TIMEOUT, ErrorKind::Timeout));
    assert!(error.is_retriable() && !error.is_outcome_unknown());
    let text = error.to_string();
    assert!(text.contains(&address) && text.contains("50 ms"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_web_server_is_told_from_a_tidewire_server() {
    let address = raw::answering(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    let error = refused(&format!("tidewire://{address}")).await;
    assert_eq!(error.code(), Code::NOT_TIDEWIRE);
    let text = error.to_string();
    assert!(text.contains(&address) && text.contains("HTTP/1.1 400"), "{text}");
}

#[tokio::test]
async fn another_major_version_is_not_understood() {
    let address = raw::answering(b"TIDE\x09\x00\x00\x00".to_vec()).await;
    let error = refused(&format!("tidewire://{address}")).await;
    assert_eq!(error.code(), Code::UNSUPPORTED_PROTOCOL);
    assert!(error.to_string().contains("version 9"), "{error}");
}

#[tokio::test]
async fn a_server_that_asks_for_credentials_is_refused_clearly() {
    let address = raw::answering(raw::hello(1, 30_000)).await;
    let error = refused(&format!("tidewire://{address}")).await;
    assert_eq!((error.code(), error.kind()), (Code::AUTH_REQUIRED, ErrorKind::Auth));
    assert!(error.to_string().contains(&address), "{error}");
}

#[tokio::test]
async fn every_address_is_tried_and_every_failure_listed() {
    let (first, second) = (raw::refusing().await, raw::answering(b"220 mail".to_vec()).await);
    let error = refused(&format!("tidewire://{first},{second}")).await;
    assert_eq!(error.code(), Code::CONNECT_FAILED);
    let text = error.to_string();
    assert!(
        text.contains(&first) && text.contains(&second) && text.contains("220 mail"),
        "{text}"
    );

    let server = Server::start().await;
    let url = format!("tidewire://{first},{second},{}", server.address());
    let client = Client::connect(&url).await.expect("the third");
    assert_eq!(client.server().address, server.address());
}

#[tokio::test]
async fn an_unknown_option_is_refused_before_anything_is_tried() {
    let error = refused("tidewire://127.0.0.1:1/?lingerms=5").await;
    assert_eq!((error.code(), error.kind()), (Code::INVALID_OPTION, ErrorKind::Invalid));
    assert!(error.to_string().contains("lingerms"), "{error}");
    let error = Client::builder().heartbeat_ms(1).connect().await.expect_err("out of range");
    assert_eq!(error.code(), Code::INVALID_OPTION);
}

#[tokio::test]
async fn a_reply_that_does_not_come_leaves_the_outcome_unknown() {
    let server = Server::start().await;
    server.faults(|faults| faults.mute.push(Kind::TOPIC_DELETE));
    let builder = Client::builder().url(server.url()).request_timeout_ms(50);
    let client = builder.connect().await.expect("connects");
    let error = client.delete_topic("orders").await.expect_err("no answer");
    assert_eq!(error.code(), Code::TIMEOUT);
    assert!(error.is_outcome_unknown() && !error.is_retriable());
    client.ping().await.expect("the connection goes on");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed_after_three_heartbeats() {
    let address = raw::answering(raw::hello(0, 1_000)).await;
    let url = format!("tidewire://{address}/?heartbeat_ms=1000");
    let client = Client::connect(&url).await.expect("connects");
    let begun = Instant::now();
    let error = client.ping().await.expect_err("nothing answers");
    assert_eq!((error.code(), error.is_outcome_unknown()), (Code::DISCONNECTED, true));
    assert!(error.to_string().contains("3000 ms"), "{error}");
    let took = begun.elapsed();
    assert!((2_900..4_500).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test]
async fn a_reply_that_makes_no_sense_ends_the_connection() {
    let server = Server::start().await;
    server.faults(|faults| faults.garbage_for = Some(Kind::TOPIC_DELETE));
    let client = Client::connect(&server.url()).await.expect("connects");
    let error = client.delete_topic("orders").await.expect_err("garbage");
    assert!(error.is_outcome_unknown(), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    client.ping().await.expect("on another connection");
}

#[tokio::test]
async fn a_query_is_made_again_and_a_change_is_not() {
    let server = Server::start().await;
    let client = Client::connect(&server.url()).await.expect("connects");
    client.create_topic("t", TopicConfig::default()).await.expect("new");
    for kind in [Kind::TOPIC_DESCRIBE, Kind::TOPIC_DELETE] {
        server.faults(|faults| faults.mute.push(kind));
    }
    let describing = tokio::spawn({
        let client = client.clone();
        async move { client.describe_topic("t").await }
    });
    let deleting = tokio::spawn({
        let client = client.clone();
        async move { client.delete_topic("t").await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    server.faults(|faults| faults.mute.clear());
    server.cut();
    describing.await.expect("no panic").expect("asked again");
    let error = deleting.await.expect("no panic").expect_err("not made again");
    assert_eq!((error.code(), error.is_outcome_unknown()), (Code::DISCONNECTED, true));
    client.describe_topic("t").await.expect("it is there");
}

#[tokio::test]
async fn requests_wait_for_a_connection_within_their_time() {
    let server = Server::start().await;
    let url = format!("{}/?request_timeout_ms=100", server.url());
    let client = Client::connect(&url).await.expect("connects");
    server.faults(|faults| faults.turn_away = true);
    server.cut();
    server.until("the cut", |log| log.connections_ended == 1).await;
    let error = loop {
        // The cut may not have arrived yet.
        match client.ping().await {
            Err(error) if error.is_outcome_unknown() => {}
            other => break other.expect_err("no connection"),
        }
    };
    assert_eq!(error.code(), Code::DISCONNECTED);
    assert!(error.is_retriable() && !error.is_outcome_unknown(), "nothing was sent: {error:?}");
    assert!(error.to_string().contains("100 ms"), "{error}");
    server.faults(|faults| faults.turn_away = false);
    tokio::time::timeout(Duration::from_secs(5), async {
        while client.ping().await.is_err() {}
    })
    .await
    .expect("connected again");
}

#[tokio::test]
async fn events_tell_how_a_connection_was_lost_and_made_again() {
    let server = Server::start().await;
    let other = raw::refusing().await;
    let url = format!("{}, {other}", server.url()).replace(", ", ",");
    let client = Client::connect(&url).await.expect("connects");
    let mut events = client.events();
    server.faults(|faults| faults.turn_away = true);
    server.cut();
    let mut next = async || {
        let event = tokio::time::timeout(Duration::from_secs(5), events.next()).await;
        event.expect("in time").expect("open")
    };
    let first = next().await;
    assert!(
        matches!(&first, Event::Disconnected { address, .. } if *address == server.address())
    );
    for attempt in 1..=2 {
        let event = next().await;
        assert!(matches!(event, Event::Reconnecting { attempt: a, .. } if a == attempt));
    }
    server.faults(|faults| faults.turn_away = false);
    loop {
        match next().await {
            Event::Reconnecting { .. } => {}
            Event::Connected { address } => break assert_eq!(address, server.address()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(client.server().address, server.address());
    drop(client);
    assert!(next_is_none(&mut events).await);
}

async fn next_is_none(events: &mut tidewire::Events) -> bool {
    let end = tokio::time::timeout(Duration::from_secs(5), events.next()).await;
    end.expect("in time").is_none()
}

#[tokio::test]
async fn replies_find_their_requests_in_any_order() {
    let server = Server::start().await;
    let client = Client::connect(&server.url()).await.expect("connects");
    server.faults(|faults| {
        faults.delays_ms.insert(Kind::STREAM_DESCRIBE, 100);
    });
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.describe_stream("default").await.map(|_| Instant::now()) }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    client.describe_topic("none").await.expect_err("no such topic");
    let fast = Instant::now();
    assert!(fast < slow.await.expect("no panic").expect("described"));
}

#[tokio::test]
async fn closing_fails_what_waits_and_what_comes() {
    let server = Server::start().await;
    server.faults(|faults| faults.mute.push(Kind::STREAM_DESCRIBE));
    let client = Client::connect(&server.url()).await.expect("connects");
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.describe_stream("default").await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    client.close().await.expect("closes");
    let error = waiting.await.expect("no panic").expect_err("closed");
    assert_eq!((error.code(), error.is_outcome_unknown()), (Code::CLOSED, true));
    let error = client.ping().await.expect_err("closed");
    assert_eq!((error.code(), error.is_outcome_unknown()), (Code::CLOSED, false));
    server.until("the end", |log| log.connections_ended == 1).await;
}

#[tokio::test]
async fn more_requests_than_the_server_takes_at_once_wait_for_room() {
    let config =
        tidewire_protocol::connection::ServerConfig { max_in_flight: 4, ..Default::default() };
    let server = Server::with_config(config).await;
    server.faults(|faults| {
        faults.delays_ms.insert(Kind::STREAM_DESCRIBE, 5);
    });
    let client = Client::connect(&server.url()).await.expect("connects");
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.describe_stream("default").await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("described");
    }
}

#[tokio::test]
async fn lists_are_complete_however_many_pages_they_have() {
    let server = Server::start().await;
    let client = Client::connect(&server.url()).await.expect("connects");
    for name in ["a", "b", "c", "d"] {
        client.create_stream(name).await.expect("new");
        let topic = format!("a/{name}");
        let config = TopicConfig::default().partitions(5);
        client.create_topic(&topic, config).await.expect("new");
    }
    let streams = client.list_streams().await.expect("listed");
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "default"]);
    assert_eq!(client.list_topics("a").await.expect("listed").len(), 4);
    let partitions = client.partitions("a/b").await.expect("listed");
    assert_eq!(partitions.iter().map(|p| p.partition).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

/// Connections that are made and lost again and again do not give a call new time.
#[tokio::test]
async fn a_producer_is_opened_within_the_time_of_one_request() {
    let server = Server::start().await;
    let url = format!(
        "{}?request_timeout_ms=2000&retry_backoff_ms=5&retry_backoff_max_ms=20",
        server.url()
    );
    let client = Client::connect(&url).await.expect("connects");
    client.create_topic("t", TopicConfig::default()).await.expect("new");
    server.faults(|faults| faults.garbage_for = Some(Kind::OPEN_PRODUCER));
    let building = tokio::time::timeout(Duration::from_secs(30), client.producer("t").build());
    let error = building.await.expect("it ends").expect_err("no answer that can be read");
    // What was wrong with the last one.
    assert_eq!(error.code(), Code::FRAME_TOO_LARGE, "{error}");
    assert!(server.log().connections > 2, "it was tried again");
    server.faults(|faults| faults.garbage_for = None);
    client.producer("t").build().await.expect("the server answers again");
}
