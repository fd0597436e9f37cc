//! Puts the files of a new installation in place, checked, or none of them.

use std::{
    fs::{self, DirBuilder, File},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::{plan::Plan, toml_text};
use crate::{
    base::secret::Secret,
    cli::exit::{Exit, Failure, because},
    config,
};

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    /// proxy.toml.
    pub(super) config: PathBuf,
    /// The AppSecret's file.
    pub(super) secret: Option<PathBuf>,
}

/// Asked before any question: nobody types a secret in vain.
pub(super) fn refuse_to_overwrite(file: &Path, force: bool) -> Result<(), Failure> {
    if !file.exists() || force {
        return Ok(());
    }
    let text = format!("{} exists already; nothing was written", file.display());
    Err(Failure::say(Exit::Failed, text).hint("--force overwrites it; --config names another file"))
}

/// Writes the secret, checks the configuration that refers to it, and writes that.
pub(super) fn files(plan: &Plan, file: &Path, force: bool) -> Result<Written, Failure> {
    let folder = std::path::absolute(file)?.parent().map_or_else(PathBuf::new, Path::to_owned);
    fs::create_dir_all(&folder)?;
    let relative = Path::new("secrets").join(plan.name.as_str());
    let secret = plan.app_secret.as_ref().map(|secret| (folder.join(&relative), secret));
    if let Some((path, secret)) = &secret {
        refuse_to_overwrite(path, force)?;
        keep_secret(path, secret)?;
    }
    let text = toml_text::of(plan, secret.is_some().then_some(relative.as_path()));
    let env = |name: &str| std::env::var(name).ok();
    let done = config::check_text(&text, &folder, &env)
        .map_err(|problems| {
            let text = format!("this does not make a configuration:\n{problems}");
            Failure::say(Exit::Usage, text)
        })
        .and_then(|_| put(file, text.as_bytes(), 0o644));
    if let (Err(_), Some((path, _))) = (&done, &secret) {
        // A secret without a configuration is of no use to anybody.
        let _ = fs::remove_file(path);
    }
    done?;
    Ok(Written { config: file.to_owned(), secret: secret.map(|(path, _)| path) })
}

fn keep_secret(path: &Path, secret: &Secret) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        let wrap = |error| because(&format!("cannot make {}", folder.display()), error);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(wrap)?;
    }
    put(path, secret.expose().as_bytes(), 0o600)
}

/// A whole file with this mode, or the old one.
fn put(path: &Path, content: &[u8], mode: u32) -> Result<(), Failure> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let write = || {
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(mode).open(&fresh)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(content).and_then(|()| file.sync_all())?;
        fs::rename(&fresh, path)
    };
    write().map_err(|error| because(&format!("cannot write {}", path.display()), error))
}
