//! What bindings of several languages need alike: for those of this repository, and none of what
//! the crate promises.
//!
//! Owns when a thread looks for an answer before it sleeps ([`Look`]), and the two forms in which records cross without a call for each: a [`chunk`](push_chunk) on
//! their way in, a [head](head()) before a batch's columns on their way out. What crosses, and when,
//! is each binding's. The one invariant: neither form is ever stored or sent to another machine.

mod chunk;
mod head;

use tidewire_protocol::message::{Codec, GroupState};

pub use chunk::push_chunk;
pub use head::{HEAD_LEN, head, head_of_stored};

pub use crate::producer::now_us;
pub use crate::runtime::look::{Look, Looking};

/// The name of a codec as `protocol/spec` writes it; of one that this version does not know, its
/// number.
pub fn codec_name(codec: Codec) -> String {
    match codec {
        Codec::None => "none".to_owned(),
        Codec::Lz4 => "lz4".to_owned(),
        Codec::Zstd => "zstd".to_owned(),
        other => u8::from(other).to_string(),
    }
}

/// The name of a group's state; of one that this version does not know, its number.
pub fn group_state_name(state: GroupState) -> String {
    match state {
        GroupState::Empty => "empty".to_owned(),
        GroupState::Stable => "stable".to_owned(),
        GroupState::Rebalancing => "rebalancing".to_owned(),
        other => u8::from(other).to_string(),
    }
}
