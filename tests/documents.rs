//! Holds both READMEs to the program: every code, key, default, metric, and to each other.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use wxgate::base::code::ErrorCode;

const READMES: [&str; 2] = ["README.md", "README.zh-CN.md"];

#[test]
fn every_subcommand_has_a_row_and_every_row_has_a_subcommand() {
    let output = Command::new(env!("CARGO_BIN_EXE_wxgate")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: BTreeSet<&str> = listed
        .take_while(|line| !line.trim().is_empty())
        // A wrapped description is indented further.
        .filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.len() > 10 && commands.contains("serve"), "{help}");
    for readme in READMES {
        let text = read(readme);
        let rows = rows(&text);
        let told: BTreeSet<&str> = rows
            .iter()
            .filter_map(|row| row.first()?.strip_prefix("`wxgate ")?.strip_suffix('`'))
            .collect();
        assert_eq!(told, commands, "{readme}: commands that have a row, and those that exist");
    }
}

#[test]
fn every_error_code_has_a_row_with_its_status_and_number() {
    for readme in READMES {
        let text = read(readme);
        for code in ErrorCode::ALL {
            let row =
                format!("| `{}` | {} | {} |", code.name(), code.status().as_u16(), code.errcode());
            let found = text.lines().filter(|line| line.starts_with(&row)).count();
            assert_eq!(found, 1, "{readme} must have one row that begins with: {row}");
        }
    }
}

#[test]
fn no_row_tells_of_an_error_code_that_does_not_exist() {
    for readme in READMES {
        for row in rows(&read(readme)) {
            let Some(number) = row.get(2).and_then(|cell| cell.parse::<i64>().ok()) else {
                continue;
            };
            if number < -90_000 {
                assert!(
                    ErrorCode::from_errcode(number).is_some(),
                    "{readme}: {number} is no errcode"
                );
            }
        }
    }
}

#[test]
fn every_key_of_the_shipped_file_has_a_row_and_every_row_has_a_key() {
    let known: BTreeSet<String> = keys().into_iter().map(|key| key.path).collect();
    assert!(known.len() > 50 && known.contains("account.egress.bind"), "{known:?}");
    for readme in READMES {
        let told: BTreeSet<String> = key_rows(&read(readme)).into_iter().map(|row| row.0).collect();
        let missing: Vec<_> = known.difference(&told).collect();
        let stale: Vec<_> = told.difference(&known).collect();
        assert!(missing.is_empty(), "{readme} has no row for {missing:?}");
        assert!(stale.is_empty(), "{readme} has rows for {stale:?}, proxy.toml does not");
    }
}

#[test]
fn a_default_that_is_in_force_is_told_as_the_shipped_file_writes_it() {
    let keys = keys();
    for readme in READMES {
        let rows = key_rows(&read(readme));
        // An account and its limit are examples there: only what an account may leave out has
        // a default.
        let required = ["account.name", "account.app_id", "account.upstream"];
        let defaults = keys.iter().filter(|key| {
            key.is_set
                && !required.contains(&key.path.as_str())
                && !key.path.starts_with("account.limit.")
        });
        for key in defaults {
            let told = rows.iter().find(|row| row.0 == key.path).map(|row| row.1.as_str());
            let wanted = format!("`{}`", key.value);
            assert_eq!(told, Some(wanted.as_str()), "{readme}: default of {}", key.path);
        }
    }
}

#[test]
fn every_metric_is_named() {
    let mut metrics = BTreeSet::new();
    for file in rust_files(Path::new("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        let prefix = if file.starts_with("src/capture") { "wxgate_capture_" } else { "wxgate_" };
        for call in ["registry.register(", "encode_descriptor("] {
            let names =
                product.split(call).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            metrics.extend(
                names.filter_map(|rest| Some(format!("{prefix}{}", rest.split_once('"')?.0))),
            );
        }
    }
    assert!(metrics.len() > 20 && metrics.contains("wxgate_requests"), "{metrics:?}");
    for readme in READMES {
        let text = read(readme);
        for metric in &metrics {
            let is_named = text.split('`').any(|word| {
                let word = word.split('{').next().unwrap_or_default();
                word == metric
                    || word.strip_suffix("_total") == Some(metric)
                    || word.strip_suffix("_info") == Some(metric)
            });
            assert!(is_named, "{readme} does not name {metric}");
        }
    }
}

#[test]
fn both_languages_have_the_same_chapters_examples_and_rows() {
    let [english, chinese] = READMES.map(read);
    let levels = |text: &str| -> Vec<usize> {
        let lines = without_code(text);
        lines
            .iter()
            .filter(|l| l.starts_with('#'))
            .map(|l| l.bytes().take_while(|b| *b == b'#').count())
            .collect()
    };
    assert_eq!(levels(&english), levels(&chinese), "levels of the headings");
    let first_cells = |text: &str| -> Vec<String> {
        let cells = rows(text).into_iter().filter_map(|row| row.into_iter().next());
        cells.filter(|cell| cell.starts_with('`') && cell.ends_with('`')).collect()
    };
    assert_eq!(first_cells(&english), first_cells(&chinese), "names in the first column of tables");
    let commands = |text: &str| -> Vec<String> {
        let code = code_lines(text);
        let bare = code.iter().map(|line| line.split(" #").next().unwrap_or_default().trim_end());
        bare.filter(|line| line.is_ascii() && !line.is_empty()).map(ToOwned::to_owned).collect()
    };
    assert_eq!(commands(&english), commands(&chinese), "lines of code");
}

#[test]
fn the_page_beside_production_is_linked_and_the_same_in_both_languages() {
    let pages = ["docs/BESIDE-PRODUCTION.md", "docs/BESIDE-PRODUCTION.zh-CN.md"];
    let shapes = pages.map(|page| {
        let text = read(page);
        let lines = without_code(&text);
        let is_heading = |line: &&&str| line.starts_with('#');
        let headings = lines.iter().filter(is_heading).count();
        let is_command = |line: &&str| line.starts_with("wxgate ") || line.contains(" = ");
        let commands = code_lines(&text).into_iter().filter(is_command).map(str::to_owned);
        (headings, rows(&text).len(), commands.collect::<Vec<_>>())
    });
    assert!(shapes[0].0 > 8 && !shapes[0].2.is_empty(), "{:?}", shapes[0]);
    assert_eq!(shapes[0], shapes[1], "headings, rows and commands");
    for (readme, page) in READMES.into_iter().zip(pages) {
        assert!(read(readme).contains(&format!("]({page})")), "{readme} does not link {page}");
    }
}

/// A key of proxy.toml.
struct Key {
    /// `account.egress.bind`.
    path: String,
    /// As the file writes it.
    value: String,
    /// Whether it is in force, not only shown in a comment.
    is_set: bool,
}

/// The keys of the shipped file, those in comments (`# key = value`) too.
fn keys() -> Vec<Key> {
    let mut table = String::new();
    let mut keys = Vec::new();
    for line in read("proxy.toml").lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some(name) = heading(bare) {
            name.clone_into(&mut table);
            continue;
        }
        let Some((key, value)) = bare.split_once(" = ").filter(|(key, _)| is_key(key)) else {
            continue;
        };
        let path = format!("{table}.{key}");
        if let Some(inside) = value.strip_prefix("{ ").and_then(|v| v.strip_suffix(" }")) {
            for (key, value) in inside.split(", ").filter_map(|pair| pair.split_once(" = ")) {
                keys.push(Key {
                    path: format!("{path}.{key}"),
                    value: value.to_owned(),
                    is_set: false,
                });
            }
            continue;
        }
        keys.push(Key { path, value: value.to_owned(), is_set: bare == line });
    }
    keys
}

/// `[server]` and `[[account.limit]]`, with whatever stands behind them.
fn heading(line: &str) -> Option<&str> {
    let name = line.strip_prefix("[[").or_else(|| line.strip_prefix('['))?.split(']').next()?;
    (!name.is_empty() && name.split('.').all(is_key)).then_some(name)
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Rows of four cells whose first is a key with its table, as `server.listen`: the key and its
/// default.
fn key_rows(text: &str) -> Vec<(String, String)> {
    let tables: BTreeSet<String> =
        keys().iter().filter_map(|key| Some(key.path.split_once('.')?.0.to_owned())).collect();
    let of_row = |row: Vec<String>| {
        let key = row.first()?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        let (table, rest) = key.split_once('.')?;
        let is_one = row.len() == 4 && tables.contains(table) && rest.split('.').all(is_key);
        is_one.then(|| (key.clone(), row.get(2).cloned().unwrap_or_default()))
    };
    rows(text).into_iter().filter_map(of_row).collect()
}

/// The cells of every table's rows.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = without_code(text);
    let rows = lines.iter().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn without_code(text: &str) -> Vec<&str> {
    fenced(text, false)
}

fn code_lines(text: &str) -> Vec<&str> {
    fenced(text, true)
}

/// The lines inside of code fences, or those outside.
fn fenced(text: &str, inside: bool) -> Vec<&str> {
    let mut is_inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_inside = !is_inside;
        } else if is_inside == inside {
            lines.push(line);
        }
    }
    lines
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{}: {error}", dir.display())).path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"))
}
