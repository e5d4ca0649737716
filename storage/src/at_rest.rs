//! The file `AT_REST` of a data directory: which key new files were last encrypted with.
//!
//! Owns its text, and what is asked of the keys that somebody brings. It is there so that a server
//! that was started without its keys stops at once, rather than write as it is what was to be
//! encrypted. What a file of a log is encrypted with is told by the file itself.
//!
//! Invariant: it is on the disk before the first file that is encrypted with the key.

use std::io;
use std::path::Path;

use tidewire_protocol::batch::EncryptionKeys;

use crate::data_dir::{read_small, write_small};
use crate::error::{Error, ErrorKind};

/// The file's name.
pub(crate) const FILE: &str = "AT_REST";
/// Written first, then renamed.
const DRAFT: &str = "AT_REST.new";

/// Checks that the key which new files had last is among `keys`.
///
/// # Errors
/// [`ErrorKind::Invalid`] if it is not; [`ErrorKind::Io`] if that cannot be found out.
pub(crate) fn expect_key(dir: &Path, keys: &EncryptionKeys) -> Result<(), Error> {
    let Some(text) = read(dir)? else { return Ok(()) };
    let shown = dir.display();
    let refused = |why: String| {
        let text = format!("{shown} is encrypted at rest {why} (option at_rest_key_file)");
        Err(Error::new(ErrorKind::Invalid, text))
    };
    let Some((id, check)) = parse(&text) else {
        // Every file tells its key itself: with keys this one can be done without.
        return match keys.last() {
            Some(_) => Ok(()),
            None => refused(format!("with a key that its file {FILE} does not tell any more")),
        };
    };
    match keys.get(id) {
        None => refused(format!("with key {id}: there is {keys}")),
        Some(key) if hex(&key.check()) != check => {
            refused(format!("with another key {id} than this one"))
        }
        Some(_) => Ok(()),
    }
}

/// Takes down that new files are encrypted with the last of `keys`; nothing if there is none.
///
/// # Errors
/// [`ErrorKind::Full`] or [`ErrorKind::Io`] if the disk refuses.
pub(crate) fn note_key(dir: &Path, keys: &EncryptionKeys) -> Result<(), Error> {
    let Some(key) = keys.last() else { return Ok(()) };
    let text = format!("key {} check {}\n", key.id(), hex(&key.check()));
    if read(dir)?.as_ref() == Some(&text) {
        return Ok(());
    }
    write_small(dir, FILE, DRAFT, &text)
        .map_err(|error| Error::io("writing", &dir.join(FILE), error))
}

fn read(dir: &Path) -> Result<Option<String>, Error> {
    let path = dir.join(FILE);
    match read_small(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("reading", &path, error)),
    }
}

fn parse(text: &str) -> Option<(u32, &str)> {
    let mut words = text.split_whitespace();
    let id = (words.next() == Some("key")).then(|| words.next()).flatten()?;
    let check = (words.next() == Some("check")).then(|| words.next()).flatten()?;
    Some((id.parse().ok()?, check))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tidewire_protocol::batch::EncryptionKey;

    use super::*;
    use crate::DataDir;

    fn keys(ids: &[u32]) -> EncryptionKeys {
        let mut keys = EncryptionKeys::default();
        for &id in ids {
            keys.add(EncryptionKey::new(id, [id as u8; 32]).unwrap()).unwrap();
        }
        keys
    }

    #[test]
    fn a_directory_is_not_opened_without_its_newest_key() {
        let dir = tempfile::tempdir().unwrap();
        let open = |keys| DataDir::open(dir.path()).unwrap().with_keys(keys);
        open(keys(&[])).unwrap().note_key().unwrap();
        assert!(!dir.path().join(FILE).exists(), "nothing is encrypted");
        open(keys(&[1])).unwrap().note_key().unwrap();
        // To look changes nothing.
        drop(open(keys(&[1, 2])).unwrap());
        open(keys(&[2, 1])).unwrap().note_key().unwrap();
        let refused = |keys| {
            let error = open(keys).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            error.to_string()
        };
        let text = refused(keys(&[]));
        assert!(text.contains("with key 1: there is no encryption key"), "{text}");
        assert!(text.contains("at_rest_key_file"), "{text}");
        let text = refused(keys(&[2, 3]));
        assert!(text.contains("with key 1: there is only the keys 2 and 3"), "{text}");
        let mut other = EncryptionKeys::default();
        other.add(EncryptionKey::new(1, [9; 32]).unwrap()).unwrap();
        let text = refused(other);
        assert!(text.contains("another key 1"), "{text}");
        // The key changes, and the old one may go.
        open(keys(&[1, 2])).unwrap().note_key().unwrap();
        open(keys(&[2])).unwrap();
        // A damaged file is no way around it, and nothing that stands in the way.
        fs::write(dir.path().join(FILE), "key").unwrap();
        refused(keys(&[]));
        open(keys(&[2])).unwrap().note_key().unwrap();
        refused(keys(&[1]));
    }
}
