//! What the server enforces.
//!
//! Owns the layout of a limit, as [`admin`](crate::admin) does that of a stream.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use tidewire::LimitInfo;

use crate::admin::{Show, give_all};
use crate::client::tw_client;
use crate::error::tw_error;
use crate::guard::{guard, tw_status, value};
use crate::lists::{Texts, take_back};

/// A limit that the server enforces.
#[repr(C)]
#[derive(Debug)]
pub struct tw_limit_info {
    /// Bytes that this version of the library fills.
    pub size: usize,
    /// Its name, in the server's configuration or in the protocol.
    pub name: *const c_char,
    /// How much is allowed; 0 is no limit.
    pub value: u64,
    /// What is counted, such as `bytes`.
    pub unit: *const c_char,
    /// How much is used now, by who asks where it is a user's, an address's or a shard's; 0 where
    /// that is not counted, or not for this user to know.
    pub used: u64,
    /// Whether the server's configuration sets it, 1 or 0; otherwise the protocol does.
    pub configured: u32,
    /// Zero.
    pub reserved: u32,
}

/// Limits: first those that the server's configuration sets, then those of the protocol.
#[repr(C)]
#[derive(Debug)]
pub struct tw_limits {
    /// How many.
    pub count: usize,
    /// Pointers to them.
    pub items: *const *const tw_limit_info,
}

impl Show for LimitInfo {
    type Shown = tw_limit_info;

    fn show(&self, texts: &mut Texts) -> tw_limit_info {
        tw_limit_info {
            size: size_of::<tw_limit_info>(),
            name: texts.keep(&self.name),
            value: self.value,
            unit: texts.keep(&self.unit),
            used: self.used,
            configured: self.configured.into(),
            reserved: 0,
        }
    }
}

/// Lists the limits that the server enforces, and how much of them is used. What `limits` is given
/// is freed by `tw_limits_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_client_describe_limits(
    client: Option<&tw_client>,
    limits: Option<&mut MaybeUninit<*mut tw_limits>>,
    err: Option<&mut MaybeUninit<*mut tw_error>>,
) -> tw_status {
    guard(err, || {
        let all = value(client)?.client()?.describe_limits()?;
        give_all(limits, &all, |count, items| tw_limits { count, items })?;
        Ok(())
    })
}

/// Frees a list of limits. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tw_limits_free(limits: *mut tw_limits) {
    // SAFETY: as the header says.
    unsafe { take_back(limits) }
}
