//! The keys that a server encrypts its segments with.
//!
//! The one invariant: an error names the file, and shows nothing of what is in it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use tidewire_protocol::auth::Secret;
use tidewire_protocol::batch::EncryptionKeys;

use crate::failure::Failure;

/// Largest file of keys that is read: many times what as many as there may be have need of.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Reads the keys of a file, one a line as `tidewire keygen` prints them; none without a file.
pub fn keys(file: Option<&Path>) -> Result<EncryptionKeys, Failure> {
    let mut keys = EncryptionKeys::default();
    let Some(file) = file else { return Ok(keys) };
    let shown = file.display();
    // At its length at once: growing would leave copies behind.
    let mut text = String::with_capacity(MAX_FILE_BYTES as usize);
    let read =
        File::open(file).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text));
    let text = Secret::new(text);
    read.map_err(|error| Failure::io(format_args!("reading the keys in {shown}"), &error))?;
    let added = keys.add_text(text.expose());
    added.map_err(|error| Failure::new(format!("{shown}: {error}")))?;
    if keys.is_empty() {
        return Err(Failure::new(format!("{shown} has no key"))
            .hint(format!("(umask 077; tidewire keygen --id 1 > {shown}) makes one")));
    }
    Ok(keys)
}
