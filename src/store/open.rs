//! Opening a SQLite file: settings, check, migrations, and who may read it.

use std::{path::Path, time::Duration};

use rusqlite::Connection;

use super::error::StoreError;

/// How much a commit must survive. All survive a kill of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Power loss: keys, tokens, budgets.
    Full,
    /// A crash of the process, not of the machine: captures.
    Process,
}

/// Opens the file with the right settings, checks it, brings its tables up to date.
pub(super) fn open_checked(
    path: &Path,
    schema: &[&str],
    durability: Durability,
) -> Result<Connection, StoreError> {
    let wrap = |source| StoreError::of(path, source);
    let mut connection = Connection::open(path).map_err(wrap)?;
    restrict(path)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(wrap)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Process => "NORMAL",
    };
    // auto_vacuum must stand before the first table, or it needs a full VACUUM later.
    for (pragma, value) in [
        ("auto_vacuum", "INCREMENTAL"),
        ("journal_mode", "WAL"),
        ("synchronous", synchronous),
        ("secure_delete", "ON"),
        ("journal_size_limit", "67108864"),
    ] {
        connection.pragma_update(None, pragma, value).map_err(wrap)?;
    }
    let is_small = std::fs::metadata(path).is_ok_and(|meta| meta.len() <= CHECKED_MOST_BYTES);
    if durability == Durability::Full || is_small {
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(wrap)?;
        if verdict != "ok" {
            return Err(StoreError::Corrupt { path: path.to_owned(), detail: verdict });
        }
    }
    migrate(&mut connection, path, schema)?;
    Ok(connection)
}

fn restrict(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode)
        .map_err(|source| StoreError::Mode { path: path.to_owned(), source })
}

fn migrate(connection: &mut Connection, path: &Path, schema: &[&str]) -> Result<(), StoreError> {
    let wrap = |source| StoreError::of(path, source);
    let found: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(wrap)?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if found > schema.len() {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: schema.len() });
    }
    for (version, statements) in schema.iter().enumerate().skip(found) {
        let transaction = connection.transaction().map_err(wrap)?;
        transaction
            .execute_batch(statements)
            .and_then(|()| transaction.pragma_update(None, "user_version", version as i64 + 1))
            .and_then(|()| transaction.commit())
            .map_err(wrap)?;
    }
    Ok(())
}

/// The check reads every page, which takes seconds for a capture of 2 GiB. A larger file that
/// need not be durable is taken as it is; its writer notices damage when it gets there.
const CHECKED_MOST_BYTES: u64 = 32 << 20;

/// Somebody may hold the file for a moment: a backup, a shell.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
