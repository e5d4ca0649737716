//! Tables that `cargo xtask gen` writes from `protocol/spec`. The rooms beside them
//! (`error`, `message`, `options`, `limits`) give them their types and names.

pub(crate) mod codes;
pub(crate) mod limits;
pub(crate) mod messages;
pub(crate) mod options;
pub(crate) mod server_limits;
