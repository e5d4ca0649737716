//! A certificate of the server's own making, for trials.
//!
//! The one invariant: once made it stays, so that clients that were told to trust it go on.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tidewire_storage::DataDir;

use crate::failure::Failure;

/// The certificate, and its key, in the data directory.
const CERT: &str = "self-signed.pem";
const KEY: &str = "self-signed.key";

/// Where they are; they are made if they are not there.
pub fn files(data: &Path, listen: SocketAddr) -> Result<(PathBuf, PathBuf), Failure> {
    let (cert, key) = (data.join(CERT), data.join(KEY));
    if cert.exists() && key.exists() {
        return Ok((cert, key));
    }
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !listen.ip().is_unspecified() && !listen.ip().is_loopback() {
        names.push(listen.ip().to_string());
    }
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    // What is no name, the certificate cannot be for.
    if !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    {
        names.push(host);
    }
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|error| Failure::new(format!("making a certificate: {error}")))?;
    // Held while something is put in it: it may be new, or another server's.
    let _held = DataDir::open(data).map_err(|error| Failure::new(error.to_string()))?;
    // The key first: without it a certificate is made anew.
    write(&key, &made.signing_key.serialize_pem(), 0o600)?;
    write(&cert, &made.cert.pem(), 0o644)?;
    Ok((cert, key))
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    // One that a start left which was cut short.
    let _ = std::fs::remove_file(path);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(|error| Failure::io(format_args!("writing {}", path.display()), &error))
}
