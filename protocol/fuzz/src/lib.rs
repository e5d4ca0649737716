//! What is fuzzed, as functions of bytes: a target panics if a promise is broken.
//!
//! * `decode`: every decoder takes any bytes, and what it accepts it can write again.
//! * `batches`: batches, with their checksums made right so that the tables are reached.
//! * `connections`: both ends of a connection against any bytes, and against each other with
//!   any sequence of commands.
//! * `logins`: who comes in, whatever he sends.

mod batches;
mod connections;
mod decode;
mod families;
pub mod logins;

/// Longest input, in bytes.
pub const MAX_LEN: usize = 4_096;

/// A target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is also its corpus's.
    pub name: &'static str,
    /// Runs it once.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "preface", run: decode::preface },
    Target { name: "frame", run: decode::frame },
    Target { name: "connection_kinds", run: decode::connection_kinds },
    Target { name: "user_kinds", run: decode::user_kinds },
    Target { name: "topic_kinds", run: decode::topic_kinds },
    Target { name: "produce_kinds", run: decode::produce_kinds },
    Target { name: "consume_kinds", run: decode::consume_kinds },
    Target { name: "group_kinds", run: decode::group_kinds },
    Target { name: "statistic_kinds", run: decode::statistic_kinds },
    Target { name: "url", run: decode::url },
    Target { name: "batch", run: batches::batch },
    Target { name: "records", run: batches::records },
    Target { name: "decompression", run: batches::decompression },
    Target { name: "server_stream", run: connections::server_stream },
    Target { name: "client_stream", run: connections::client_stream },
    Target { name: "authentication", run: logins::authentication },
    Target { name: "commands", run: connections::commands },
];

/// The target called `name`.
pub fn find(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}
