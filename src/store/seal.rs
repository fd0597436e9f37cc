//! The installation key: seals what must survive a restart but nobody else may read.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};
use zeroize::Zeroizing;

/// AES-256-GCM under a key that lives in `data/installation.key` (0600).
pub struct InstallationKey {
    key: LessSafeKey,
    random: SystemRandom,
}

impl InstallationKey {
    /// Reads the key, or makes one where there is none.
    ///
    /// # Errors
    /// [`SealError`] when the file cannot be read or made, others can read it, or it does not
    /// hold exactly 32 bytes.
    pub fn load_or_create(path: &Path) -> Result<Self, SealError> {
        match fs::metadata(path) {
            Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
                return Err(SealError::Exposed { path: path.to_owned() });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path)?,
            Err(source) => return Err(SealError::Io { path: path.to_owned(), source }),
        }
        let bytes =
            fs::read(path).map_err(|source| SealError::Io { path: path.to_owned(), source })?;
        let bytes = Zeroizing::new(bytes);
        let key = UnboundKey::new(&AES_256_GCM, &bytes)
            .map_err(|_| SealError::Damaged { path: path.to_owned() })?;
        Ok(Self { key: LessSafeKey::new(key), random: SystemRandom::new() })
    }

    /// Seals `plain` for `context`: it opens with the same context only, so that a sealed value
    /// cannot be moved to another account.
    ///
    /// # Errors
    /// [`SealError::Random`] when the system has no random bytes.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| SealError::Random)?;
        let mut sealed = plain.to_vec();
        let aad = Aad::from(context.as_bytes());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| SealError::Random)?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// The inverse of [`InstallationKey::seal`].
    ///
    /// # Errors
    /// [`SealError::Foreign`] when the value was changed, moved, or sealed elsewhere.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Foreign)?;
        let mut buffer = Zeroizing::new(rest.to_vec());
        let aad = Aad::from(context.as_bytes());
        let length = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut buffer)
            .map_err(|_| SealError::Foreign)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

impl std::fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstallationKey(..)")
    }
}

/// Why a value could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file cannot be read or written.
    #[error("cannot use the installation key {}", path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Other users of the host could read every token.
    #[error("others can read the installation key {0}; run: chmod 600 {0}", path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
    },
    /// Not 32 bytes.
    #[error("the installation key {} is damaged; restore it from a backup, or remove it to fetch new tokens", path.display())]
    Damaged {
        /// The key file.
        path: PathBuf,
    },
    /// The value was not sealed here, for this purpose.
    #[error("a stored secret was not sealed by this installation")]
    Foreign,
    /// The system's random source failed.
    #[error("the system has no random bytes")]
    Random,
}

fn create(path: &Path) -> Result<(), SealError> {
    let io_error = |source| SealError::Io { path: path.to_owned(), source };
    let mut bytes = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(bytes.as_mut()).map_err(|_| SealError::Random)?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(io_error)?;
    file.write_all(bytes.as_ref()).and_then(|()| file.sync_all()).map_err(io_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_in_its_context_and_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("installation.key");
        let key = InstallationKey::load_or_create(&path).unwrap();
        let sealed = key.seal("shop/token", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));

        let again = InstallationKey::load_or_create(&path).unwrap();
        assert_eq!(again.open("shop/token", &sealed).unwrap().as_slice(), b"secret");
        assert!(matches!(again.open("other/token", &sealed), Err(SealError::Foreign)));
        let mut changed = sealed.clone();
        changed[20] ^= 1;
        assert!(matches!(again.open("shop/token", &changed), Err(SealError::Foreign)));
        assert!(matches!(again.open("shop/token", b"short"), Err(SealError::Foreign)));
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("installation.key");
        InstallationKey::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(InstallationKey::load_or_create(&path), Err(SealError::Exposed { .. })));
    }
}
