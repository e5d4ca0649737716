//! What `bench.c` does, through the Rust client: `bench-twin URL WORK COUNT` prints records a second.

use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use tidewire::blocking::{Client, Producer};
use tidewire::{Acks, Code, QueueFull, RecordRef, Start};

const VALUE: &[u8] = &[b'x'; 256];

fn producer(client: &Client, roomy: bool) -> Result<Producer, tidewire::Error> {
    let builder = client
        .producer("bench")
        .acks(Acks::Written)
        .batch_bytes(1 << 20)
        .queue_full(QueueFull::Error);
    match roomy {
        true => builder.queue_bytes(1 << 30).linger_ms(1000).build(),
        false => builder.build(),
    }
}

fn one(producer: &Producer) -> Result<(), tidewire::Error> {
    // tidewire.h takes the time too.
    let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros() as i64);
    let record = RecordRef { value: Some(VALUE), ..RecordRef::at(now) };
    loop {
        match producer.enqueue_ref(&record, None) {
            Err(error) if error.code() == Code::QUEUE_FULL => producer.ready(None)?,
            other => return other.map(drop),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, url, work, count] = arguments.as_slice() else {
        return Err(
            "usage: bench-twin URL enqueue|enqueue-many|produce|send|consume COUNT".into()
        );
    };
    let count: u64 = count.parse()?;
    let client = Client::connect(url)?;
    let took;
    if work.starts_with("consume") {
        let (mut seen, mut sum) = (0, 0);
        let begun = Instant::now();
        let consumer = client.consumer("read").start(Start::Earliest).build()?;
        while seen < count {
            let batch = consumer.poll(Some(Duration::from_secs(30)))?.ok_or("nothing more")?;
            sum +=
                batch.iter().map(|record| record.value().map_or(0, <[u8]>::len)).sum::<usize>();
            seen += batch.len() as u64;
        }
        took = begun.elapsed();
        assert_ne!(sum, 0, "the values are not empty");
        consumer.close(Some(Duration::from_secs(10)))?;
    } else {
        let producer = producer(&client, work.starts_with("enqueue"))?;
        let begun = Instant::now();
        if work == "send" {
            for _ in 0..count {
                producer.send(tidewire::Record::new(VALUE))?;
            }
        } else {
            for _ in 0..count {
                one(&producer)?;
            }
        }
        if work == "produce" {
            producer.flush(None)?;
        }
        took = begun.elapsed();
        producer.close(Some(Duration::from_secs(60)))?;
    }
    println!("{:.0}", count as f64 / took.as_secs_f64());
    client.close()?;
    Ok(())
}
