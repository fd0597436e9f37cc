//! Where proxy.toml is found, and its bytes.

use std::{
    fs::File,
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use crate::base::kind::Language;

use super::{
    message::say,
    problem::{Problem, Problems},
};

/// The bytes of a configuration, not yet looked at.
#[derive(Clone, Debug)]
pub struct ConfigSource {
    /// The file as it was named; none for the built-in text.
    pub file: Option<PathBuf>,
    /// Absolute; relative paths of the text count from here.
    pub folder: PathBuf,
    /// The text. Whether it is UTF-8 and TOML is checked when it is loaded.
    pub bytes: Vec<u8>,
}

impl ConfigSource {
    /// Reads `file`.
    ///
    /// # Errors
    /// [`ConfigError`] when it is missing, not readable, no file, or absurdly long.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { file: file.to_owned(), source };
        let absolute = std::path::absolute(file).map_err(unreadable)?;
        let mut bytes = Vec::new();
        let open = File::open(file).map_err(|source| match source.kind() {
            ErrorKind::NotFound => ConfigError::Missing { file: file.to_owned(), source },
            _ => unreadable(source),
        })?;
        open.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(ConfigError::TooLong { file: file.to_owned() });
        }
        let folder = absolute.parent().unwrap_or(&absolute).to_owned();
        Ok(Self { file: Some(file.to_owned()), folder, bytes })
    }

    /// The shipped proxy.toml: one account, on the sandbox. Its relative paths count from
    /// `folder`, which must be absolute.
    #[must_use]
    pub fn builtin(folder: &Path) -> Self {
        Self { file: None, folder: folder.to_owned(), bytes: SHIPPED.into() }
    }
}

/// Finds the configuration: the file that was named, else `./proxy.toml`, else
/// `/etc/wxgate/proxy.toml`, else the shipped text with paths relative to the current folder.
///
/// A file that exists but cannot be read is an error, never a reason to try the next place: a
/// gateway with somebody else's settings is worse than none.
///
/// # Errors
/// [`ConfigError`].
pub fn find(explicit: Option<&Path>) -> Result<ConfigSource, ConfigError> {
    let here = || {
        std::env::current_dir()
            .map_err(|source| ConfigError::Unreadable { file: PathBuf::from("."), source })
    };
    find_among(explicit, &["proxy.toml".as_ref(), SYSTEM_FILE.as_ref()], here)
}

/// [`find`] with its places as arguments, so that tests need not change folder.
fn find_among(
    explicit: Option<&Path>,
    places: &[&Path],
    here: impl FnOnce() -> Result<PathBuf, ConfigError>,
) -> Result<ConfigSource, ConfigError> {
    if let Some(file) = explicit {
        return ConfigSource::read(file);
    }
    for place in places {
        match ConfigSource::read(place) {
            Err(ConfigError::Missing { .. }) => {}
            found => return found,
        }
    }
    Ok(ConfigSource::builtin(&here()?))
}

/// No configuration could be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named does not exist.
    #[error("{} does not exist; name another with --config, or leave it out", file.display())]
    Missing {
        /// As it was named.
        file: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file exists and cannot be read.
    #[error("{} cannot be read; check its owner and mode", file.display())]
    Unreadable {
        /// As it was named.
        file: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// No configuration is that long; this is some other file.
    #[error("{} is longer than 1 MiB, so it is no proxy.toml", file.display())]
    TooLong {
        /// As it was named.
        file: PathBuf,
    },
}

impl ConfigError {
    /// The same in the shape of a report, for `check --json`.
    #[must_use]
    pub fn to_problems(&self) -> Problems {
        let advice = say!("用 --config 指定另一个文件", "name another file with --config");
        let (file, message) = match self {
            Self::Missing { file, .. } => (file, say!("文件不存在", "the file does not exist")),
            Self::Unreadable { file, source } => {
                let cause = source.kind();
                (file, say!("文件不可读：{cause}", "the file cannot be read: {cause}"))
            }
            Self::TooLong { file } => (file, say!("文件超过 1 MiB", "the file is over 1 MiB")),
        };
        Problems::new(Some(file), Language::Both, vec![Problem::of_file(message, advice)])
    }
}

/// The documented example and the default.
pub(super) const SHIPPED: &str = include_str!("../../proxy.toml");

/// Where packages put it.
const SYSTEM_FILE: &str = "/etc/wxgate/proxy.toml";
/// A thousand accounts fit into half of it.
const MOST_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_that_is_missing_is_fatal() {
        let folder = tempfile::tempdir().unwrap();
        let error = find(Some(&folder.path().join("nope.toml"))).unwrap_err();
        assert!(matches!(error, ConfigError::Missing { .. }), "{error}");
        let report = error.to_problems().in_language(Language::En).to_string();
        assert!(
            report.contains("nope.toml: the file does not exist\n  = name another"),
            "{report}"
        );
        let error = find(Some(folder.path())).unwrap_err();
        assert!(matches!(error, ConfigError::Unreadable { .. }), "a folder: {error}");
    }

    #[test]
    fn the_first_place_with_a_file_wins_and_without_any_the_shipped_text_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one.toml"), folder.path().join("two.toml"));
        let here = || Ok(folder.path().to_owned());
        let places = [one.as_path(), two.as_path()];
        let builtin = find_among(None, &places, here).unwrap();
        assert_eq!((builtin.file, builtin.folder.as_path()), (None, folder.path()));
        std::fs::write(&two, "# two").unwrap();
        assert_eq!(find_among(None, &places, here).unwrap().bytes, b"# two");
        std::fs::write(&one, "# one").unwrap();
        let found = find_among(None, &places, here).unwrap();
        assert_eq!((found.file.as_deref(), found.folder.as_path()), (Some(&*one), folder.path()));
    }

    #[test]
    fn a_file_that_cannot_be_read_hides_the_places_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let two = folder.path().join("two.toml");
        std::fs::write(&two, "").unwrap();
        let here = || Ok(folder.path().to_owned());
        let error = find_among(None, &[folder.path(), &two], here).unwrap_err();
        assert!(matches!(error, ConfigError::Unreadable { .. }), "{error}");
        std::fs::write(&two, vec![b'#'; (1 << 20) + 1]).unwrap();
        let error = ConfigSource::read(&two).unwrap_err();
        assert!(matches!(error, ConfigError::TooLong { .. }), "{error}");
    }
}
