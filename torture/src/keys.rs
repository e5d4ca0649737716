//! The keys that a data directory is encrypted with: a file of them, as an operator would keep it.
//!
//! A key is added while the server is down, and is what it then encrypts new segments with; those
//! of before stay in the file, since older segments need them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tidewire_protocol::batch::EncryptionKeys;

use crate::server::Binary;

/// A file of keys, which has none at first.
pub struct KeyFile {
    path: PathBuf,
    keys: EncryptionKeys,
    count: u32,
}

impl KeyFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path, keys: EncryptionKeys::default(), count: 0 }
    }

    /// The file, once there is a key in it.
    pub fn path(&self) -> Option<&Path> {
        (self.count > 0).then_some(self.path.as_path())
    }

    /// All its keys.
    pub fn keys(&self) -> &EncryptionKeys {
        &self.keys
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Adds one, which is for new segments from then on.
    pub fn add(&mut self, binary: &Binary) -> Result<(), String> {
        self.count += 1;
        let (code, line, error) = binary.run(&["keygen", "--id", &self.count.to_string()])?;
        if code != 0 {
            return Err(format!("keygen ended with {code}: {error}"));
        }
        self.keys.add_text(&line).map_err(|error| error.to_string())?;
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|error| format!("{}: {error}", self.path.display()))
    }
}
