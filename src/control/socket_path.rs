//! A path of a Unix socket that the system accepts, however deep the folder lies.

use std::{
    fs::File,
    io,
    os::{fd::AsRawFd as _, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
};

/// Where to bind or connect. The folder stays open as long as the path is used.
#[derive(Debug)]
pub(super) struct SocketPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl SocketPath {
    /// `path` itself, or a short way around through the open folder.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().as_bytes().len() <= LONGEST_BYTES {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        let folder = File::open(folder)?;
        let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
        Ok(Self { path: short, _folder: Some(folder) })
    }

    pub(super) fn as_path(&self) -> &Path {
        &self.path
    }
}

/// `sun_path` has 108 bytes on Linux and 104 on macOS, the last one zero.
const LONGEST_BYTES: usize = 103;

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_socket_in_a_very_deep_folder_can_be_reached() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a".repeat(100)).join("b".repeat(100));
        std::fs::create_dir_all(&deep).unwrap();
        let path = deep.join("control.sock");
        let listener = UnixListener::bind(SocketPath::of(&path).unwrap().as_path()).unwrap();
        assert!(path.exists());
        UnixStream::connect(SocketPath::of(&path).unwrap().as_path()).unwrap();
        listener.accept().unwrap();
        assert!(SocketPath::of(&deep.join("nothing/x.sock")).is_err());
    }
}
