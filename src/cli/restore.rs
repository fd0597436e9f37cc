//! `wxgate restore FILE`: puts a backup in place, and what was there aside.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Args;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use serde_json::json;

use super::{
    backup::{FILES, KEY},
    exit::{Exit, Failure, because},
    host::{DATABASE, Host},
    output::Out,
};
use crate::{
    app::data_dir::DataDir,
    base::clock::{Clock as _, SystemClock},
    store::GATEWAY_SCHEMA,
};

/// Where from.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// A file that `wxgate backup` wrote
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
}

/// Refuses while a gateway runs. The backup is checked before anything is touched.
pub(super) fn run(args: &RestoreArgs, config: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let host = Host::load(config)?;
    let aside = put(&host, &args.file)?;
    if out.json {
        out.value(&json!({ "restored": args.file, "aside": aside }))?;
        return Ok(Exit::Done);
    }
    out.line(
        host.language().pick("备份已恢复；请启动网关", "the backup is in place; start the gateway"),
    )?;
    for old in &aside {
        let old = old.display();
        out.line(
            host.language().pick(&format!("旧文件在 {old}"), &format!("the old file is {old}")),
        )?;
    }
    Ok(Exit::Done)
}

/// Restores `file` into the data folder of `host`; returns where the old files are.
pub(super) fn put(host: &Host, file: &Path) -> Result<Vec<PathBuf>, Failure> {
    let key = inspect(file)?;
    // Held until all is done: no gateway can start on half a database.
    let folder = DataDir::take(&host.config.server.data_dir)?;
    let fresh = folder.file("wxgate.db.restored");
    unpack(file, &fresh)?;
    let aside = set_aside(&folder, key.is_some())?;
    let place = |error| because("cannot put the database in place", error);
    fs::rename(&fresh, folder.file(DATABASE)).map_err(place)?;
    if let Some(key) = key {
        folder.write(KEY, &key)?;
    }
    Ok(aside)
}

/// Gives the old files a second name; until the new ones replace them, they keep the first too,
/// so that there is a database at every moment. But not its log: a log that stands beside a
/// database that it does not belong to would spoil it.
fn set_aside(folder: &DataDir, with_key: bool) -> Result<Vec<PathBuf>, Failure> {
    let stamp = SystemClock.unix_ms();
    let old = |name: &str, tail: &str| {
        (
            folder.file(&format!("{name}{tail}")),
            folder.file(&format!("{name}.before-restore-{stamp}{tail}")),
        )
    };
    let mut files = vec![old(DATABASE, "-wal"), old(DATABASE, "-shm"), old(DATABASE, "")];
    if with_key {
        files.push(old(KEY, ""));
    }
    let mut aside = Vec::new();
    for (from, to) in files.into_iter().filter(|(from, _)| from.exists()) {
        let is_log = from.extension().is_some_and(|end| end != "db" && end != "key");
        let done = if is_log { fs::rename(&from, &to) } else { fs::hard_link(&from, &to) };
        done.map_err(|error| because(&format!("cannot set {} aside", from.display()), error))?;
        aside.push(to);
    }
    Ok(aside)
}

/// Checks a backup from end to end; returns the installation key that it holds.
///
/// # Errors
/// When it is damaged, no backup, or made by a later version.
pub(super) fn inspect(file: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let shown = file.display().to_string();
    if !file.is_file() {
        return Err(Failure::say(Exit::Failed, format!("there is no file {shown}")));
    }
    let broken = |error| because(&format!("{shown} is no readable backup"), error);
    let backup = open(file).map_err(broken)?;
    let verdict: String =
        backup.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(broken)?;
    if verdict != "ok" {
        return Err(Failure::say(Exit::Failed, format!("{shown} is damaged: {verdict}")));
    }
    let has_files: bool = backup
        .query_row("SELECT count(*) > 0 FROM sqlite_schema WHERE name = ?1", [FILES], |row| {
            row.get(0)
        })
        .map_err(broken)?;
    if !has_files {
        return Err(Failure::say(
            Exit::Failed,
            format!("{shown} is a database, but no backup of wxgate"),
        ));
    }
    let version: i64 =
        backup.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(broken)?;
    if usize::try_from(version).unwrap_or(usize::MAX) > GATEWAY_SCHEMA.len() {
        let text = format!("{shown} was made by a later version of wxgate; install that one first");
        return Err(Failure::say(Exit::Failed, text));
    }
    backup
        .query_row(&format!("SELECT content FROM {FILES} WHERE name = ?1"), [KEY], |row| row.get(0))
        .optional()
        .map_err(broken)
}

/// The database of the backup, without the table that only a backup has.
fn unpack(file: &Path, to: &Path) -> Result<(), Failure> {
    let wrap = |error| because(&format!("cannot write {}", to.display()), error);
    let content = fs::read(file)
        .map_err(|error| because(&format!("cannot read {}", file.display()), error))?;
    let mut fresh = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(to)
        .map_err(wrap)?;
    fresh.write_all(&content).and_then(|()| fresh.sync_all()).map_err(wrap)?;
    let strip = || {
        let database = Connection::open(to)?;
        // Its pages held the installation key.
        database.pragma_update(None, "secure_delete", "ON")?;
        database.execute_batch(&format!("DROP TABLE {FILES}"))
    };
    strip().map_err(|error| because("cannot unpack the backup", error))
}

fn open(file: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
}

#[cfg(test)]
mod tests;
