//! What a codec changes: the bytes on their way, and nothing that is read.

mod support;

use std::time::Duration;

use support::{Appended, Server};
use tidewire::{
    Client, Code, Codec, FetchOptions, Producer, ProducerBuilder, Record, Start, TopicConfig,
};
use tokio::time::timeout;

const CODECS: [Codec; 3] = [Codec::None, Codec::Lz4, Codec::Zstd];
const RECORDS: u32 = 200;

async fn start(codec: Option<Codec>) -> (Server, Client) {
    let server = Server::start().await;
    let client = Client::connect(&server.url()).await.expect("connects");
    let mut config = TopicConfig::default();
    if let Some(codec) = codec {
        config = config.codec(codec);
    }
    client.create_topic("t", config).await.expect("new");
    (server, client)
}

fn value(number: u32) -> String {
    format!("{{\"order\":{number},\"state\":\"paid\",\"city\":\"Rotterdam\"}}")
}

/// Sends all records as one batch; what arrived at the server.
async fn fill(server: &Server, builder: ProducerBuilder) -> Appended {
    let producer: Producer = builder.linger_ms(60_000).build().await.expect("opens");
    for number in 0..RECORDS {
        let record = Record::new(value(number)).key("k").header("n", number.to_string());
        producer.enqueue(record).expect("room");
    }
    producer.close().await.expect("acknowledged");
    server.log().appends.last().expect("one batch").clone()
}

#[tokio::test]
async fn every_codec_is_read_as_it_was_sent() {
    for codec in CODECS {
        let (server, client) = start(None).await;
        let sent = fill(&server, client.producer("t").codec(codec)).await;
        assert_eq!((sent.codec, sent.records), (codec, RECORDS));
        let plain_len = RECORDS as usize * value(0).len();
        assert_eq!(sent.len < plain_len, codec != Codec::None, "{codec}: {} bytes", sent.len);

        let fetched = client.fetch("t", 0, 50, FetchOptions::default()).await.expect("read");
        let mut consumer =
            client.consumer("t").start(Start::Offset(50)).build().await.expect("subscribes");
        let delivered = timeout(Duration::from_secs(5), consumer.next_batch());
        let delivered = delivered.await.expect("in time").expect("delivered").expect("open");
        for batch in [&fetched.batches[0], &delivered] {
            assert_eq!(batch.stored().header().codec, codec);
            assert_eq!((batch.bytes().len(), batch.len()), (sent.len, 150));
            for (record, number) in batch.iter().zip(50..) {
                assert_eq!(record.offset(), u64::from(number));
                assert_eq!(record.value(), Some(value(number).as_bytes()));
                assert_eq!(record.key(), Some(&b"k"[..]));
                let header = record.headers().next();
                assert_eq!(header, Some(("n", number.to_string().as_bytes())));
            }
            let owned = batch.get(149).expect("the last").to_owned();
            assert_eq!(owned.value_bytes().expect("a value"), value(199));
        }
    }
}

#[tokio::test]
async fn producers_that_do_not_choose_use_the_topics_codec() {
    for codec in CODECS {
        let (server, client) = start(Some(codec)).await;
        assert_eq!(client.describe_topic("t").await.expect("described").codec, codec);
        assert_eq!(fill(&server, client.producer("t")).await.codec, codec);
    }
    let (server, client) = start(None).await;
    assert_eq!(fill(&server, client.producer("t")).await.codec, Codec::None);
}

#[tokio::test]
async fn a_producers_own_codec_wins_over_the_topics() {
    let (server, client) = start(Some(Codec::Zstd)).await;
    for codec in CODECS {
        assert_eq!(fill(&server, client.producer("t").codec(codec)).await.codec, codec);
    }
    for (option, codec) in [("lz4", Codec::Lz4), ("none", Codec::None), ("topic", Codec::Zstd)]
    {
        let url = format!("{}/?codec={option}", server.url());
        let client = Client::connect(&url).await.expect("connects");
        assert_eq!(fill(&server, client.producer("t")).await.codec, codec, "{option}");
    }
}

#[tokio::test]
async fn a_batch_that_would_not_shrink_is_sent_plain() {
    let (server, client) = start(Some(Codec::Zstd)).await;
    let producer = client.producer("t").build().await.expect("opens");
    producer.send(Record::new("short")).await.expect("acknowledged");
    assert_eq!(server.log().appends[0].codec, Codec::None);
}

#[tokio::test]
async fn a_codec_that_is_not_known_is_refused_before_anything_is_sent() {
    let (_server, client) = start(None).await;
    let error = client.producer("t").codec(Codec::Other(9)).build().await.expect_err("strange");
    assert_eq!(error.code(), Code::INVALID_OPTION);
    let config = TopicConfig::default().codec(Codec::Other(9));
    let error = client.create_topic("u", config).await.expect_err("strange");
    assert_eq!(error.code(), Code::INVALID_OPTION);
}
