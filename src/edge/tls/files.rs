//! A certificate that somebody else renews, in two files.

use std::{fs, path::Path, sync::Arc, time::SystemTime};

use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::{
    TlsError,
    pem_file::{self, Privacy},
    server_config::provider,
};

/// Reads the pair and checks that the two belong together.
pub(super) fn load(cert: &Path, key: &Path) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = chain(cert, &pem_file::read(cert, Privacy::Public)?)?;
    let key_der = private_key(key, &pem_file::read(key, Privacy::Secret)?)?;
    CertifiedKey::from_der(chain, key_der, &provider())
        .map(Arc::new)
        .map_err(|source| TlsError::Mismatch { cert: cert.to_owned(), key: key.to_owned(), source })
}

/// Every certificate of a PEM file; at least one.
pub(super) fn chain(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let not_pem =
        |source| TlsError::NotPem { path: path.to_owned(), expected: "certificate", source };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(not_pem)?;
    if chain.is_empty() {
        return Err(not_pem(rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(chain)
}

fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|source| TlsError::NotPem {
        path: path.to_owned(),
        expected: "private key",
        source,
    })
}

/// When the certificate ends, in seconds since 1970; none if it cannot be told.
pub(super) fn not_after(cert: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(cert).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

/// What tells that a file, or a pair of them, may have changed, without reading them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp([Option<FileStamp>; 2]);

#[derive(Clone, Debug, PartialEq, Eq)]
struct FileStamp {
    modified: Option<SystemTime>,
    inode: u64,
    length: u64,
}

impl Stamp {
    pub(super) fn of(cert: &Path, key: &Path) -> Self {
        Self([file_stamp(cert), file_stamp(key)])
    }

    /// The same for a file that stands alone.
    pub(super) fn of_one(file: &Path) -> Self {
        Self([file_stamp(file), None])
    }
}

fn file_stamp(path: &Path) -> Option<FileStamp> {
    let meta = fs::metadata(path).ok()?;
    Some(FileStamp { modified: meta.modified().ok(), inode: inode(&meta), length: meta.len() })
}

#[cfg(unix)]
fn inode(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn inode(_meta: &fs::Metadata) -> u64 {
    0
}
