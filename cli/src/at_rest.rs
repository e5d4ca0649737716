//! The keys that a server encrypts its segments with.
//!
//! The one invariant: an error names the file, and shows nothing of what is in it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tidewire_protocol::auth::Secret;
use tidewire_protocol::batch::EncryptionKeys;

use crate::failure::Failure;

/// Largest file of keys that is read: many times what as many as there may be have need of.
const MAX_FILE_BYTES: u64 = 64 << 10;
/// Bits of a file's mode that no file of keys has: a group may read it, but not write.
const OPEN_TO_OTHERS: u32 = 0o026;

/// Reads the keys of a file, one a line as `tidewire keygen` prints them; none without a file.
pub fn keys(file: Option<&Path>) -> Result<EncryptionKeys, Failure> {
    let mut keys = EncryptionKeys::default();
    let Some(file) = file else { return Ok(keys) };
    let shown = file.display();
    let failed = |error| Failure::io(format_args!("reading the keys in {shown}"), &error);
    let opened = File::open(file).map_err(failed)?;
    let metadata = opened.metadata().map_err(failed)?;
    // A pipe belongs to whoever made it for this process.
    if metadata.is_file() && metadata.mode() & OPEN_TO_OTHERS != 0 {
        let mode = metadata.mode() & 0o777;
        let text =
            format!("{shown} has keys, and others may read or change it (mode {mode:o})");
        return Err(Failure::new(text).hint(format!("chmod 600 {shown}")));
    }
    // At its length at once: growing would leave copies behind.
    let mut text = String::with_capacity(MAX_FILE_BYTES as usize + 1);
    let read = opened.take(MAX_FILE_BYTES + 1).read_to_string(&mut text);
    let text = Secret::new(text);
    if read.map_err(failed)? as u64 > MAX_FILE_BYTES {
        let text = format!(
            "{shown} has more than {MAX_FILE_BYTES} bytes, the limit of a file of keys"
        );
        return Err(Failure::new(text));
    }
    let added = keys.add_text(text.expose());
    added.map_err(|error| Failure::new(format!("{shown}: {error}")))?;
    if keys.is_empty() {
        return Err(Failure::new(format!("{shown} has no key"))
            .hint(format!("(umask 077; tidewire keygen --id 1 > {shown}) makes one")));
    }
    Ok(keys)
}
