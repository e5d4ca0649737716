//! Groups and stored offsets, from outside.
//!
//! Owns the layout of what the server tells of them, as [`admin`](crate::admin) does.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use tidewire::{GroupInfo, GroupMember, GroupPartition};

use crate::admin::{Show, give, give_all};
use crate::client::tw_client;
use crate::error::tw_error;
use crate::guard::{array, guard, place, text, tw_status, value};
use crate::lists::{Items, Texts, hand_out, take_back};
use crate::options::start as start_of;

/// A group.
#[repr(C)]
#[derive(Debug)]
pub struct tw_group_info {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Its name.
    pub name: *const c_char,
    /// When it was created, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// What it is doing: one of `TW_GROUPSTATE_…`.
    pub state: u32,
    /// Counts how often its partitions were divided anew.
    pub generation: u32,
    /// How many members it has.
    pub members: u32,
    /// How many partitions its members divide among them.
    pub partitions: u32,
    /// Of how many partitions it has stored offsets.
    pub offsets: u32,
    /// Zero.
    pub reserved: u32,
}

/// Groups, by name.
#[repr(C)]
#[derive(Debug)]
pub struct tw_groups {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_group_info,
}

/// A member of a group.
#[repr(C)]
#[derive(Debug)]
pub struct tw_group_member {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Its number, never used again in the group.
    pub member_id: u64,
    /// The name that keeps its place; empty if it has none.
    pub member_name: *const c_char,
    /// The name of its client.
    pub client_name: *const c_char,
    /// Where it is connected from; empty while it is away.
    pub address: *const c_char,
    /// Counts the instances that took this place.
    pub member_epoch: u32,
    /// Whether it has a connection: 1 or 0.
    pub connected: u32,
    /// How long it is waited for, in milliseconds.
    pub session_timeout_ms: u32,
    /// How long it may take to release a partition, in milliseconds.
    pub rebalance_timeout_ms: u32,
    /// How many partitions it has.
    pub partitions: u32,
    /// Zero.
    pub reserved: u32,
}

/// A partition that a group divides, or has an offset of.
#[repr(C)]
#[derive(Debug)]
pub struct tw_group_partition {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// The stream.
    pub stream: *const c_char,
    /// The topic.
    pub topic: *const c_char,
    /// The partition.
    pub partition: u32,
    /// Whether its member was asked to release it: 1 or 0.
    pub revoking: u32,
    /// The member that has it; 0 is nobody.
    pub member_id: u64,
    /// Offset of the next record to read, if `stored`.
    pub offset: u64,
    /// When it was stored, in microseconds since the Unix epoch.
    pub commit_us: i64,
    /// Whether there is an offset: 1 or 0.
    pub stored: u32,
    /// Zero.
    pub reserved: u32,
}

/// A group, its members and what they do.
#[repr(C)]
#[derive(Debug)]
pub struct tw_group_description {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// The group.
    pub info: *const tw_group_info,
    /// How many members.
    pub member_count: usize,
    /// Its members, by number.
    pub members: *const *const tw_group_member,
    /// How many partitions.
    pub partition_count: usize,
    /// Partitions that members read, or that have offsets, by stream, topic and number.
    pub partitions: *const *const tw_group_partition,
}

/// An offset that is stored for a partition.
#[repr(C)]
#[derive(Debug)]
pub struct tw_committed {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// The partition.
    pub partition: u32,
    /// Zero.
    pub reserved: u32,
    /// Offset of the next record to read.
    pub offset: u64,
    /// When it was stored, in microseconds since the Unix epoch; 0 if that was not told.
    pub commit_us: i64,
    /// What the consumer keeps beside it.
    pub note: *const c_char,
}

/// Stored offsets, by partition; those without one are left out.
#[repr(C)]
#[derive(Debug)]
pub struct tw_offsets {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_committed,
}

impl Show for GroupInfo {
    type Shown = tw_group_info;

    fn show(&self, texts: &mut Texts) -> tw_group_info {
        tw_group_info {
            size: size_of::<tw_group_info>(),
            name: texts.keep(&self.name),
            created_us: self.created_us,
            state: u32::from(u8::from(self.state)),
            generation: self.generation,
            members: self.members,
            partitions: self.partitions,
            offsets: self.offsets,
            reserved: 0,
        }
    }
}

impl Show for GroupMember {
    type Shown = tw_group_member;

    fn show(&self, texts: &mut Texts) -> tw_group_member {
        tw_group_member {
            size: size_of::<tw_group_member>(),
            member_id: self.member_id,
            member_name: texts.keep(&self.member_name),
            client_name: texts.keep(&self.client_name),
            address: texts.keep(&self.address),
            member_epoch: self.member_epoch,
            connected: self.connected.into(),
            session_timeout_ms: self.session_timeout_ms,
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            partitions: self.partitions,
            reserved: 0,
        }
    }
}

impl Show for GroupPartition {
    type Shown = tw_group_partition;

    fn show(&self, texts: &mut Texts) -> tw_group_partition {
        tw_group_partition {
            size: size_of::<tw_group_partition>(),
            stream: texts.keep(&self.stream),
            topic: texts.keep(&self.topic),
            partition: self.partition,
            revoking: self.revoking.into(),
            member_id: self.member_id,
            offset: self.offset,
            commit_us: self.commit_us,
            stored: self.stored.into(),
            reserved: 0,
        }
    }
}

/// A partition and what is stored for it.
struct Stored<'a>(u32, u64, i64, &'a str);

impl Show for Stored<'_> {
    type Shown = tw_committed;

    fn show(&self, texts: &mut Texts) -> tw_committed {
        tw_committed {
            size: size_of::<tw_committed>(),
            partition: self.0,
            reserved: 0,
            offset: self.1,
            commit_us: self.2,
            note: texts.keep(self.3),
        }
    }
}

/// Creates a group without members; joining one does so, too. `info` may be NULL; what it is given
/// is freed by `tw_group_info_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_create_group(
    client: Option<&tw_client>,
    group: *const c_char,
    info: Option<&mut MaybeUninit<*mut tw_group_info>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let group = unsafe { text(group, "group") }?;
        give(info, &value(client)?.client()?.create_group(group)?);
        Ok(())
    })
}

/// Lists all groups and named consumers. What `groups` is given is freed by `tw_groups_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_list_groups(
    client: Option<&tw_client>,
    groups: Option<&mut MaybeUninit<*mut tw_groups>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let all = value(client)?.client()?.list_groups()?;
        give_all(groups, &all, |count, items| tw_groups { count, items })?;
        Ok(())
    })
}

/// Describes a group, its members and partitions. What `description` is given is freed by
/// `tw_group_description_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_describe_group(
    client: Option<&tw_client>,
    group: *const c_char,
    description: Option<&mut MaybeUninit<*mut tw_group_description>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let group = unsafe { text(group, "group") }?;
        let out = place(description, "description")?;
        let found = value(client)?.client()?.describe_group(group)?;
        let mut texts = Texts::default();
        let info = Items::new([found.info.show(&mut texts)]);
        let members = Items::new(found.members.iter().map(|each| each.show(&mut texts)));
        let partitions = Items::new(found.partitions.iter().map(|each| each.show(&mut texts)));
        let shown = tw_group_description {
            size: size_of::<tw_group_description>(),
            // SAFETY: there is one.
            info: unsafe { *info.as_ptr() },
            member_count: members.len(),
            members: members.as_ptr(),
            partition_count: partitions.len(),
            partitions: partitions.as_ptr(),
        };
        out.write(hand_out(shown, (info, members, partitions, texts)));
        Ok(())
    })
}

/// Deletes a group without members, and what it has stored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_delete_group(
    client: Option<&tw_client>,
    group: *const c_char,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let group = unsafe { text(group, "group") }?;
        Ok(value(client)?.client()?.delete_group(group)?)
    })
}

/// What a group, or a named consumer, has stored for the partitions of a topic. What `offsets` is
/// given is freed by `tw_offsets_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_committed(
    client: Option<&tw_client>,
    group: *const c_char,
    topic: *const c_char,
    offsets: Option<&mut MaybeUninit<*mut tw_offsets>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (group, topic) = unsafe { (text(group, "group")?, text(topic, "topic")?) };
        let found = value(client)?.client()?.committed(group, topic)?;
        let stored: Vec<Stored<'_>> = (0..)
            .zip(&found)
            .filter_map(|(partition, it)| {
                let it = it.as_ref()?;
                Some(Stored(partition, it.offset, it.commit_us, &it.note))
            })
            .collect();
        give_all(offsets, &stored, |count, items| tw_offsets { count, items })?;
        Ok(())
    })
}

/// Sets where a group goes on in partitions of a topic, also backwards: `partition_count` of them,
/// or all if `partitions` is NULL. The place is one of `TW_START_…`, with `start_at` beside it; of
/// an offset the nearest that there is. With `force` also while the group has members, which go to
/// the new place. `offsets` may be NULL; what it is given, the places themselves, is freed by
/// `tw_offsets_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_reset_offsets(
    client: Option<&tw_client>,
    group: *const c_char,
    topic: *const c_char,
    partitions: *const u32,
    partition_count: usize,
    start: u32,
    start_at: u64,
    force: bool,
    offsets: Option<&mut MaybeUninit<*mut tw_offsets>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (group, topic, of) = unsafe {
            let of = array(partitions, partition_count, "partitions")?;
            (text(group, "group")?, text(topic, "topic")?, of)
        };
        let of = (!partitions.is_null()).then_some(of);
        let to = start_of(start, start_at)?;
        let set = value(client)?.client()?.reset_offsets(group, topic, of, to, force)?;
        if offsets.is_some() {
            let set: Vec<Stored<'_>> =
                set.iter().map(|&(partition, at)| Stored(partition, at, 0, "")).collect();
            give_all(offsets, &set, |count, items| tw_offsets { count, items })?;
        }
        Ok(())
    })
}

/// Forgets what a group has stored for partitions of a topic: `partition_count` of them, or all if
/// `partitions` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_delete_offsets(
    client: Option<&tw_client>,
    group: *const c_char,
    topic: *const c_char,
    partitions: *const u32,
    partition_count: usize,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        // SAFETY: as the header says.
        let (group, topic, of) = unsafe {
            let of = array(partitions, partition_count, "partitions")?;
            (text(group, "group")?, text(topic, "topic")?, of)
        };
        let of = (!partitions.is_null()).then_some(of);
        Ok(value(client)?.client()?.delete_offsets(group, topic, of)?)
    })
}

/// Frees what describes a group in short. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_group_info_free(info: *mut tw_group_info) {
    // SAFETY: as the header says.
    unsafe { take_back(info) }
}

/// Frees a list of groups. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_groups_free(groups: *mut tw_groups) {
    // SAFETY: as the header says.
    unsafe { take_back(groups) }
}

/// Frees what describes a group. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_group_description_free(description: *mut tw_group_description) {
    // SAFETY: as the header says.
    unsafe { take_back(description) }
}

/// Frees a list of offsets. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_offsets_free(offsets: *mut tw_offsets) {
    // SAFETY: as the header says.
    unsafe { take_back(offsets) }
}
