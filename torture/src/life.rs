//! One life of a server: producers and readers at work until it is killed, and the audit of what
//! the next one finds.

use tidewire::{Acks, Client, Error, FetchOptions, Producer, Record};
use tidewire_checker::Digest;

use crate::history::{History, digest};
use crate::rng::Rng;

/// The topic that everything happens in.
pub const TOPIC: &str = "t";
/// Its partitions.
pub const PARTITIONS: u32 = 4;

/// Who works during a life.
pub struct Cast {
    /// Told apart in values and in the history.
    pub life: u64,
    pub producers: u64,
    pub readers: u64,
    pub seed: u64,
}

/// Starts everyone; they end when the server does.
pub fn begin(url: &str, cast: &Cast, history: &History) -> Vec<tokio::task::JoinHandle<()>> {
    let mut rng = Rng::new(cast.seed);
    let mut tasks = Vec::new();
    for number in 0..cast.producers {
        let producer = cast.life << 8 | number;
        let worker = Worker { producer, rng: Rng::new(rng.next()), history: history.clone() };
        let url = url.to_owned();
        tasks.push(tokio::spawn(async move {
            // The server may be gone at any moment.
            let _ = worker.produce(&url).await;
        }));
    }
    for number in 0..cast.readers {
        let partition = ((cast.life + number) % u64::from(PARTITIONS)) as u32;
        let (url, history) = (url.to_owned(), history.clone());
        tasks.push(tokio::spawn(async move {
            let _ = read_along(&url, partition, &history).await;
        }));
    }
    tasks
}

struct Worker {
    producer: u64,
    rng: Rng,
    history: History,
}

impl Worker {
    fn is_first(&self) -> bool {
        self.producer & 0xff == 0
    }

    async fn produce(mut self, url: &str) -> Result<(), Error> {
        let client = Client::connect(url).await?;
        let acks = [Acks::Synced, Acks::Written, Acks::Synced, Acks::None];
        // Somebody in each life waits for answers.
        let acks = acks[if self.is_first() { 0 } else { self.rng.below(4) as usize }];
        let producer = client
            .producer(TOPIC)
            .acks(acks)
            .batch_records(1 + self.rng.below(64) as u32)
            .build()
            .await?;
        let mut place = 0;
        loop {
            self.burst(&producer, acks, &mut place).await?;
        }
    }

    /// Some records at once, and their acknowledgements.
    async fn burst(
        &mut self,
        producer: &Producer,
        acks: Acks,
        place: &mut u64,
    ) -> Result<(), Error> {
        let mut tickets = Vec::new();
        for _ in 0..1 + self.rng.below(30) {
            let mut value = format!("{}/{place}/", self.producer).into_bytes();
            let largest = if self.rng.one_in(20) { 20_000 } else { 1500 };
            let filler = self.rng.below(largest);
            value.resize(value.len() + filler as usize, (*place % 251) as u8);
            let partition = self.rng.below(u64::from(PARTITIONS)) as u32;
            let of = digest(Some(&value));
            let send = self.history.sent(partition, self.producer, *place, acks, of);
            *place += 1;
            let record = Record::new(value).partition(partition);
            match producer.enqueue(record) {
                Ok(ticket) => tickets.push((send, partition, of, ticket)),
                Err(refused) => return Err(refused.into_parts().0),
            }
        }
        producer.flush().await?;
        for (send, partition, of, ticket) in tickets {
            let receipt = ticket.await?;
            self.history.acknowledged(send, partition, receipt.acks, receipt.offset, of);
        }
        Ok(())
    }
}

/// Reads a partition from its start as it grows.
async fn read_along(url: &str, partition: u32, history: &History) -> Result<(), Error> {
    let client = Client::connect(url).await?;
    let mut next = 0;
    let reader = history.subscribed(partition, next);
    let options = FetchOptions::default().min_bytes(1).max_wait_ms(1000);
    loop {
        let fetched = client.fetch(TOPIC, partition, next, options).await?;
        for batch in &fetched.batches {
            let records: Vec<Digest> =
                batch.iter().map(|record| digest(record.value())).collect();
            history.read(reader, partition, batch.base_offset(), records);
        }
        next = fetched.next_offset;
    }
}

/// Reads the whole of every partition, and has the history judge it.
pub async fn audit(url: &str, history: &History) -> Result<(), String> {
    let client = Client::connect(url).await.map_err(|error| error.to_string())?;
    for partition in 0..PARTITIONS {
        let whole = read_whole(&client, partition).await;
        let (start, records) = whole.map_err(|error| format!("[{partition}]: {error}"))?;
        let end = start + records.len() as u64;
        history.audited(partition, start, records);
        // Whatever a start found is on the disk when it is served.
        history.durable(partition, end);
    }
    Ok(())
}

/// Everything in a partition that can be read.
pub async fn read_whole(client: &Client, partition: u32) -> Result<(u64, Vec<Digest>), Error> {
    let mut records = Vec::new();
    let (result, start) = read_until_error(client, partition, &mut records).await;
    result.map(|()| (start, records))
}

/// Reads a partition until its end or an error, into `records`.
pub async fn read_until_error(
    client: &Client,
    partition: u32,
    records: &mut Vec<Digest>,
) -> (Result<(), Error>, u64) {
    let options = FetchOptions::default().max_bytes(4 << 20);
    let mut next = 0;
    loop {
        match client.fetch(TOPIC, partition, next, options).await {
            Ok(fetched) => {
                for batch in &fetched.batches {
                    records.extend(batch.iter().map(|record| digest(record.value())));
                }
                if fetched.batches.is_empty() && next >= fetched.end_offset {
                    return (Ok(()), fetched.start_offset);
                }
                next = fetched.next_offset;
            }
            Err(error) => return (Err(error), 0),
        }
    }
}
