//! `root.url` in the data directory: how `root` logs in, told once.
//!
//! The one invariant: the file is its owner's alone before there is anything in it.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tidewire::Secret;

use crate::failure::Failure;

/// The file's name.
const FILE: &str = "root.url";

/// Writes the file, and gives what it says.
pub fn write(
    data: &Path,
    scheme: &str,
    address: SocketAddr,
    token: &Secret,
) -> Result<String, Failure> {
    let path = data.join(FILE);
    let url = format!("{scheme}://root:{}@{}", token.expose(), reachable(address));
    let draft = data.join(format!("{FILE}.new"));
    // One that a start left which was cut short.
    let _ = std::fs::remove_file(&draft);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(format!("{url}\n").as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&draft, &path))
        .map_err(|error| Failure::io(format_args!("writing {}", path.display()), &error))?;
    Ok(url)
}

/// The address by which this machine reaches one that it listens on.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_its_owners_alone_and_can_be_used() {
        let dir = tempfile::tempdir().unwrap();
        let secret = Secret::new("twt_1_ab");
        for _ in 0..2 {
            let url = write(dir.path(), "tidewire", "0.0.0.0:8433".parse().unwrap(), &secret)
                .unwrap();
            assert_eq!(url, "tidewire://root:twt_1_ab@127.0.0.1:8433");
            let path = dir.path().join(FILE);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{url}\n"));
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
