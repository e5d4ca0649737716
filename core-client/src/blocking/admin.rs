//! Streams, topics, groups and offsets, waited for.
//!
//! Owns nothing: each call is the asynchronous client's of the same name, with its errors.

use std::time::Duration;

use super::Client;
use crate::error::Error;
use crate::{
    CommittedOffset, FetchOptions, Fetched, Grant, GroupDescription, GroupInfo, LimitInfo,
    NewToken, PartitionInfo, ProducerInfo, Secret, Start, StreamInfo, TokenInfo, TopicConfig,
    TopicInfo, UserDescription, UserInfo,
};

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                #[doc = concat!(
                    "Those of [`Client::", stringify!($name), "`](crate::Client::",
                    stringify!($name), ")."
                )]
                pub fn $name(&self, $($arg: $type),*) -> Result<$out, Error> {
                    self.call(stringify!($name), |client| client.$name($($arg),*))
                }
            )*
        }
    };
}

calls! {
    /// Creates a stream.
    create_stream(name: &str) -> StreamInfo;
    /// Describes a stream.
    describe_stream(name: &str) -> StreamInfo;
    /// Deletes a stream; with its topics and their records if `with_topics`.
    delete_stream(name: &str, with_topics: bool) -> ();
    /// Lists all streams, by name.
    list_streams() -> Vec<StreamInfo>;
    /// Creates a topic.
    create_topic(topic: &str, config: TopicConfig) -> TopicInfo;
    /// Changes options of a topic.
    update_topic(topic: &str, config: TopicConfig) -> TopicInfo;
    /// Gives a topic more partitions; `partitions` is how many there are then.
    add_partitions(topic: &str, partitions: u32) -> TopicInfo;
    /// Describes a topic.
    describe_topic(topic: &str) -> TopicInfo;
    /// Lists all topics of a stream, by name.
    list_topics(stream: &str) -> Vec<TopicInfo>;
    /// Deletes a topic and its records.
    delete_topic(topic: &str) -> ();
    /// Deletes all records of a topic; offsets go on.
    purge_topic(topic: &str) -> ();
    /// Deletes all records of all topics of a stream; offsets go on.
    purge_stream(name: &str) -> ();
    /// Deletes the records of a partition below an offset; where the partition begins then.
    truncate(topic: &str, partition: u32, before: u64) -> u64;
    /// The limits that the server enforces.
    describe_limits() -> Vec<LimitInfo>;
    /// The named producers that a topic remembers.
    producers(topic: &str) -> Vec<ProducerInfo>;
    /// Has a topic forget a named producer.
    forget_producer(topic: &str, name: &str) -> ();
    /// The state of every partition of a topic, in order.
    partitions(topic: &str) -> Vec<PartitionInfo>;
    /// Reads batches of a partition from an offset on, without subscribing.
    fetch(topic: &str, partition: u32, offset: u64, options: FetchOptions) -> Fetched;
    /// Creates a group.
    create_group(group: &str) -> GroupInfo;
    /// Lists all groups and named consumers, by name.
    list_groups() -> Vec<GroupInfo>;
    /// Describes a group and its members.
    describe_group(group: &str) -> GroupDescription;
    /// Deletes a group and what it has stored.
    delete_group(group: &str) -> ();
    /// What a group, or a named consumer, has stored for each partition of a topic, in order.
    committed(group: &str, topic: &str) -> Vec<Option<CommittedOffset>>;
    /// Stores where a group goes on in partitions of a topic, all of them if `None`.
    reset_offsets(
        group: &str, topic: &str, partitions: Option<&[u32]>, to: Start, force: bool
    ) -> Vec<(u32, u64)>;
    /// Creates a user; without a password it logs in with tokens only.
    create_user(name: &str, password: Option<&Secret>, grants: &[Grant]) -> UserInfo;
    /// Deletes a user and its tokens, and ends its connections.
    delete_user(name: &str) -> ();
    /// Lets a user log in again, or keeps it out and ends its connections.
    enable_user(name: &str, enabled: bool) -> UserInfo;
    /// Changes a password: of the user that this client is if `user` is `None`.
    change_password(user: Option<&str>, password: &Secret) -> ();
    /// Describes a user: the one that this client is if `user` is `None`.
    describe_user(user: Option<&str>) -> UserDescription;
    /// Lists all users, by name.
    list_users() -> Vec<UserInfo>;
    /// Takes rights away from a user and then gives it others.
    change_grants(user: &str, revoke: &[Grant], grant: &[Grant]) -> Vec<Grant>;
    /// Creates a token: of the user that this client is if `user` is `None`.
    create_token(user: Option<&str>, name: &str, lifetime: Option<Duration>) -> NewToken;
    /// Lists the tokens of a user: of the one that this client is if `user` is `None`.
    list_tokens(user: Option<&str>) -> Vec<TokenInfo>;
    /// Deletes a token, and ends the connections that were made with it.
    delete_token(id: u64) -> ();
    /// Forgets what a group has stored for partitions of a topic, all of them if `None`.
    delete_offsets(group: &str, topic: &str, partitions: Option<&[u32]>) -> ();
}
