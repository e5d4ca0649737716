//! The keys of encrypted batches: their text, and the few that a client has.
//!
//! Owns what a key is and how it is written; what is done with one is in
//! [`encryption`](super::encryption). The one invariant: nothing here shows a key when it is
//! printed or in an error, and its bytes are overwritten when it is dropped.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::auth::mac;
use crate::error::{Code, Error};
use crate::limits::{MAX_ENCRYPTION_KEY_ID, MAX_ENCRYPTION_KEYS};

/// Bytes of a key.
pub const ENCRYPTION_KEY_LEN: usize = 32;
/// Bytes of the sign by which a batch tells which key it was encrypted with.
pub(super) const CHECK_LEN: usize = 8;
/// What the text of every key begins with.
const PREFIX: &str = "twk_";

const CHECK: &[u8] = b"tidewire key check 1";
const BATCH_KEY: &[u8] = b"tidewire batch key 1";
const SEGMENT_KEY: &[u8] = b"tidewire segment key 1";

/// A key that batches are encrypted with, and the number that they name it by. Prints as its
/// number. Clones share the bytes, which are overwritten when the last one is dropped.
#[derive(Clone)]
pub struct EncryptionKey {
    id: NonZeroU32,
    bytes: Arc<Zeroizing<[u8; ENCRYPTION_KEY_LEN]>>,
    check: [u8; CHECK_LEN],
}

impl EncryptionKey {
    /// The key `id`, which has these bytes: 32 that nobody can guess, not a password.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if `id` is 0 or above `MAX_ENCRYPTION_KEY_ID`.
    // SPEC B-18
    pub fn new(id: u32, bytes: [u8; ENCRYPTION_KEY_LEN]) -> Result<Self, Error> {
        let bytes = Arc::new(Zeroizing::new(bytes));
        let id = NonZeroU32::new(id).filter(|id| id.get() <= MAX_ENCRYPTION_KEY_ID);
        let id = id.ok_or_else(|| {
            let text = format!("the number of a key is 1 to {MAX_ENCRYPTION_KEY_ID}");
            Error::new(Code::INVALID_ARGUMENT, text)
        })?;
        let mut check = [0; CHECK_LEN];
        check.copy_from_slice(&mac(&bytes, &[CHECK])[..CHECK_LEN]);
        Ok(Self { id, bytes, check })
    }

    /// Reads `twk_ID_HEX`.
    ///
    /// # Errors
    /// `INVALID_OPTION`. What was read is not repeated.
    // SPEC B-18
    pub fn parse(text: &str) -> Result<Self, Error> {
        let broken = |why: &str| {
            let text = format!(
                "{why}: an encryption key is written twk_NUMBER_HEX, with 64 digits of hex"
            );
            Error::new(Code::INVALID_OPTION, text)
        };
        let rest = text.strip_prefix(PREFIX).ok_or_else(|| broken("no encryption key"))?;
        let (id, hex) = rest.split_once('_').ok_or_else(|| broken("a key without a number"))?;
        let plain = !id.is_empty() && id.bytes().all(|digit| digit.is_ascii_digit());
        let id = id.parse().ok().filter(|_| plain).ok_or_else(|| broken("a key's number"))?;
        let mut bytes = Zeroizing::new([0; ENCRYPTION_KEY_LEN]);
        if hex.len() != 2 * ENCRYPTION_KEY_LEN {
            return Err(broken(&format!("key {id} was cut or changed")));
        }
        for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let digit = |at: usize| char::from(digits[at]).to_digit(16);
            let (Some(high), Some(low)) = (digit(0), digit(1)) else {
                return Err(broken(&format!("key {id} has what is no hex")));
            };
            *byte = (high * 16 + low) as u8;
        }
        Self::new(id, *bytes)
            .map_err(|error| Error::new(Code::INVALID_OPTION, error.to_string()))
    }

    /// The text that stands for it, which is all that is needed to read what it encrypts.
    // SPEC B-18
    pub fn text(&self) -> Zeroizing<String> {
        // Its final length at once: growing would leave copies behind.
        let mut text = String::with_capacity(PREFIX.len() + 11 + 2 * ENCRYPTION_KEY_LEN);
        text.push_str(PREFIX);
        text.push_str(&self.id.to_string());
        text.push('_');
        for byte in **self.bytes {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).expect("four bits"));
            }
        }
        Zeroizing::new(text)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.id.get()
    }

    /// What a batch, or a server's file, tells it by. Whoever has it knows nothing of the key.
    pub fn check(&self) -> [u8; CHECK_LEN] {
        self.check
    }

    /// The key of a server's file whose header has this salt.
    pub fn segment_key(&self, salt: &[u8]) -> Zeroizing<[u8; ENCRYPTION_KEY_LEN]> {
        Zeroizing::new(mac(&self.bytes, &[SEGMENT_KEY, salt]))
    }

    /// The key of those batches whose nonce begins so.
    // SPEC B-18
    pub(super) fn derive(&self, salt: &[u8]) -> Zeroizing<[u8; ENCRYPTION_KEY_LEN]> {
        Zeroizing::new(mac(&self.bytes, &[BATCH_KEY, salt]))
    }
}

impl PartialEq for EncryptionKey {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.id == other.id && bool::from(self.bytes[..].ct_eq(&other.bytes[..]))
    }
}

impl Eq for EncryptionKey {}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({}, •••)", self.id)
    }
}

/// The keys that a client or a server has, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptionKeys(Vec<EncryptionKey>);

impl EncryptionKeys {
    /// Adds a key. One that is there already changes nothing.
    ///
    /// # Errors
    /// `INVALID_OPTION` if there is another key with its number, or there are
    /// `MAX_ENCRYPTION_KEYS` already.
    pub fn add(&mut self, key: EncryptionKey) -> Result<(), Error> {
        let wrong = |text: String| Err(Error::new(Code::INVALID_OPTION, text));
        match self.get(key.id()) {
            Some(same) if *same == key => return Ok(()),
            Some(_) => {
                return wrong(format!(
                    "there are two encryption keys with the number {}",
                    key.id
                ));
            }
            None => {}
        }
        if self.0.len() == MAX_ENCRYPTION_KEYS as usize {
            return wrong(format!("there are more than {MAX_ENCRYPTION_KEYS} encryption keys"));
        }
        self.0.push(key);
        Ok(())
    }

    /// Adds the keys of a text: with commas, spaces or line ends between them. What follows a `#`
    /// is ignored up to the end of its line.
    ///
    /// # Errors
    /// Those of [`EncryptionKey::parse`] and [`EncryptionKeys::add`], which do not repeat a key.
    pub fn add_text(&mut self, text: &str) -> Result<(), Error> {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let words = line.split(|c: char| c == ',' || c.is_whitespace());
            for word in words.filter(|word| !word.is_empty()) {
                self.add(EncryptionKey::parse(word)?)?;
            }
        }
        Ok(())
    }

    /// The key with a number.
    pub fn get(&self, id: u32) -> Option<&EncryptionKey> {
        self.0.iter().find(|key| key.id() == id)
    }

    /// The key that was added last.
    pub fn last(&self) -> Option<&EncryptionKey> {
        self.0.last()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Which keys there are: `no encryption key`, `only key 3`, `only the keys 3 and 7`.
impl fmt::Display for EncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<String> = self.0.iter().map(|key| key.id.to_string()).collect();
        match ids.split_last() {
            None => f.write_str("no encryption key"),
            Some((last, [])) => write!(f, "only key {last}"),
            Some((last, rest)) => write!(f, "only the keys {} and {last}", rest.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u32) -> EncryptionKey {
        EncryptionKey::new(id, std::array::from_fn(|i| 0xa0 + i as u8)).expect("good")
    }

    /// SPEC B-18
    #[test]
    fn a_key_survives_its_text_and_nothing_else_does() {
        let text = key(12).text();
        assert!(text.starts_with("twk_12_a0a1a2"), "{}", *text);
        assert_eq!(EncryptionKey::parse(&text).expect("good"), key(12));
        let cut = &text[..text.len() - 1];
        let long = format!("{}0", *text);
        let wide = text.replace("a0", "é");
        let no_hex = text.replace("a0", "zz");
        let none = text.replace("_12_", "_0_");
        let large = text.replace("_12_", "_4294967295_");
        let signed = text.replace("_12_", "_+12_");
        for bad in ["", "twk_", "twt_1_00", cut, &long, &wide, &no_hex, &none, &large, &signed]
        {
            let error = EncryptionKey::parse(bad).expect_err(bad);
            assert_eq!(error.code, Code::INVALID_OPTION, "{bad}");
            assert!(!error.to_string().contains("a3a4"), "{error}");
        }
    }

    #[test]
    fn keys_are_read_from_options_and_files() {
        let (three, seven) = (key(3).text(), key(7).text());
        let mut keys = EncryptionKeys::default();
        assert_eq!(keys.to_string(), "no encryption key");
        keys.add_text(&format!("# of spring\n{}\n\n  {}  # new", *three, *seven))
            .expect("good");
        keys.add_text(&format!("{},{}", *three, *seven)).expect("the same again");
        assert_eq!(keys.to_string(), "only the keys 3 and 7");
        assert_eq!(keys.get(7), Some(&key(7)));
        assert_eq!(keys.last(), Some(&key(7)));
        assert_eq!(keys.get(4), None);
        let other = EncryptionKey::new(7, [0; 32]).expect("good");
        let error = keys.add(other).expect_err("another 7");
        assert!(error.to_string().contains("number 7"), "{error}");
        for id in 100.. {
            if let Err(error) = keys.add(key(id)) {
                assert_eq!(id, 98 + MAX_ENCRYPTION_KEYS);
                assert!(error.to_string().contains("more than"), "{error}");
                break;
            }
        }
    }

    #[test]
    fn nothing_shows_a_key() {
        let mut keys = EncryptionKeys::default();
        keys.add(key(12)).expect("room");
        let shown = format!("{keys:?} {keys} {:?}", key(12));
        assert!(shown.contains("12"));
        assert!(!shown.contains("a1") && !shown.contains("161"), "{shown}");
    }
}
