//! The installation key: seals what must survive a restart but nobody else may read.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
    rand::{SecureRandom as _, SystemRandom},
};
use zeroize::Zeroizing;

/// AES-256-GCM under keys that live in `data/installation.key` (0600): the newest seals, and those
/// before it still open what they sealed. Shared; a rotation is in force when it returns.
pub struct InstallationKey {
    path: PathBuf,
    /// Newest first.
    roots: ArcSwap<Vec<Root>>,
    rotating: Mutex<()>,
    random: SystemRandom,
}

/// One of the keys.
struct Root {
    bytes: Zeroizing<[u8; ROOT_BYTES]>,
    sealing: LessSafeKey,
    /// Tells the keys of one installation apart; says nothing of the key itself.
    tag: u16,
}

/// A key for one purpose, made from one of the installation's keys.
pub struct PurposeKey {
    /// Which of the installation's keys it was made from.
    pub root: u16,
    /// AES-256-GCM.
    pub aead: LessSafeKey,
}

impl InstallationKey {
    /// Reads the keys, or makes the first one where there is none.
    ///
    /// # Errors
    /// [`SealError`] when the file cannot be read or made, others can read it, or it does not
    /// hold one to 64 keys of 32 bytes.
    pub fn load_or_create(path: &Path) -> Result<Self, SealError> {
        match fs::metadata(path) {
            Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
                return Err(SealError::Exposed { path: path.to_owned() });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write(path, fresh(&SystemRandom::new())?.as_ref())?;
            }
            Err(source) => return Err(SealError::Io { path: path.to_owned(), source }),
        }
        let bytes =
            fs::read(path).map_err(|source| SealError::Io { path: path.to_owned(), source })?;
        let bytes = Zeroizing::new(bytes);
        let damaged = || SealError::Damaged { path: path.to_owned() };
        let (roots, rest) = bytes.as_chunks::<ROOT_BYTES>();
        if roots.is_empty() || roots.len() > ROOTS_MOST || !rest.is_empty() {
            return Err(damaged());
        }
        let roots: Option<Vec<Root>> = roots.iter().map(Root::new).collect();
        Ok(Self {
            path: path.to_owned(),
            roots: ArcSwap::from_pointee(roots.ok_or_else(damaged)?),
            rotating: Mutex::default(),
            random: SystemRandom::new(),
        })
    }

    /// Makes a new key and puts it before the others, which stay: refresh tokens and handles have
    /// no end, and nothing else could open them. Tells how many there are now.
    ///
    /// # Errors
    /// [`SealError`] when there are 64 already or the file cannot be written; nothing
    /// has changed then.
    pub fn rotate(&self) -> Result<usize, SealError> {
        let _one_at_a_time = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.roots.load();
        if known.len() >= ROOTS_MOST {
            return Err(SealError::Full { path: self.path.clone() });
        }
        let mut roots = vec![self.unlike(&known)?];
        for root in known.iter() {
            roots.push(Root::new(&root.bytes).ok_or(SealError::Random)?);
        }
        let mut file = Zeroizing::new(Vec::with_capacity(roots.len() * ROOT_BYTES));
        roots.iter().for_each(|root| file.extend_from_slice(root.bytes.as_ref()));
        write(&self.path, &file)?;
        let count = roots.len();
        self.roots.store(Arc::new(roots));
        Ok(count)
    }

    /// A new key whose tag none of `known` has.
    fn unlike(&self, known: &[Root]) -> Result<Root, SealError> {
        loop {
            let root = Root::new(&*fresh(&self.random)?).ok_or(SealError::Random)?;
            if known.iter().all(|other| other.tag != root.tag) {
                return Ok(root);
            }
        }
    }

    /// The newest key's tag.
    #[must_use]
    pub fn newest(&self) -> u16 {
        self.roots.load().first().map_or(0, |root| root.tag)
    }

    /// The key for `purpose` that belongs to the installation's key with this tag; none if the
    /// installation has no such key.
    #[must_use]
    pub fn derive(&self, root: u16, purpose: &str) -> Option<PurposeKey> {
        let roots = self.roots.load();
        let bytes = roots.iter().find(|known| known.tag == root)?.expand::<ROOT_BYTES>(purpose)?;
        let key = UnboundKey::new(&AES_256_GCM, bytes.as_ref()).ok()?;
        Some(PurposeKey { root, aead: LessSafeKey::new(key) })
    }

    /// Fills `nonce` with random bytes.
    ///
    /// # Errors
    /// [`SealError::Random`] when the system has none.
    pub fn nonce(&self) -> Result<[u8; NONCE_LEN], SealError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| SealError::Random)?;
        Ok(nonce)
    }

    /// Seals `plain` for `context`: it opens with the same context only, so that a sealed value
    /// cannot be moved to another account.
    ///
    /// # Errors
    /// [`SealError::Random`] when the system has no random bytes.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = self.nonce()?;
        let mut sealed = plain.to_vec();
        let aad = Aad::from(context.as_bytes());
        let roots = self.roots.load();
        let newest = roots.first().ok_or(SealError::Random)?;
        newest
            .sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| SealError::Random)?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// The inverse of [`InstallationKey::seal`], also for what an earlier key sealed.
    ///
    /// # Errors
    /// [`SealError::Foreign`] when the value was changed, moved, or sealed elsewhere.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Foreign)?;
        for root in self.roots.load().iter() {
            let mut buffer = Zeroizing::new(rest.to_vec());
            let aad = Aad::from(context.as_bytes());
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened = root.sealing.open_in_place(nonce, aad, &mut buffer).map(|open| open.len());
            if let Ok(length) = opened {
                buffer.truncate(length);
                return Ok(buffer);
            }
        }
        Err(SealError::Foreign)
    }
}

impl Root {
    fn new(bytes: &[u8; ROOT_BYTES]) -> Option<Self> {
        let bytes = Zeroizing::new(*bytes);
        let key = UnboundKey::new(&AES_256_GCM, bytes.as_ref()).ok()?;
        let mut root = Self { bytes, sealing: LessSafeKey::new(key), tag: 0 };
        root.tag = u16::from_be_bytes(*root.expand::<2>("tag")?);
        Some(root)
    }

    /// HKDF-SHA256 (RFC 5869) of the key, without a salt: it is uniformly random.
    fn expand<const N: usize>(&self, purpose: &str) -> Option<Zeroizing<[u8; N]>> {
        struct Length(usize);
        impl hkdf::KeyType for Length {
            fn len(&self) -> usize {
                self.0
            }
        }
        let key = hkdf::Salt::new(hkdf::HKDF_SHA256, b"wxgate").extract(self.bytes.as_ref());
        let mut out = Zeroizing::new([0; N]);
        let info = [purpose.as_bytes()];
        key.expand(&info, Length(N)).ok()?.fill(out.as_mut()).ok()?;
        Some(out)
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
    /// Another key would be one too many.
    #[error("the installation key {} has {ROOTS_MOST} keys, and none is dropped: what it sealed would be lost", path.display())]
    Full {
        /// The key file.
        path: PathBuf,
    },
    /// Not a whole number of keys, none, or too many.
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

fn fresh(random: &SystemRandom) -> Result<Zeroizing<[u8; ROOT_BYTES]>, SealError> {
    let mut bytes = Zeroizing::new([0; ROOT_BYTES]);
    random.fill(bytes.as_mut()).map_err(|_| SealError::Random)?;
    Ok(bytes)
}

/// Writes the whole file beside the old one and moves it into its place, so that a crash leaves
/// one of the two.
fn write(path: &Path, bytes: &[u8]) -> Result<(), SealError> {
    let io_error = |source| SealError::Io { path: path.to_owned(), source };
    let beside = path.with_extension("key.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(error)),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    let mut file =
        options.write(true).create_new(true).mode(0o600).open(&beside).map_err(io_error)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_error)?;
    fs::rename(&beside, path).map_err(io_error)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error)
}

/// AES-256.
const ROOT_BYTES: usize = 32;

/// How many keys a file holds at most: one a month for five years.
const ROOTS_MOST: usize = 64;

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

    #[test]
    fn what_was_sealed_before_a_rotation_opens_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("installation.key");
        let key = InstallationKey::load_or_create(&path).unwrap();
        let (old, before) = (key.newest(), key.seal("shop/token", b"secret").unwrap());
        assert_eq!(key.rotate().unwrap(), 2);
        assert_ne!(key.newest(), old);
        assert!(key.derive(old, "x").is_some() && key.derive(key.newest(), "x").is_some());
        let again = InstallationKey::load_or_create(&path).unwrap();
        assert_eq!(again.open("shop/token", &before).unwrap().as_slice(), b"secret");
        assert_eq!(again.newest(), key.newest());
        for _ in 2..ROOTS_MOST {
            again.rotate().unwrap();
        }
        assert!(matches!(again.rotate(), Err(SealError::Full { .. })));
        assert_eq!(again.open("shop/token", &before).unwrap().as_slice(), b"secret");
        assert!(again.derive(old, "x").is_some(), "no key is ever dropped");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!((mode & 0o777, fs::read(&path).unwrap().len()), (0o600, 32 * ROOTS_MOST));
        assert!(!path.with_extension("key.new").exists());
    }

    #[test]
    fn a_file_that_is_no_whole_number_of_keys_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("installation.key");
        InstallationKey::load_or_create(&path).unwrap();
        for bytes in [0, 1, 31, 33, 32 * (ROOTS_MOST + 1)] {
            fs::write(&path, vec![7; bytes]).unwrap();
            assert!(matches!(
                InstallationKey::load_or_create(&path),
                Err(SealError::Damaged { .. })
            ));
        }
    }
}
