//! How a consumer is made: its options, and what has to be so before it gives its first record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tidewire_protocol::name::{TopicName, check_name};
use tidewire_protocol::options::consumer as defaults;
use tokio::sync::oneshot;

use super::ledger::{Identity, Ledger, Settings};
use super::{AutoCommit, Consumer, OnOutOfRange, Start, member, store};
use crate::client::{Client, topic_name};
use crate::error::{Code, Error};
use crate::options::option_by_name;

/// Options of a [`Consumer`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct ConsumerBuilder {
    client: Client,
    topics: Vec<String>,
    group: Option<String>,
    name: Option<String>,
    start: Option<Start>,
    partitions: Option<Vec<u32>>,
    start_at: Vec<(u32, u64)>,
    prefetch_bytes: Option<u32>,
    on_out_of_range: Option<OnOutOfRange>,
    member_name: Option<String>,
    session_timeout_ms: Option<u32>,
    rebalance_timeout_ms: Option<u32>,
    auto_commit: Option<AutoCommit>,
    auto_commit_interval_ms: Option<u32>,
}

impl ConsumerBuilder {
    pub(crate) fn new(client: Client, topic: &str) -> Self {
        Self {
            client,
            topics: vec![topic.to_owned()],
            group: None,
            name: None,
            start: None,
            partitions: None,
            start_at: Vec::new(),
            prefetch_bytes: None,
            on_out_of_range: None,
            member_name: None,
            session_timeout_ms: None,
            rebalance_timeout_ms: None,
            auto_commit: None,
            auto_commit_interval_ms: None,
        }
    }

    /// A further topic to read, `stream/topic`.
    pub fn topic(mut self, topic: &str) -> Self {
        self.topics.push(topic.to_owned());
        self
    }

    /// Reads as a member of a group: the group's members divide the partitions, and how far they
    /// are is stored under its name.
    pub fn group(mut self, group: &str) -> Self {
        self.group = Some(group.to_owned());
        self
    }

    /// Stores how far it is under a name of its own, and goes on there, without dividing anything
    /// with anybody. To the server it is a group without members: a group of the same name has to
    /// be empty. Two consumers with one name at a time both read everything; what is stored is
    /// the higher of their offsets.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Where to begin, in partitions for which nothing is stored; at their end if not set.
    pub fn start(mut self, start: Start) -> Self {
        self.start = Some(start);
        self
    }

    /// Which partitions; all of them if not set. For a consumer of one topic, not in a group.
    pub fn partitions(mut self, partitions: impl IntoIterator<Item = u32>) -> Self {
        self.partitions = Some(partitions.into_iter().collect());
        self
    }

    /// Where to begin in one partition, unless something is stored. For a consumer of one topic,
    /// not in a group.
    pub fn start_at(mut self, partition: u32, offset: u64) -> Self {
        self.start_at.push((partition, offset));
        self
    }

    /// Bound of the batches that were delivered but not yet taken, over all partitions, in bytes.
    pub fn prefetch_bytes(mut self, prefetch_bytes: u32) -> Self {
        self.prefetch_bytes = Some(prefetch_bytes);
        self
    }

    /// What to do when records were deleted before they were read.
    pub fn on_out_of_range(mut self, on_out_of_range: OnOutOfRange) -> Self {
        self.on_out_of_range = Some(on_out_of_range);
        self
    }

    /// A name that keeps the member's place in its group: a program that is restarted within the
    /// session timeout gets its partitions back, and nothing moves. Unique in the group: a second
    /// member with it takes the place of the first.
    pub fn member_name(mut self, name: &str) -> Self {
        self.member_name = Some(name.to_owned());
        self
    }

    /// How long the group waits for a member whose connection is lost, in milliseconds.
    pub fn session_timeout_ms(mut self, session_timeout_ms: u32) -> Self {
        self.session_timeout_ms = Some(session_timeout_ms);
        self
    }

    /// How long the group waits for a member to let go of a partition, in milliseconds: longer
    /// than the work on a batch takes.
    pub fn rebalance_timeout_ms(mut self, rebalance_timeout_ms: u32) -> Self {
        self.rebalance_timeout_ms = Some(rebalance_timeout_ms);
        self
    }

    /// When offsets are stored without being asked; never if not set.
    pub fn auto_commit(mut self, auto_commit: AutoCommit) -> Self {
        self.auto_commit = Some(auto_commit);
        self
    }

    /// How often [`AutoCommit::Interval`] stores, in milliseconds.
    pub fn auto_commit_interval_ms(mut self, auto_commit_interval_ms: u32) -> Self {
        self.auto_commit_interval_ms = Some(auto_commit_interval_ms);
        self
    }

    option_by_name!(Consumer: start, prefetch_bytes, on_out_of_range, member_name,
        session_timeout_ms, rebalance_timeout_ms, auto_commit, auto_commit_interval_ms);

    /// Subscribes, or joins the group.
    ///
    /// # Errors
    /// `TOPIC_NOT_FOUND`, `STREAM_NOT_FOUND`, `PARTITION_NOT_FOUND`; `OFFSET_OUT_OF_RANGE`, with
    /// the offsets that there are in [`Error::offsets`]; `TOO_MANY_CHANNELS`, `INVALID_OPTION`,
    /// `INVALID_NAME`; `INVALID_ARGUMENT` for options that contradict each other. With a group
    /// `GROUP_FULL` and `TOO_MANY_GROUPS`, with a name `GROUP_NOT_EMPTY`.
    pub async fn build(self) -> Result<Consumer, Error> {
        self.check()?;
        let settings = self.settings()?;
        let ledger = Ledger::new(self.client.clone(), settings);
        // Closes it, and with it all that serves it, if this future is dropped half-way.
        let consumer = Consumer { ledger: Arc::clone(&ledger), current: None };
        match &ledger.settings.identity {
            Identity::Group(_) => {
                let (joined, first) = oneshot::channel();
                tokio::spawn(member::run(Arc::clone(&ledger), joined));
                let joined = async {
                    // It is dropped only with the client.
                    first.await.unwrap_or_else(|_| Err(Error::new(Code::CLOSED, "closed")))
                };
                self.in_time("the group could not be joined", joined).await?;
            }
            Identity::Name(name) => {
                check_alone(&self.client, name).await?;
                self.begin(&ledger, Some(name)).await?;
                tokio::spawn(store::run(Arc::clone(&ledger)));
            }
            Identity::None => {
                self.begin(&ledger, None).await?;
                drop(ledger.leaving());
            }
        }
        Ok(consumer)
    }

    fn settings(&self) -> Result<Settings, Error> {
        let mut topics = Vec::new();
        for topic in &self.topics {
            let topic = topic_name(topic)?;
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        let identity = match (&self.group, &self.name) {
            (Some(group), _) => Identity::Group(group.clone()),
            (None, Some(name)) => Identity::Name(name.clone()),
            (None, None) => Identity::None,
        };
        let options = &self.client.settings;
        let number = |name, given, default| options.number::<u32>(name, given, default);
        let prefetch_bytes =
            number("prefetch_bytes", self.prefetch_bytes, defaults::PREFETCH_BYTES)?;
        let member_name =
            options.text("member_name", self.member_name.clone(), defaults::MEMBER_NAME);
        if !member_name.is_empty() {
            check_name("member", &member_name)?;
        }
        Ok(Settings {
            identity,
            member_name,
            session_timeout_ms: number(
                "session_timeout_ms",
                self.session_timeout_ms,
                defaults::SESSION_TIMEOUT_MS,
            )?,
            rebalance_timeout_ms: number(
                "rebalance_timeout_ms",
                self.rebalance_timeout_ms,
                defaults::REBALANCE_TIMEOUT_MS,
            )?,
            auto_commit: options.auto_commit(self.auto_commit),
            auto_commit_interval_ms: number(
                "auto_commit_interval_ms",
                self.auto_commit_interval_ms,
                defaults::AUTO_COMMIT_INTERVAL_MS,
            )?,
            prefetch_bytes: prefetch_bytes / u32::try_from(topics.len()).unwrap_or(u32::MAX),
            start: options.start(self.start),
            on_out_of_range: options.on_out_of_range(self.on_out_of_range),
            topics,
        })
    }

    /// What contradicts itself is refused, not guessed at.
    fn check(&self) -> Result<(), Error> {
        let refuse = |text: &str| Err(Error::new(Code::INVALID_ARGUMENT, text));
        match (&self.group, &self.name) {
            (Some(_), Some(_)) => return refuse("a consumer has either a group or a name"),
            (Some(group), None) => check_name("group", group)?,
            (None, Some(name)) => check_name("consumer", name)?,
            (None, None) => {}
        }
        let chooses = self.partitions.is_some() || !self.start_at.is_empty();
        if chooses && self.group.is_some() {
            return refuse(
                "partitions and start_at are not for a group: it divides them itself",
            );
        }
        if chooses && self.topics.len() > 1 {
            return refuse("partitions and start_at are for a consumer of one topic");
        }
        let member = self.member_name.is_some()
            || self.session_timeout_ms.is_some()
            || self.rebalance_timeout_ms.is_some();
        if member && self.group.is_none() {
            return refuse(
                "member_name, session_timeout_ms and rebalance_timeout_ms are for a group",
            );
        }
        let stores = self.auto_commit.is_some_and(|auto| auto != AutoCommit::Off);
        if stores && self.group.is_none() && self.name.is_none() {
            return refuse("auto_commit needs a group or a name to store offsets under");
        }
        Ok(())
    }

    /// Subscribes to what the consumer chose, and waits until all of it is.
    async fn begin(&self, ledger: &Ledger, name: Option<&str>) -> Result<(), Error> {
        let starts: BTreeMap<u32, u64> = self.start_at.iter().copied().collect();
        for topic in &ledger.settings.topics {
            let info = self.client.describe_topic(&topic.to_string()).await?;
            let chosen = choose(topic, info.partitions, self.partitions.as_deref(), &starts)?;
            let stored = match name {
                Some(name) => self.stored(name, topic, &chosen).await?,
                None => vec![None; chosen.len()],
            };
            for (partition, stored) in chosen.into_iter().zip(stored) {
                let at = starts.get(&partition).map(|&offset| Start::Offset(offset));
                let from = at.unwrap_or(ledger.settings.start);
                ledger.read(topic, info.id, partition, from, stored);
            }
        }
        let text = format!("{} could not be subscribed to", self.topics.join(", "));
        self.in_time(&text, ledger.settled()).await
    }

    async fn stored(
        &self,
        name: &str,
        topic: &TopicName,
        partitions: &[u32],
    ) -> Result<Vec<Option<u64>>, Error> {
        match self.client.committed_of(name, topic, partitions).await {
            Ok(found) => Ok(found.into_iter().map(|found| Some(found?.offset)).collect()),
            Err(error) if error.code() == Code::GROUP_NOT_FOUND => {
                Ok(vec![None; partitions.len()])
            }
            Err(error) => Err(error),
        }
    }

    async fn in_time(
        &self,
        what: &str,
        begun: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        let timeout_ms = self.client.link.request_timeout_ms();
        let limit = Duration::from_millis(u64::from(timeout_ms));
        tokio::time::timeout(limit, begun).await.unwrap_or_else(|_| {
            Err(Error::new(Code::TIMEOUT, format!("{what} within {timeout_ms} ms")))
        })
    }
}

/// A name that stores offsets is not that of a group at work.
async fn check_alone(client: &Client, name: &str) -> Result<(), Error> {
    match client.describe_group(name).await {
        Ok(group) if !group.members.is_empty() => Err(Error::new(
            Code::GROUP_NOT_EMPTY,
            format!(
                "\"{name}\" is a group with {} members: a consumer with a name of its own stores \
                 under a name that no group uses",
                group.members.len()
            ),
        )),
        Ok(_) => Ok(()),
        Err(error) if error.code() == Code::GROUP_NOT_FOUND => Ok(()),
        Err(error) => Err(error),
    }
}

/// The partitions to subscribe to, in order.
fn choose(
    topic: &TopicName,
    count: u32,
    chosen: Option<&[u32]>,
    starts: &BTreeMap<u32, u64>,
) -> Result<Vec<u32>, Error> {
    let partitions: BTreeSet<u32> =
        chosen.map_or_else(|| (0..count).collect(), |chosen| chosen.iter().copied().collect());
    if let Some(&last) = partitions.last()
        && last >= count
    {
        return Err(Error::new(
            Code::PARTITION_NOT_FOUND,
            format!("partition {last} of {topic} does not exist: it has {count}, from 0"),
        ));
    }
    if partitions.is_empty() {
        let text = format!("a consumer of {topic} was given no partitions");
        return Err(Error::new(Code::INVALID_ARGUMENT, text));
    }
    if let Some(other) = starts.keys().find(|&partition| !partitions.contains(partition)) {
        return Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!("start_at names partition {other} of {topic}, which is not consumed"),
        ));
    }
    Ok(partitions.into_iter().collect())
}
