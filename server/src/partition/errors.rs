//! What a storage error becomes on the wire.

use tidewire_protocol::error::{Code, Disposition, Error};
use tidewire_storage::ErrorKind;

/// The wire error for an error of the log of `partition`.
pub(crate) fn storage_error(partition: &str, error: &tidewire_storage::Error) -> Error {
    let code = match error.kind() {
        ErrorKind::Full => Code::DISK_FULL,
        ErrorKind::Fenced => Code::PARTITION_FENCED,
        ErrorKind::Corrupt => Code::PARTITION_CORRUPT,
        ErrorKind::OutOfRange { .. } => Code::OFFSET_OUT_OF_RANGE,
        ErrorKind::Invalid => Code::INVALID_ARGUMENT,
        _ => Code::INTERNAL,
    };
    let mut wire = Error::new(code, format!("{partition}: {error}"));
    if error.kind() == ErrorKind::Io {
        // The log says that nothing was changed.
        wire.disposition = Disposition::RETRIABLE;
    }
    wire
}
