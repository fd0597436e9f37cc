//! Dependencies point down only: reads every `use crate::` and holds it against the table.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::{fs, path::Path};

/// Rooms by rank; the same table stands in docs/ARCHITECTURE.md, and a test compares them.
const RANKS: &[(usize, &[&str])] = &[
    (6, &["cli", "main"]),
    (5, &["app"]),
    (4, &["proxy", "control"]),
    (3, &["sandbox", "scenario", "postman"]),
    (2, &["edge", "access", "token", "upstream", "capture"]),
    (1, &["config", "wechat", "store", "wire"]),
    (0, &["base"]),
];

#[test]
fn rooms_use_only_rooms_below_them() {
    let mut wrong = Vec::new();
    for file in rust_files(Path::new("src")) {
        let room = room_of(&file);
        let text = fs::read_to_string(&file).unwrap();
        for used in used_rooms(&text, room == "main") {
            // The program is two lines, and `cli` is all that it calls.
            if used == room || room == "lib" || (room == "main" && used == "cli") {
                continue;
            }
            let (Some(own), Some(other)) = (rank(&room), rank(&used)) else {
                wrong.push(format!("{}: `{room}` or `{used}` stands in no rank", file.display()));
                continue;
            };
            if own <= other {
                wrong.push(format!(
                    "{}: {room} (rank {own}) uses {used} (rank {other})",
                    file.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_of_ranks_stands_in_the_architecture() {
    let text = fs::read_to_string("docs/ARCHITECTURE.md").unwrap();
    for (rank, rooms) in RANKS {
        let names = rooms.iter().map(|room| format!("`{room}`")).collect::<Vec<_>>().join(", ");
        let row = format!("| {rank} | {names} |");
        assert!(text.contains(&row), "docs/ARCHITECTURE.md lacks the row {row}");
    }
}

#[test]
fn every_room_says_what_lives_there() {
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let text = fs::read_to_string(path.join("mod.rs")).unwrap();
            assert!(text.starts_with("//! "), "{} has no crate-style doc", path.display());
        }
    }
}

fn rank(room: &str) -> Option<usize> {
    RANKS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(rank, _)| *rank)
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// `src/token/broker.rs` -> `token`; `src/main.rs` -> `main`.
fn room_of(file: &Path) -> String {
    let inside = file.strip_prefix("src").unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Every room that stands behind `crate::`, in a `use` (also in a group) or in a path.
///
/// The program sees the library by its name; elsewhere that name stands in log targets.
fn used_rooms(text: &str, is_program: bool) -> Vec<String> {
    let mut rooms = Vec::new();
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let prefix = if is_program { "wxgate::" } else { "crate::" };
    for behind in code.split(prefix).skip(1) {
        if let Some(group) = behind.strip_prefix('{') {
            rooms.extend(group_heads(group));
        } else {
            rooms.push(identifier(behind));
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

/// The first word of each entry of a `use` group, nested groups passed over.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut at_head) = (0_i32, true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_head = true,
            _ if at_head && !letter.is_whitespace() => {
                heads.push(identifier(&group[at..]));
                at_head = false;
            }
            _ => {}
        }
    }
    heads
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

#[test]
fn the_reader_of_imports_sees_groups_paths_and_nesting() {
    let text = "use crate::{base::{a, b}, config::model};\nlet x = crate::token::y();\n// crate::edge\nuse crate::wire::Z;";
    assert_eq!(used_rooms(text, false), ["base", "config", "token", "wire"]);
}
