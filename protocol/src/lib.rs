//! The Tidewire protocol.
#![forbid(unsafe_code)]

pub mod batch;
pub mod crc;
pub mod limits {
    //! temp
    /// x
    pub const MAX_BATCH_LEN: u32 = 8 << 20;
    /// x
    pub const MAX_BATCH_RECORDS: u32 = 65536;
}
