//! The member's task: joins, carries out what the group says, releases, stores on an interval.
//!
//! Sleeps while there is nothing to do. The invariant: a partition is released only after it is
//! shown no more and what was done of it is stored.

use std::sync::Arc;
use std::time::Duration;

use tidewire_protocol::message::{
    GroupEvent, GroupJoin, GroupLeave, GroupRelease, PartitionRef, TopicRef,
};
use tidewire_protocol::session::{Change, Fate, Key, Member};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::TopicPartition;
use super::ledger::{Ledger, part};
use super::store::{Plan, store_last};
use crate::connection::{Connection, Route};
use crate::error::Error;
use crate::events::Event;
use crate::link::{Status, random_seed};

/// What arrived on the membership's channel.
enum Told {
    Event(u32, GroupEvent),
    Ended(u32, Error),
}

struct Ear(mpsc::UnboundedSender<Told>);

impl Route for Ear {
    fn deliver(&self, _channel: u32, _end_offset: u64, _payload: bytes::Bytes) {}

    fn group_event(&self, channel: u32, event: GroupEvent) {
        // A task that is gone listens no more. The server bounds what it sends unread.
        let _ = self.0.send(Told::Event(channel, event));
    }

    fn ended(&self, channel: u32, error: Error) {
        let _ = self.0.send(Told::Ended(channel, error));
    }

    fn cut(&self, _channel: u32) {
        // The task learns of it from the link.
    }
}

struct Task {
    ledger: Arc<Ledger>,
    member: Member,
    connection: Option<Arc<Connection>>,
    channel: u32,
    ear: Arc<Ear>,
    joined: Option<oneshot::Sender<Result<(), Error>>>,
    /// To be released, and when at the latest.
    leaving: Vec<(Key, Instant)>,
    plan: Plan,
}

/// Runs until the consumer is closed or the membership is over.
pub(super) async fn run(ledger: Arc<Ledger>, joined: oneshot::Sender<Result<(), Error>>) {
    let _left = ledger.leaving();
    let link = Arc::clone(&ledger.client.link);
    let (sender, mut told) = mpsc::unbounded_channel();
    let mut task = Task {
        member: Member::new(random_seed()),
        connection: None,
        channel: 0,
        ear: Arc::new(Ear(sender)),
        joined: Some(joined),
        leaving: Vec::new(),
        plan: Plan::default(),
        ledger,
    };
    let mut status = link.status();
    loop {
        let now = status.borrow_and_update().clone();
        match now {
            Status::Up(connection) => task.set_connection(Some(connection)),
            Status::Down(_) => task.set_connection(None),
            Status::Over(error) => return task.end(error),
        }
        if task.ledger.is_closed() {
            return task.leave().await;
        }
        if !task.join().await {
            return;
        }
        task.release().await;
        task.plan.run(&task.ledger).await;
        let wake = task.deadline();
        let sleep = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = task.ledger.work.notified() => {}
            _ = status.changed() => {}
            () = sleep => {}
            Some(told) = told.recv() => if !task.hear(told) { return },
        }
    }
}

impl Task {
    fn set_connection(&mut self, connection: Option<Arc<Connection>>) {
        let same = match (&self.connection, &connection) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.member.handle_disconnected();
            self.connection = connection;
            // What was asked back is asked back again, if it still is.
            self.leaving.clear();
        }
    }

    /// Joins, if that is due; false if the membership is over.
    async fn join(&mut self) -> bool {
        let link = Arc::clone(&self.ledger.client.link);
        let Some(connection) = self.connection.clone() else { return true };
        let Some((member_id, member_epoch)) = self.member.poll_join(link.now()) else {
            return true;
        };
        let settings = &self.ledger.settings;
        let topics = settings.topics.iter().map(|topic| TopicRef {
            stream: topic.stream().to_owned(),
            topic: topic.topic().to_owned(),
        });
        let request = GroupJoin {
            group: self.ledger.group().unwrap_or_default().to_owned(),
            member_id,
            member_epoch,
            member_name: settings.member_name.clone(),
            session_timeout_ms: settings.session_timeout_ms,
            rebalance_timeout_ms: settings.rebalance_timeout_ms,
            topics: topics.collect(),
        };
        // A channel of its own for each try: a late event of another is never in doubt.
        self.channel = link.new_channel();
        connection.add_route(self.channel, Arc::clone(&self.ear) as Arc<dyn Route>);
        match connection.request(self.channel, &request).await {
            Ok(reply) => {
                self.member.handle_joined(reply.member_id, reply.member_epoch);
                self.ledger.set_place((reply.member_id, reply.member_epoch));
                // From now on it is waited for, should the connection be lost.
                let confirm = GroupRelease { partitions: Vec::new() };
                connection.request_and_forget(self.channel, confirm);
                if let Some(joined) = self.joined.take() {
                    let _ = joined.send(Ok(()));
                }
                true
            }
            Err(error) => {
                connection.remove_route(self.channel);
                if error.is_outcome_unknown() {
                    // It may have joined without knowing its number.
                    connection.request_and_forget(self.channel, GroupLeave { keep: false });
                }
                self.handle_error(error)
            }
        }
    }

    /// False if the membership is over.
    fn hear(&mut self, told: Told) -> bool {
        match told {
            Told::Event(channel, event) if channel == self.channel => {
                let changes = self.member.handle_event(event);
                self.carry_out(changes);
                true
            }
            Told::Ended(channel, error) if channel == self.channel => self.handle_error(error),
            Told::Event(..) | Told::Ended(..) => true,
        }
    }

    fn handle_error(&mut self, error: Error) -> bool {
        let wire = tidewire_protocol::error::Error {
            disposition: error.disposition(),
            ..tidewire_protocol::error::Error::new(error.code(), String::new())
        };
        tracing::debug!(group = self.ledger.group(), %error, "not a member");
        match self.member.handle_ended(self.ledger.client.link.now(), &wire) {
            Fate::Again(lost) => {
                self.carry_out(lost);
                true
            }
            Fate::Ended(lost) => {
                self.carry_out(lost);
                self.end(error);
                false
            }
        }
    }

    fn end(&mut self, error: Error) {
        if let Some(joined) = self.joined.take() {
            let _ = joined.send(Err(error.clone()));
        }
        self.ledger.set_over(error);
    }

    fn carry_out(&mut self, changes: Vec<Change>) {
        let (mut assigned, mut revoked, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        let patience = self.ledger.settings.rebalance_timeout_ms / 4 * 3;
        let by = Instant::now() + Duration::from_millis(u64::from(patience));
        for change in changes {
            match change {
                Change::Assigned { key, topic_id, offset } => {
                    assigned.push(part(&key));
                    self.leaving.retain(|(other, _)| *other != key);
                    self.ledger.assign(key, topic_id, offset);
                }
                Change::Kept { key, offset } => self.ledger.keep(&key, offset),
                Change::Revoked(key) => {
                    revoked.push(part(&key));
                    self.ledger.revoke(&key);
                    self.leaving.push((key, by));
                }
                Change::Lost(key) => {
                    lost.push(part(&key));
                    self.leaving.retain(|(other, _)| *other != key);
                    self.ledger.drop_partition(&key);
                }
            }
        }
        let group = self.ledger.group().unwrap_or_default();
        let events = self.ledger.client.link.events();
        let tell = |partitions: Vec<TopicPartition>, made: fn(String, Vec<_>) -> Event| {
            if !partitions.is_empty() {
                events.tell(|| made(group.to_owned(), partitions));
            }
        };
        tell(lost, |group, partitions| Event::PartitionsLost { group, partitions });
        tell(revoked, |group, partitions| Event::PartitionsRevoked { group, partitions });
        tell(assigned, |group, partitions| Event::PartitionsAssigned { group, partitions });
    }

    /// Releases what the application is done with, or what it had long enough.
    async fn release(&mut self) {
        let now = Instant::now();
        let (ready, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.leaving)
            .into_iter()
            .partition(|(key, by)| *by <= now || self.ledger.is_done(key));
        self.leaving = rest;
        let Some(connection) = self.connection.clone().filter(|_| !ready.is_empty()) else {
            return;
        };
        let mut partitions = Vec::new();
        for (key, _) in ready {
            store_last(&self.ledger, Some(&key)).await;
            self.member.released(&key);
            self.ledger.drop_partition(&key);
            let (stream, topic, partition) = key;
            partitions.push(PartitionRef { stream, topic, partition });
        }
        for part in partitions.chunks(64) {
            let request = GroupRelease { partitions: part.to_vec() };
            // If the connection is lost, they are asked back again on the next one.
            if let Err(error) = connection.request(self.channel, &request).await {
                tracing::debug!(%error, "not released");
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let link = &self.ledger.client.link;
        let join = self.connection.as_ref().and(self.member.poll_timeout());
        let leaving = self.leaving.iter().map(|(_, by)| *by);
        leaving.chain(self.plan.deadline()).chain(join.map(|at| link.instant(at))).min()
    }

    async fn leave(&mut self) {
        if self.member.is_joined() {
            store_last(&self.ledger, None).await;
        }
        let keep = !self.ledger.settings.member_name.is_empty();
        if let Some(connection) = &self.connection
            && self.member.is_joined()
        {
            let _ = connection.request(self.channel, &GroupLeave { keep }).await;
            connection.remove_route(self.channel);
        }
    }
}
