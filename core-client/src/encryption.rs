//! The keys that a client encrypts and reads batches with.
//!
//! Owns where they come from, and the randomness of each batch; what is done with them is the
//! protocol's. The one invariant: no error and no debug form has a key.

use std::path::PathBuf;
use std::sync::Arc;

use tidewire_protocol::auth::Secret;
use tidewire_protocol::batch::{
    ENCRYPTION_KEY_LEN, ENCRYPTION_NONCE_LEN, EncryptionKey, EncryptionKeys, Sealing,
};
use tidewire_protocol::name::TopicName;
use zeroize::Zeroizing;

use crate::error::{Code, Error};
use crate::login::{blocking, random};

/// Largest file of keys that is read: many times what all that a client may have need.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A new key, which nobody has but the caller.
///
/// # Errors
/// `INVALID_ARGUMENT` if `id` is 0 or above 4,294,967,294; `INTERNAL` if the system gives no
/// random bytes.
pub fn new_encryption_key(id: u32) -> Result<EncryptionKey, Error> {
    let bytes = Zeroizing::new(random::<ENCRYPTION_KEY_LEN>()?);
    Ok(EncryptionKey::new(id, *bytes)?)
}

/// The keys of both options together.
///
/// # Errors
/// `INVALID_OPTION` for a text that is no key, two keys with one number, and a file that cannot be
/// read or has none.
pub(crate) async fn load(given: Option<Secret>, file: String) -> Result<EncryptionKeys, Error> {
    let mut keys = EncryptionKeys::default();
    if let Some(given) = given {
        keys.add_text(given.expose())
            .map_err(|error| Error::from(error).about("option encryption_keys"))?;
    }
    if !file.is_empty() {
        let path = PathBuf::from(&file);
        let text = blocking(move || read(path)).await?;
        let about = || format!("the encryption key file {file}");
        keys.add_text(&text).map_err(|error| Error::from(error).about(about()))?;
        if keys.is_empty() {
            let text = format!("{} has no key", about());
            return Err(Error::new(Code::INVALID_OPTION, text));
        }
    }
    Ok(keys)
}

fn read(path: PathBuf) -> Result<Zeroizing<String>, Error> {
    use std::io::Read as _;

    let failed = |why: String| {
        let text = format!("the encryption key file {} {why}", path.display());
        Error::new(Code::INVALID_OPTION, text)
    };
    let unread = |error: std::io::Error| failed(format!("cannot be read: {error}"));
    let file = std::fs::File::open(&path).map_err(unread)?;
    let len = file.metadata().map_err(unread)?.len();
    if len > MAX_FILE_BYTES {
        return Err(failed(format!("has {len} bytes, over the limit of {MAX_FILE_BYTES}")));
    }
    // Its final size at once: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(len as usize + 1));
    file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(unread)?;
    Ok(text)
}

/// With what a producer encrypts; nothing if the option's number is 0.
///
/// # Errors
/// `INVALID_OPTION` if the client has no key of that number; `INTERNAL` if the system gives no
/// random bytes.
pub(crate) fn sealing(
    keys: &EncryptionKeys,
    id: u32,
    topic: &TopicName,
) -> Result<Option<Arc<Sealing>>, Error> {
    if id == 0 {
        return Ok(None);
    }
    let Some(key) = keys.get(id) else {
        let text = format!(
            "encryption_key_id is {id}, but the client has {keys}: see encryption_keys and \
             encryption_key_file"
        );
        return Err(Error::new(Code::INVALID_OPTION, text));
    };
    random::<ENCRYPTION_NONCE_LEN>()?;
    Ok(Some(Arc::new(Sealing::new(key.clone(), topic.clone(), nonce))))
}

// SPEC B-19
fn nonce() -> [u8; ENCRYPTION_NONCE_LEN] {
    random().expect("the system gave random bytes when the producer was opened")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    #[test]
    fn keys_come_from_the_option_and_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("keys");
        let (one, two) =
            (new_encryption_key(1).expect("a key"), new_encryption_key(2).expect("2"));
        std::fs::write(&path, format!("# old\n{}\n", *one.text())).expect("written");
        let file = path.display().to_string();
        let given = || Some(Secret::new(two.text().as_str()));
        let keys = block_on(load(given(), file.clone())).expect("both");
        assert_eq!((keys.get(1), keys.get(2)), (Some(&one), Some(&two)));
        assert!(block_on(load(None, String::new())).expect("none").is_empty());

        let other = new_encryption_key(1).expect("another").text();
        for (text, says) in [
            ("# nothing\n".to_owned(), "has no key"),
            (other[..other.len() - 2].to_owned(), "key 1 was cut or changed"),
            (format!("{} {}", *one.text(), *other), "two encryption keys with the number 1"),
        ] {
            std::fs::write(&path, text).expect("written");
            let error = block_on(load(None, file.clone())).expect_err(says);
            assert_eq!(error.code(), Code::INVALID_OPTION);
            let text = error.to_string();
            assert!(text.contains(says) && text.contains(&file), "{text}");
            assert!(!text.contains(&other[6..40]), "{text}");
        }
        std::fs::write(&path, vec![b' '; MAX_FILE_BYTES as usize + 1]).expect("written");
        let error = block_on(load(None, file)).expect_err("large");
        assert!(error.to_string().contains("1048576"), "{error}");
        let error = block_on(load(None, "/no/such/file".to_owned())).expect_err("not there");
        assert!(error.to_string().contains("/no/such/file cannot be read"), "{error}");
    }

    #[test]
    fn a_producer_needs_its_key() {
        let topic = TopicName::parse("orders").expect("good");
        let mut keys = EncryptionKeys::default();
        assert!(sealing(&keys, 0, &topic).expect("plain").is_none());
        let error = sealing(&keys, 7, &topic).expect_err("no keys");
        assert!(error.to_string().contains("has no encryption key"), "{error}");
        keys.add(new_encryption_key(3).expect("a key")).expect("room");
        let error = sealing(&keys, 7, &topic).expect_err("another");
        assert_eq!(error.code(), Code::INVALID_OPTION);
        assert!(error.to_string().contains("is 7, but the client has only key 3"), "{error}");
        assert!(sealing(&keys, 3, &topic).expect("there").is_some());
    }

    #[test]
    fn nonces_differ() {
        assert_ne!(nonce(), nonce());
    }
}
