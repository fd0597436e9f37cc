//! One PEM file: read whole, written whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::TlsError;
use crate::edge::error::FileError;

/// Whether others may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Privacy {
    /// 0644.
    Public,
    /// 0600.
    Secret,
}

/// The content; none when there is no such file.
pub(super) fn read_if_there(path: &Path, privacy: Privacy) -> Result<Option<Vec<u8>>, TlsError> {
    match fs::read(path) {
        Ok(content) => {
            if privacy == Privacy::Secret {
                refuse_exposed(path)?;
            }
            Ok(Some(content))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("could not read", path)(source).into()),
    }
}

/// The content; an error when there is no such file.
pub(super) fn read(path: &Path, privacy: Privacy) -> Result<Vec<u8>, TlsError> {
    read_if_there(path, privacy)?
        .ok_or_else(|| failed("could not read", path)(io::ErrorKind::NotFound.into()).into())
}

/// Replaces the file in one step, so that nobody ever reads half of it.
pub(super) fn write(path: &Path, content: &[u8], privacy: Privacy) -> Result<(), TlsError> {
    let draft = draft_of(path);
    let written = create(&draft, privacy)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.map_err(failed("could not write", path)).map_err(TlsError::from)
}

/// Gives the file another name, if there is one.
pub(super) fn set_aside(path: &Path, to: &Path) -> Result<(), TlsError> {
    match fs::rename(path, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(failed("could not set aside", path)(source).into()),
    }
}

/// Makes the folder, with its parents.
pub(super) fn make_dir(path: &Path) -> Result<(), TlsError> {
    fs::create_dir_all(path).map_err(failed("could not create", path)).map_err(TlsError::from)
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError { action, path, source }
}

fn draft_of(path: &Path) -> PathBuf {
    path.with_extension("pem.new")
}

#[cfg(unix)]
fn create(path: &Path, privacy: Privacy) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mode = match privacy {
        Privacy::Public => 0o644,
        Privacy::Secret => 0o600,
    };
    // A draft left by a crash may have any mode.
    let _ = fs::remove_file(path);
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

#[cfg(not(unix))]
fn create(path: &Path, _privacy: Privacy) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

/// A group that may read the key (such as Debian's `ssl-cert`) is the administrator's choice.
#[cfg(unix)]
fn refuse_exposed(path: &Path) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = fs::metadata(path).map_err(failed("could not read", path))?;
    if meta.permissions().mode() & 0o007 != 0 {
        return Err(TlsError::Exposed { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path) -> Result<(), TlsError> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_written_for_its_owner_only_and_refused_when_others_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        write(&path, b"one", Privacy::Secret).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        write(&path, b"two", Privacy::Secret).unwrap();
        assert_eq!(read(&path, Privacy::Secret).unwrap(), b"two");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let text = read(&path, Privacy::Secret).unwrap_err().to_string();
        assert!(text.contains("chmod 600"), "{text}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_missing_file_is_told_apart_from_an_unreadable_one() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read_if_there(&dir.path().join("x.pem"), Privacy::Public).unwrap().is_none());
        assert!(read_if_there(dir.path(), Privacy::Public).is_err(), "a folder is no file");
        assert!(read(&dir.path().join("x.pem"), Privacy::Public).is_err());
    }
}
