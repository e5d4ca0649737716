//! What a producer promises. Here: what the tests share.

mod ends;
mod failures;
mod sending;
#[path = "../support/mod.rs"]
mod support;
mod window;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tidewire::{Client, FetchOptions, Producer, ProducerBuilder, Ticket, TopicConfig};

use support::Server;

async fn start(partitions: u32) -> (Server, Client) {
    let server = Server::start().await;
    let client = connect(&server, partitions).await;
    (server, client)
}

async fn connect(server: &Server, partitions: u32) -> Client {
    let client = Client::connect(&server.url()).await.expect("connects");
    let config = TopicConfig::default().partitions(partitions);
    client.create_topic("t", config).await.expect("new");
    client
}

async fn open(builder: ProducerBuilder) -> Producer {
    builder.build().await.expect("opens")
}

async fn values(client: &Client, partition: u32) -> Vec<Bytes> {
    let options = FetchOptions::default().max_bytes(1 << 30);
    let fetched = client.fetch("t", partition, 0, options).await.expect("fetched");
    let records = fetched.batches.iter().flatten();
    records.map(|record| Bytes::copy_from_slice(record.value().expect("a value"))).collect()
}

fn is_pending(ticket: &mut Ticket) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(pin!(ticket).poll(&mut cx), Poll::Pending)
}

fn id_of(number: u32) -> [u8; 16] {
    let mut id = [1; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    id
}
