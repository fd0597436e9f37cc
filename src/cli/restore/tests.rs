//! There and back again.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use super::*;
use crate::{
    cli::{backup, host},
    store::InstallationKey,
};

/// A database with one counter, and the installation key.
fn filled(folder: &Path, count: i64) -> (Host, Vec<u8>) {
    let host = host::tests::stopped(folder);
    let held = host.hold().unwrap();
    let insert = "INSERT INTO counter VALUES ('x', '2026-11-22', ?1, 0) \
                  ON CONFLICT DO UPDATE SET count = excluded.count";
    held.db.write_blocking(move |t| t.execute(insert, [count])).unwrap();
    InstallationKey::load_or_create(&host.data_file(KEY)).unwrap();
    drop(held);
    let key = fs::read(host.data_file(KEY)).unwrap();
    (host, key)
}

fn counted(host: &Host) -> i64 {
    let held = host.hold().unwrap();
    held.db
        .read_blocking(|c| c.query_row("SELECT count FROM counter", [], |row| row.get(0)))
        .unwrap()
}

#[test]
fn a_backup_of_an_open_database_restores_database_and_key_elsewhere() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (host, key) = filled(one.path(), 7);
    let file = one.path().join("wxgate.backup");
    {
        // Open for writing, with its last commit only in the write-ahead log.
        let running = host.hold().unwrap();
        running.db.write_blocking(|t| t.execute("UPDATE counter SET count = 8", [])).unwrap();
        backup::make(&host, &file).unwrap();
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!one.path().join("wxgate.backup.new").exists());
    let (other, other_key) = filled(two.path(), 1);
    assert_ne!(key, other_key);
    let aside = put(&other, &file).unwrap();
    assert_eq!(counted(&other), 8);
    assert_eq!(fs::read(other.data_file(KEY)).unwrap(), key);
    let old_key = aside.iter().find(|path| path.to_string_lossy().contains(KEY)).unwrap();
    assert_eq!(&fs::read(old_key).unwrap(), &other_key);
    assert!(aside.iter().any(|path| path.to_string_lossy().contains("wxgate.db.before-restore")));
    let restored = fs::read(other.data_file(DATABASE)).unwrap();
    assert!(
        !restored.windows(key.len()).any(|window| window == key),
        "the key is not in the database"
    );
}

#[test]
fn nothing_is_touched_while_a_gateway_holds_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (host, _) = filled(dir.path(), 7);
    let file = dir.path().join("b");
    backup::make(&host, &file).unwrap();
    let held = host.hold().unwrap();
    let failure = put(&host, &file).unwrap_err();
    assert!(failure.text().unwrap().contains("another gateway"), "{failure:?}");
    drop(held);
    assert_eq!(counted(&host), 7);
    assert!(backup::make(&host, &file).unwrap_err().text().unwrap().contains("exists already"));
}

#[test]
fn what_is_no_backup_is_refused_before_anything_moves() {
    let dir = tempfile::tempdir().unwrap();
    let (host, _) = filled(dir.path(), 7);
    let file = dir.path().join("b");
    backup::make(&host, &file).unwrap();
    let whole = fs::read(&file).unwrap();
    let bad = dir.path().join("bad");
    let refused = |content: &[u8]| {
        fs::write(&bad, content).unwrap();
        put(&host, &bad).unwrap_err().text().unwrap()
    };
    refused(
        b"not a database at all, but long enough to be looked at ................................",
    );
    refused(&whole[..whole.len() / 2]);
    let plain = host.data_file(DATABASE);
    assert!(put(&host, &plain).unwrap_err().text().unwrap().contains("no backup"));
    let newer = Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 9999).unwrap();
    drop(newer);
    assert!(put(&host, &file).unwrap_err().text().unwrap().contains("later version"));
    assert!(put(&host, Path::new("/nope")).unwrap_err().text().unwrap().contains("no file"));
    assert_eq!(counted(&host), 7);
}
