//! Blocked paths as rows of `wxgate.db`.

use rusqlite::{Connection, Transaction, params};

/// One path that the platform refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) account: String,
    pub(super) path: String,
    pub(super) errcode: i64,
    pub(super) since_ms: i64,
    pub(super) until_ms: i64,
}

/// The blocks that last beyond `now_ms`.
pub(super) fn since(connection: &Connection, now_ms: i64) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare(
        "SELECT account, path, errcode, since_ms, until_ms FROM quota_block WHERE until_ms > ?1",
    )?;
    let rows = statement.query_map([now_ms], |row| {
        Ok(Row {
            account: row.get(0)?,
            path: row.get(1)?,
            errcode: row.get(2)?,
            since_ms: row.get(3)?,
            until_ms: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// Makes the table hold exactly `rows`. There are few, and they change seldom.
pub(super) fn replace(transaction: &Transaction<'_>, rows: &[Row]) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM quota_block", [])?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO quota_block (account, path, errcode, since_ms, until_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for row in rows {
        statement.execute(params![
            row.account,
            row.path,
            row.errcode,
            row.since_ms,
            row.until_ms
        ])?;
    }
    Ok(())
}
