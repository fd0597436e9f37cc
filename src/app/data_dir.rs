//! The data folder: made with care, held by one gateway at a time.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// `data/`, with the lock held. Dropping it lets the next gateway in.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder (0700) where there is none, and takes its lock.
    ///
    /// # Errors
    /// [`DataDirError`] when it cannot be made or written, or another gateway holds it.
    pub fn take(path: &Path) -> Result<Self, DataDirError> {
        let wrap = |source| DataDirError::Unusable { path: path.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(wrap)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(wrap)?;
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(wrap)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Unreadable is as good as empty: the message then lacks the number.
                let _ = lock.read_to_string(&mut pid);
                return Err(DataDirError::Taken {
                    path: path.to_owned(),
                    pid: pid.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(wrap(source)),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(wrap)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// A file in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a whole file that only the owner can read, or leaves the old one.
    ///
    /// # Errors
    /// [`DataDirError::Unusable`] when it cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf, DataDirError> {
        let (path, fresh) = (self.file(name), self.file(&format!("{name}.new")));
        let wrap = |source| DataDirError::Unusable { path: path.clone(), source };
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .map_err(wrap)?;
        file.write_all(content).and_then(|()| file.sync_all()).map_err(wrap)?;
        fs::rename(&fresh, &path).map_err(wrap)?;
        Ok(path)
    }
}

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Not to be made, read or written.
    #[error("cannot use the data folder at {}; check that it exists and that this user may write there", path.display())]
    Unusable {
        /// Folder or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Two gateways on one folder would fetch tokens against each other.
    #[error("another gateway (pid {pid}) runs on {}; stop it, or give this one another data_dir", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
        /// The other's process id.
        pid: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_gateway_on_the_folder_is_told_the_pid_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let first = DataDir::take(&path).unwrap();
        let error = DataDir::take(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
        drop(first);
        DataDir::take(&path).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = DataDir::take(&file.join("data")).unwrap_err().to_string();
        assert!(error.contains("file/data"), "{error}");
    }
}
