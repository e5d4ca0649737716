//! A round: start, audit, work, kill; and what a round may have besides.
//!
//! The one invariant: whatever happened in a round, the next audit sees the whole log and judges
//! it by the whole history of the data directory.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidewire::{Client, TopicConfig};

use crate::damage::{Damage, Segments};
use crate::history::{Counts, History};
use crate::keys::KeyFile;
use crate::life::{self, Cast, PARTITIONS, TOPIC};
use crate::rng::Rng;
use crate::server::{Binary, PATIENCE, Server};

/// Largest segment, in bytes: the smallest that is allowed, so that logs roll.
const SEGMENT_BYTES: u64 = 1 << 20;

/// Time that clients have to take in what arrived before the server died.
const LAST_WORDS: Duration = Duration::from_millis(60);

/// A data directory over several rounds.
pub struct World {
    binary: Binary,
    dir: tempfile::TempDir,
    topic: u64,
    history: History,
    lives: u64,
    /// Of a data directory that is encrypted.
    keys: Option<KeyFile>,
}

/// What a round did besides killing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras {
    /// Ends of files that were cut or flipped.
    pub cuts: u64,
    /// Acknowledged bytes that were flipped, and noticed.
    pub flips: u64,
    /// Backups taken under load, and checked.
    pub backups: u64,
    /// Doctors that were asked.
    pub doctors: u64,
    /// Keys that segments were encrypted with.
    pub keys: u64,
    /// Segments that were encrypted in the end.
    pub sealed: u64,
}

impl World {
    /// A new data directory; one that is to be encrypted gets its first key later.
    pub async fn new(binary: &Binary, at_rest: bool) -> Result<Self, String> {
        let dir = tempfile::Builder::new()
            .prefix("tidewire-torture-")
            .tempdir()
            .map_err(|error| error.to_string())?;
        let keys = at_rest.then(|| KeyFile::new(dir.path().join("keys")));
        let mut world = Self {
            binary: binary.clone(),
            keys,
            dir,
            topic: 0,
            history: History::default(),
            lives: 0,
        };
        let server = world.serve()?;
        let client = connect(&server).await?;
        let config = TopicConfig::default().partitions(PARTITIONS).segment_bytes(SEGMENT_BYTES);
        let topic = client.create_topic(TOPIC, config).await;
        world.topic = topic.map_err(|error| error.to_string())?.id;
        server.stop()?;
        Ok(world)
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Leaves the files for whoever looks into a failure.
    pub fn keep(self) -> PathBuf {
        self.dir.keep()
    }

    fn key_file(&self) -> Option<&Path> {
        self.keys.as_ref().and_then(KeyFile::path)
    }

    fn serve(&self) -> Result<Server, String> {
        self.binary.serve(&self.data(), self.key_file())
    }

    /// Its segments, as whoever has the keys sees them.
    fn segments(&self, partition: u32) -> Segments {
        let keys = self.keys.as_ref().map(|file| file.keys().clone()).unwrap_or_default();
        Segments::new(&self.data(), self.topic, partition, keys)
    }

    /// Before the first or the second life of a directory that is to be encrypted there is a key,
    /// so that some have logs of before; later there are others now and then.
    fn change_key(&mut self, rng: &mut Rng) -> Result<(), String> {
        let Some(keys) = &mut self.keys else { return Ok(()) };
        let due =
            if keys.count() == 0 { self.lives > 1 || rng.one_in(2) } else { rng.one_in(6) };
        if due { keys.add(&self.binary) } else { Ok(()) }
    }

    /// One round, whose chances come from `seed`.
    pub async fn round(&mut self, seed: u64, extras: &mut Extras) -> Result<Counts, String> {
        let mut rng = Rng::new(seed);
        self.lives += 1;
        self.change_key(&mut rng)?;
        let server = self.serve()?;
        self.audited(life::audit(server.url(), &self.history).await, &server)?;
        let cast = Cast {
            life: self.lives,
            producers: 2 + rng.below(6),
            readers: rng.below(3),
            seed: rng.next(),
        };
        let tasks = life::begin(server.url(), &cast, &self.history);
        // Some lives end before anybody was answered, most in the middle of work: however long a
        // busy machine takes to come to that.
        if !rng.one_in(4) {
            self.work_until(1 + rng.below(100), &server).await?;
        }
        tokio::time::sleep(Duration::from_millis(5 + rng.below(250))).await;
        if rng.one_in(10) {
            self.back_up(extras).await?;
        }
        // A server that was asked to stop has synced everything: there is nothing to lose.
        let stopped = rng.one_in(8);
        if stopped {
            server.stop()?;
        } else {
            server.kill();
        }
        // What had arrived when the server died is still to be heard of. Then the clients go: left
        // alone, they would try to reconnect for minutes.
        tokio::time::sleep(LAST_WORDS).await;
        for task in tasks {
            task.abort();
            match task.await {
                Err(error) if error.is_panic() => {
                    return Err(format!("a client panicked: {error}"));
                }
                _ => {}
            }
        }
        self.history.killed();
        self.history.verdict()?;
        if rng.one_in(4) && !stopped {
            self.lose_power(&mut rng, extras);
        }
        if rng.one_in(6) {
            self.rot(&mut rng, extras).await?;
        }
        if rng.one_in(5) {
            self.ask_doctor(&self.data(), None)?;
            extras.doctors += 1;
        }
        self.history.verdict()
    }

    /// The last audit, after the last round.
    pub async fn finish(&self, extras: &mut Extras) -> Result<Counts, String> {
        let server = self.serve()?;
        self.audited(life::audit(server.url(), &self.history).await, &server)?;
        server.stop()?;
        self.ask_doctor(&self.data(), None)?;
        if let Some(keys) = &self.keys {
            let sealed: u64 = (0..PARTITIONS).map(|each| self.segments(each).sealed()).sum();
            if sealed == 0 && keys.count() > 0 {
                return Err("there is a key, and no segment is encrypted".to_owned());
            }
            extras.keys += u64::from(keys.count());
            extras.sealed += sealed;
        }
        self.history.verdict()
    }

    /// Waits until so many records more are acknowledged.
    async fn work_until(&self, records: u64, server: &Server) -> Result<(), String> {
        let wanted = self.history.verdict()?.acknowledged + records;
        let deadline = Instant::now() + PATIENCE;
        while self.history.verdict()?.acknowledged < wanted {
            if Instant::now() > deadline {
                let secs = PATIENCE.as_secs();
                let log = server.log();
                return Err(format!(
                    "{records} records were not acknowledged in {secs} s; the server's log:\n{log}"
                ));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    fn audited(&self, audited: Result<(), String>, server: &Server) -> Result<(), String> {
        let judged = audited.and_then(|()| self.history.verdict().map(drop));
        judged.map_err(|error| format!("{error}\nthe server's log:\n{}", server.log()))
    }

    fn lose_power(&self, rng: &mut Rng, extras: &mut Extras) {
        let partition = rng.below(u64::from(PARTITIONS)) as u32;
        let safe_end = self.history.safe_end(partition);
        if self.segments(partition).lose_power(safe_end, rng).is_some() {
            self.history.unsynced_lost(partition);
            extras.cuts += 1;
        }
    }

    /// A flipped bit in acknowledged bytes: nothing altered may be served, the doctor must name
    /// the place, and everything is back once the bit is.
    async fn rot(&self, rng: &mut Rng, extras: &mut Extras) -> Result<(), String> {
        let partition = rng.below(u64::from(PARTITIONS)) as u32;
        let safe_end = self.history.safe_end(partition);
        // As recovery leaves it: a torn tail elsewhere must not be put back with the bit.
        self.serve()?.stop()?;
        let Some(damage) = self.segments(partition).rot(safe_end, rng) else {
            return Ok(());
        };
        let server = self.serve()?;
        let noticed = self.rot_is_noticed(&server, &damage).await;
        server.kill();
        noticed.map_err(|error| format!("{}: {error}", damage.what))?;
        self.ask_doctor(&self.data(), Some(partition))
            .map_err(|error| format!("{}: {error}", damage.what))?;
        damage.undo()?;
        self.ask_doctor(&self.data(), None)
            .map_err(|error| format!("{}, and back: {error}", damage.what))?;
        extras.flips += 1;
        Ok(())
    }

    async fn rot_is_noticed(&self, server: &Server, damage: &Damage) -> Result<(), String> {
        let client = connect(server).await?;
        for partition in 0..PARTITIONS {
            let mut records = Vec::new();
            let (result, _) = life::read_until_error(&client, partition, &mut records).await;
            let sent = self.history.everything_sent(partition);
            if let Some(at) = records.iter().position(|of| sent.binary_search(of).is_err()) {
                return Err(format!("[{partition}] served an altered record at {at}"));
            }
            match result {
                Ok(()) if partition == damage.partition => {
                    return Err(format!("[{partition}] was read to its end without an error"));
                }
                Err(error) if partition != damage.partition => {
                    return Err(format!("[{partition}], which is whole: {error}"));
                }
                Err(error) if records.len() as u64 != damage.offset => {
                    let (served, whole) = (records.len(), damage.offset);
                    return Err(format!("[{partition}] served {served} of {whole}: {error}"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Has the doctor look. `damaged` is the partition that it must find damage in, and in no
    /// other.
    fn ask_doctor(&self, data: &Path, damaged: Option<u32>) -> Result<(), String> {
        let path = data.to_string_lossy();
        let (code, stdout, stderr) =
            self.binary.run_with(&["doctor", &path, "--json"], self.key_file())?;
        let report: serde_json::Value = serde_json::from_str(&stdout)
            .map_err(|error| format!("doctor: {error}: {stdout}{stderr}"))?;
        let mut places: Vec<&str> = report["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|finding| finding["severity"] == "damage")
            .filter_map(|finding| finding["place"].as_str())
            .collect();
        places.dedup();
        let expected = damaged.map(|partition| format!("default/{TOPIC}[{partition}]"));
        let right = places == expected.iter().map(String::as_str).collect::<Vec<_>>();
        if right && (expected.is_none() || code == 1) {
            return Ok(());
        }
        Err(format!("doctor: expected damage in {expected:?}, exit code {code}: {stdout}"))
    }

    /// Copies the directory while the server works, and holds the copy against what was
    /// acknowledged before.
    async fn back_up(&self, extras: &mut Extras) -> Result<(), String> {
        let synced = self.history.synced();
        let out = tempfile::Builder::new()
            .prefix("tidewire-torture-copy-")
            .tempdir()
            .map_err(|error| error.to_string())?;
        let (from, to) = (self.data(), out.path().join("copy"));
        let (binary, to_) = (self.binary.clone(), to.clone());
        let keys = self.key_file().map(Path::to_owned);
        let backup = tokio::task::spawn_blocking(move || {
            let arguments = ["backup", &from.to_string_lossy(), &to_.to_string_lossy()];
            binary.run_with(&arguments, keys.as_deref())
        });
        let (code, stdout, stderr) = backup.await.map_err(|error| error.to_string())??;
        if code != 0 {
            return Err(format!("backup ended with {code}: {stdout}{stderr}"));
        }
        let doctor = ["doctor", &to.to_string_lossy()];
        let (code, stdout, stderr) = self.binary.run_with(&doctor, self.key_file())?;
        if code != 0 {
            return Err(format!("the doctor does not like the backup: {stdout}{stderr}"));
        }
        let server = self.binary.serve(&to, self.key_file())?;
        let client = connect(&server).await?;
        for partition in 0..PARTITIONS {
            let whole = life::read_whole(&client, partition).await;
            let (start, records) =
                whole.map_err(|error| format!("the backup's [{partition}]: {error}"))?;
            let sent = self.history.everything_sent(partition);
            if let Some(at) = records.iter().position(|of| sent.binary_search(of).is_err()) {
                return Err(format!("the backup's [{partition}] is altered at {at}"));
            }
            for ((_, offset), of) in synced.range((partition, 0)..(partition + 1, 0)) {
                let found = offset.checked_sub(start).and_then(|at| records.get(at as usize));
                if found != Some(of) {
                    return Err(format!(
                        "the backup's [{partition}] holds {found:?} at offset {offset}, \
                         acknowledged before it began was {of}; it is {start}..{}",
                        start + records.len() as u64
                    ));
                }
            }
        }
        server.stop()?;
        extras.backups += 1;
        Ok(())
    }
}

async fn connect(server: &Server) -> Result<Client, String> {
    Client::connect(server.url()).await.map_err(|error| error.to_string())
}
