//! The files that are written, and those that are left alone.

use std::{fs, os::unix::fs::PermissionsExt as _};

use clap::Parser;
use serde_json::Value;

use super::*;

/// The flags as somebody types them.
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: PostmanArgs,
}

const QUIET: Out = Out { json: true, color: false };

fn write(folder: &Path, more: &[&str]) -> Result<Exit, Failure> {
    let out = folder.to_string_lossy();
    let line = ["x", "--url", "https://gate.example", "--account", "shop", "--out", &out];
    let args = Line::try_parse_from([&line[..], more].concat()).unwrap().args;
    run(&args, None, &QUIET)
}

fn read(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
}

#[test]
fn both_files_are_written_and_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("new");
    write(&folder, &[]).unwrap();
    let first = fs::read(folder.join(COLLECTION)).unwrap();
    assert_eq!(read(&folder, ENVIRONMENT)["values"][0]["value"], "https://gate.example");
    write(&folder, &[]).unwrap();
    assert!(fs::read(folder.join(COLLECTION)).unwrap() == first, "the same every time");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing is left beside them");
}

#[test]
fn what_belongs_to_somebody_else_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [(COLLECTION, "{\"info\":{}}"), (ENVIRONMENT, "no json")] {
        fs::write(dir.path().join(name), text).unwrap();
        let failure = write(dir.path(), &[]).unwrap_err();
        assert!(failure.text().unwrap().contains("nothing was written"), "{failure:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        write(dir.path(), &["--force"]).unwrap();
        fs::remove_file(dir.path().join(COLLECTION)).unwrap();
        fs::remove_file(dir.path().join(ENVIRONMENT)).unwrap();
    }
}

#[test]
fn a_key_that_somebody_entered_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[]).unwrap();
    let mut environment = read(dir.path(), ENVIRONMENT);
    assert_eq!(environment["values"][1]["key"], "key");
    environment["values"][1]["value"] = "wxgk_mine".into();
    fs::write(dir.path().join(ENVIRONMENT), environment.to_string()).unwrap();
    assert!(write(dir.path(), &[]).unwrap_err().text().unwrap().contains("holds a key"));
    write(dir.path(), &["--force"]).unwrap();
}

#[test]
fn a_file_with_a_key_is_for_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let file = Written::new(&dir.path().join("e.json"), "/id", "x", &Value::Null).unwrap();
    file.with_secret(true).write().unwrap();
    let mode = fs::metadata(dir.path().join("e.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_variable_without_a_key_is_told_without_its_value() {
    let dir = tempfile::tempdir().unwrap();
    let failure = write(dir.path(), &["--key-env=WXGATE_TEST_NO_SUCH_KEY"]).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    let failure = write(dir.path(), &["--key-env=PATH"]).unwrap_err();
    let told = failure.text().unwrap();
    assert!(failure.exit == Exit::Usage && !told.contains("/bin"), "{told}");
}
