//! Certificates: the server's own, whose clients it believes, and who a client is by its own.
//!
//! Owns reading them from files, and taking new ones while connections go on; the handshake itself
//! is [`rt`](crate::rt)'s. The one invariant: what cannot be read changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::error::{Error, ErrorKind};

/// What a server needs to speak TLS: files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its certificate, and those between it and its root.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Roots of clients' certificates. A client that has one of theirs is the user whose name
    /// stands in it; one that has none logs in as others do.
    pub client_ca: Option<PathBuf>,
}

impl TlsFiles {
    /// Whether a server could use them.
    pub fn check(&self) -> Result<(), Error> {
        read(self).map(drop)
    }
}

/// What new connections are shown.
pub(crate) struct Tls {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, Error> {
        let current = ArcSwap::from_pointee(read(files)?);
        Ok(Self { files: files.clone(), current })
    }

    /// Reads the files again.
    pub(crate) fn read_again(&self) -> Result<ServerConfig, Error> {
        read(&self.files)
    }

    /// Shows others to connections that are made from now on.
    pub(crate) fn replace(&self, config: ServerConfig) {
        self.current.store(Arc::new(config));
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }
}

fn failed(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Config, format!("{}: {why}", path.display()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| failed(path, format_args!("no certificates in PEM: {error}")))?;
    if all.is_empty() {
        return Err(failed(path, "there is no certificate in it"));
    }
    Ok(all)
}

fn read(files: &TlsFiles) -> Result<ServerConfig, Error> {
    let chain = certificates(&files.cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| failed(&files.key, format_args!("no private key in PEM: {error}")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::System, format!("TLS: {error}")))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(path)? {
                roots.add(root).map_err(|error| failed(path, error))?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| failed(path, error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    builder.with_single_cert(chain, key).map_err(|error| {
        let pair = format!("{} and {}", files.cert.display(), files.key.display());
        Error::new(ErrorKind::Config, format!("{pair} cannot be used: {error}"))
    })
}

/// The user that a certificate names, which was checked already: its first DNS name.
pub(crate) fn user_of(certificate: &CertificateDer<'_>) -> Option<Arc<str>> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
    parsed.valid_dns_names().next().map(Arc::from)
}
