//! `wxgate backup FILE`: keys, sealed tokens, budgets and the key that opens them, in one file.
//!
//! The file is a SQLite database: a consistent copy of `wxgate.db` with one table more, which
//! holds the other files. `restore` takes it apart again.

use std::{
    fs::{self, File},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Args;
use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
    params,
};
use serde_json::json;

use super::{
    exit::{Exit, Failure, because},
    host::{DATABASE, Host},
    output::Out,
};
use crate::store::Database;

/// Where to.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to write; it must not exist yet
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
}

/// Copies while the gateway runs or not. The copy is checked before it gets its name.
pub(super) fn run(args: &BackupArgs, config: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let host = Host::load(config)?;
    make(&host, &args.file)?;
    if out.json {
        let size = fs::metadata(&args.file)?.len();
        out.value(&json!({ "file": args.file, "size": size }))?;
    } else {
        let file = args.file.display();
        out.line(host.language().pick(
            &format!(
                "已备份到 {file}。它能解开令牌，请像 AppSecret 一样保管；proxy.toml 和 secrets/ 请另行备份。"
            ),
            &format!(
                "the backup is {file}. It opens the sealed tokens: keep it as safe as an AppSecret. \
                 proxy.toml and secrets/ are not in it."
            ),
        ))?;
    }
    Ok(Exit::Done)
}

/// Writes the backup of `host` to `file`, whole or not at all.
pub(super) fn make(host: &Host, file: &Path) -> Result<(), Failure> {
    if file.exists() {
        let text = format!("{} exists already; name another file", file.display());
        return Err(Failure::say(Exit::Failed, text));
    }
    let database = host.data_file(DATABASE);
    if !database.exists() {
        let text = format!("there is nothing to back up: {} does not exist", database.display());
        return Err(Failure::say(Exit::Failed, text));
    }
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let done = write(host, &database, &fresh).and_then(|()| {
        fs::rename(&fresh, file).map_err(|error| because("cannot name the backup", error))
    });
    if done.is_err() {
        // The reason is what counts, not what is left of the attempt.
        let _ = fs::remove_file(&fresh);
    }
    done
}

fn write(host: &Host, database: &Path, fresh: &Path) -> Result<(), Failure> {
    let wrap = |error| because(&format!("cannot write {}", fresh.display()), error);
    // Made first, so that it is nobody else's from its first byte on.
    File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(fresh)
        .map_err(wrap)?;
    copy(database, fresh, &host.data_file(KEY))
        .map_err(|error| because(&format!("cannot copy {}", database.display()), error))?;
    super::restore::inspect(fresh)?;
    File::open(fresh).and_then(|file| file.sync_all()).map_err(wrap)
}

fn copy(database: &Path, to: &Path, key: &Path) -> rusqlite::Result<()> {
    let source = Database::connect_reader(database)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let mut copy = Connection::open(to)?;
    {
        let backup = Backup::new(&source, &mut copy)?;
        // All at once: in steps, a gateway that writes would make it start over.
        match backup.step(-1)? {
            StepResult::Done => {}
            _ => return Err(busy()),
        }
    }
    // The copy of a file with a write-ahead log wants one too; a backup is one file.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.execute_batch(&format!(
        "CREATE TABLE {FILES} (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT"
    ))?;
    let insert = format!("INSERT INTO {FILES} VALUES (?1, ?2)");
    copy.execute(&insert, params!["version", env!("CARGO_PKG_VERSION").as_bytes()])?;
    // Read after the rows: a rotation meanwhile sealed some of them with the key that it added.
    if let Ok(key) = fs::read(key) {
        copy.execute(&insert, params![KEY, key])?;
    }
    Ok(())
}

/// Somebody held the file for longer than a reader waits.
fn busy() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}

/// Opens the sealed tokens; beside `wxgate.db` in the data folder.
pub(super) const KEY: &str = "installation.key";

/// The table that only a backup has.
pub(super) const FILES: &str = "wxgate_backup";
