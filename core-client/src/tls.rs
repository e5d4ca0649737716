//! TLS to a server.
//!
//! Owns whose certificates are believed, and what is said when one is not; leaves the bytes to
//! tokio-rustls. The one invariant: without the one option whose name says what it does, a server
//! is believed only if its certificate is its host's and leads to a root that is trusted.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tidewire_protocol::url::Address;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::{Code, Error};

/// The value of `tls_danger` that lets anybody be the server.
pub(crate) const TRUST_ANY_SERVER: &str = "trust-any-server";

/// Options of TLS as they were given; empty is not set.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsOptions {
    pub ca_file: String,
    pub cert_file: String,
    pub key_file: String,
    pub danger: String,
}

/// What connections are made with.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

fn wrong(text: impl Into<String>) -> Error {
    Error::new(Code::INVALID_OPTION, text)
}

fn certificates(option: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(Path::new(path)).and_then(Iterator::collect);
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(wrong(format!("{option}: there is no certificate in {path}"))),
        Err(error) => {
            Err(wrong(format!("{option}: {path} has no certificates in PEM: {error}")))
        }
    }
}

impl Tls {
    /// Reads what the options name. It blocks.
    ///
    /// # Errors
    /// `INVALID_OPTION`, naming the option and the file.
    pub(crate) fn new(options: &TlsOptions) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::new(Code::INTERNAL, format!("TLS: {error}")))?;
        let builder = match options.danger.as_str() {
            "" => builder.with_root_certificates(roots(&options.ca_file)?),
            TRUST_ANY_SERVER if options.ca_file.is_empty() => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(TrustAnyServer(provider))),
            TRUST_ANY_SERVER => {
                return Err(wrong("tls_danger trusts any server, and tls_ca_file some only"));
            }
            other => {
                return Err(wrong(format!(
                    "option tls_danger is \"{other}\", but should be {TRUST_ANY_SERVER}"
                )));
            }
        };
        let config = match (options.cert_file.as_str(), options.key_file.as_str()) {
            ("", "") => builder.with_no_client_auth(),
            ("", _) => return Err(wrong("there is tls_key_file, but no tls_cert_file")),
            (_, "") => return Err(wrong("there is tls_cert_file, but no tls_key_file")),
            (cert, key_file) => {
                let chain = certificates("tls_cert_file", cert)?;
                let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| {
                    wrong(format!("tls_key_file: {key_file} has no key in PEM: {error}"))
                })?;
                builder.with_client_auth_cert(chain, key).map_err(|error| {
                    wrong(format!("{cert} and {key_file} cannot be used: {error}"))
                })?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Shakes hands; and what a login on this connection is bound to.
    pub(crate) async fn connect(
        &self,
        address: &Address,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Vec<u8>), Error> {
        let name = ServerName::try_from(address.host.clone()).map_err(|_| {
            let text = format!("\"{}\" is no name that a certificate can have", address.host);
            Error::new(Code::INVALID_URL, text)
        })?;
        let stream = self.0.connect(name, stream).await.map_err(|e| explained(address, e))?;
        let mut binding = vec![0; 32];
        stream
            .get_ref()
            .1
            .export_keying_material(&mut binding[..], b"EXPORTER-tidewire-auth", None)
            .map_err(|error| explained(address, io::Error::other(error)))?;
        Ok((stream, binding))
    }
}

/// The roots of a file, or of the system.
fn roots(ca_file: &str) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if ca_file.is_empty() {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "some of the system's certificates cannot be read");
        }
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            return Err(wrong(
                "this system has no certificates to trust: name a file of them with tls_ca_file",
            ));
        }
    } else {
        for root in certificates("tls_ca_file", ca_file)? {
            roots
                .add(root)
                .map_err(|error| wrong(format!("tls_ca_file: {ca_file}: {error}")))?;
        }
    }
    Ok(roots)
}

/// What went wrong, and what to do about it.
fn explained(address: &Address, error: io::Error) -> Error {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let text = match tls {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => format!(
            "{address} is not trusted: its certificate leads to no root that is; name the one it \
             leads to with tls_ca_file"
        ),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => format!("{address} is not trusted: its certificate is for another name"),
        Some(rustls::Error::InvalidMessage(_)) => {
            format!("{address} does not speak TLS; without it the URL begins with tidewire://")
        }
        Some(error) => format!("TLS with {address} failed: {error}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => format!(
            "{address} ended the connection before TLS was agreed on; does it speak TLS? without it \
             the URL begins with tidewire://"
        ),
        None => format!("TLS with {address} failed: {error}"),
    };
    Error::new(Code::CONNECT_FAILED, text).with_source(error)
}

/// Believes every certificate, whoever's it is.
#[derive(Debug)]
struct TrustAnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
