//! The whole of proxy.toml: from bytes to a [`Config`], or to everything that is wrong with it.

use std::path::Path;

use toml::de::DeTable;

use crate::base::kind::Language;

use super::{
    account, capture, client_ca, key, limit, log,
    message::say,
    metrics,
    model::Config,
    problem::{Problem, Problems},
    reading::{Env, Reading},
    server,
    source::{ConfigSource, SHIPPED},
    table::Table,
    tls, token,
};

/// Reads a configuration. Secrets are resolved, and files that it names must be there.
///
/// # Errors
/// All mistakes at once; only a mistake of syntax hides the others.
pub fn load(source: &ConfigSource, env: &Env<'_>) -> Result<Config, Problems> {
    let file = source.file.as_deref();
    match std::str::from_utf8(&source.bytes) {
        Ok(text) => read(text, file, &source.folder, env, true),
        Err(error) => {
            let good = source.bytes.get(..error.valid_up_to()).unwrap_or_default();
            Err(Problems::new(file, Language::Both, vec![not_utf8(good)]))
        }
    }
}

/// [`load`] without following references to secrets, for a command that needs none: on the
/// command line the service's environment and systemd's credentials are not there.
///
/// # Errors
/// Like [`load`].
pub fn load_without_secrets(source: &ConfigSource, env: &Env<'_>) -> Result<Config, Problems> {
    let file = source.file.as_deref();
    match std::str::from_utf8(&source.bytes) {
        Ok(text) => read(text, file, &source.folder, env, false),
        // The other way says what is wrong with the bytes.
        Err(_) => load(source, env),
    }
}

/// Reads a text that stands in no file, for instance from an editor or a test. Its relative
/// paths count from `folder`, which must be absolute.
///
/// # Errors
/// Like [`load`].
pub fn check_text(text: &str, folder: &Path, env: &Env<'_>) -> Result<Config, Problems> {
    read(text, None, folder, env, true)
}

impl Config {
    /// The shipped proxy.toml: one account `demo` on the sandbox, TLS on loopback.
    ///
    /// `folder` is what its relative paths count from; it must be absolute.
    #[must_use]
    pub fn builtin(folder: &Path) -> Self {
        check_text(SHIPPED, folder, &|_| None)
            .expect("the shipped proxy.toml is right wherever it stands: it names no file to read")
    }
}

/// The language of the report is the one that the file asks for, if that much can be read.
fn read(
    text: &str,
    file: Option<&Path>,
    folder: &Path,
    env: &Env<'_>,
    opens_secrets: bool,
) -> Result<Config, Problems> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reading = Reading::new(text, document.get_ref(), folder, env);
    reading.opens_secrets = opens_secrets;
    if !reading.note_syntax(&errors) {
        return Err(reading.into_problems(file, Language::Both));
    }
    let config = read_tables(&Table::top(&reading, document.get_ref()), file);
    let problems = reading.into_problems(file, config.server.language);
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

/// Reads every table. The result is only good if nothing was noted on the way.
fn read_tables(top: &Table<'_>, file: Option<&Path>) -> Config {
    let server = server::read(&top.table("server"));
    let accounts = account::read_all(top, &server);
    let tls = top.table("tls");
    Config {
        file: file.map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned())),
        tls: tls::read(&tls),
        client_ca: client_ca::read(&tls.field("client_ca")),
        keys: key::read_all(top, &accounts),
        limits: limit::read(&top.table("limits")),
        token: token::read(&top.table("token")),
        capture: capture::read(&top.table("capture")),
        metrics: metrics::read(&top.table("metrics"), &server),
        log: log::read(&top.table("log")),
        accounts: accounts.list,
        server,
    }
}

/// `good` is what could be read before the first bad byte.
fn not_utf8(good: &[u8]) -> Problem {
    let line_start = good.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let last_line = good.get(line_start..).unwrap_or_default();
    Problem {
        key: String::new(),
        line: 1 + good.iter().filter(|byte| **byte == b'\n').count(),
        column: 1 + String::from_utf8_lossy(last_line).chars().count(),
        message: say!("文件不是 UTF-8 编码", "the file is not UTF-8"),
        suggestion: Some(say!("请另存为 UTF-8（不是 GBK）", "save it as UTF-8, not as GBK")),
        excerpt: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Files, expect_problems};
    use super::*;

    #[test]
    fn every_mistake_is_reported_at_once_with_its_place() {
        let text = "\
[server]
listen = [\"https://127.0.0.1:8443\"]
lisen = []
body_max = \"512MB\"

[[account]]
name = \"demo\"
app_id = \"wx0123456789abcdef\"
upstrem = \"sandbox\"
force_refresh = \"auto\"

[limits]
  in_flight = \"many\"
";
        let problems = check_text(text, Path::new("/x"), &|_| None).unwrap_err();
        let seen: Vec<_> = problems.iter().map(|p| (p.line, p.column, p.key.as_str())).collect();
        let wanted = [
            (3, 1, "server.lisen"),
            (4, 12, "server.body_max"),
            (9, 1, "account[0].upstrem"),
            (10, 17, "account[0].force_refresh"),
            (13, 15, "limits.in_flight"),
        ];
        assert_eq!(seen, wanted);
        let shown = problems.in_language(Language::En).to_string();
        for part in [
            "proxy.toml:3:1: server.lisen: unknown key",
            "= did you mean \"listen\"?",
            "= write \"512MiB\"",
            "  9 | upstrem = \"sandbox\"\n    | ^^^^^^^\n  = did you mean \"upstream\"?",
            "  10 | force_refresh = \"auto\"\n     |                 ^^^^^^",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
    }

    #[test]
    fn unknown_tables_and_tables_of_later_versions_are_refused() {
        expect_problems(
            "[sever]\n[console]\nallow = []\n[cluster]\n[[alert]]\n[[accounts]]\n[x]\n",
            &[
                (1, "did you mean \"server\""),
                (2, "console is not in this version"),
                (4, "cluster is not in this version"),
                (5, "alert is not in this version"),
                (6, "did you mean \"account\""),
                (7, "unknown table"),
            ],
        );
        expect_problems(
            "server = 1\nworkers = 2\n",
            &[(1, "must be a table"), (2, "belongs in [server]")],
        );
    }

    #[test]
    fn a_key_before_the_first_table_is_told_where_it_belongs() {
        expect_problems("listen = []\n", &[(1, "belongs in [server]")]);
        expect_problems("level = 'info'\n", &[(1, "belongs in [log]")]);
    }

    #[test]
    fn a_key_that_stands_twice_hides_nothing_and_a_mistake_of_syntax_does() {
        let twice = "[server]\nworkers = 1\nworkers = 2\nbody_max = 1\n";
        expect_problems(twice, &[(3, "stands here twice"), (4, "must be a size")]);
        expect_problems("[server]\nworkers = \nlisen = 1\n", &[(2, "not TOML")]);
        expect_problems("[server\n", &[(1, "not TOML")]);
    }

    #[test]
    fn the_report_speaks_the_language_of_the_file() {
        let text = "[server]\nlanguage = 'zh'\nworkers = 'x'\n";
        let problems = check_text(text, Path::new("/x"), &|_| None).unwrap_err();
        let json = serde_json::to_value(&problems).unwrap();
        assert_eq!(json["problems"][1]["message"], "须为：整数；实际是字符串");
    }

    #[test]
    fn a_file_in_another_encoding_is_named_as_such() {
        let source = ConfigSource {
            file: Some("p.toml".into()),
            folder: "/x".into(),
            bytes: b"# a\n# \xe4\xb8\xad\xd6\xd0\n".to_vec(),
        };
        let problems = load(&source, &|_| None).unwrap_err();
        let first = problems.iter().next().unwrap();
        assert_eq!((first.line, first.column), (2, 4));
        assert!(problems.to_string().starts_with("p.toml:2:4: 文件不是 UTF-8"), "{problems}");
    }

    #[test]
    fn paths_count_from_the_folder_of_the_file() {
        let files = Files::new();
        files.write("proxy.toml", SHIPPED, 0o644);
        let source = ConfigSource::read(&files.path("proxy.toml")).unwrap();
        let config = load(&source, &|_| None).unwrap();
        assert_eq!(config.server.data_dir, files.path("data"));
        assert_eq!(config.file, Some(files.path("proxy.toml")));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(?s).{0,200}") {
            let _ = check_text(&text, Path::new("/x"), &|_| None).map_err(|p| p.to_string());
        }

        /// Lines of the shipped file, cut, doubled, mixed and damaged in one place.
        #[test]
        fn a_damaged_file_never_panics(
            picks in proptest::collection::vec((0_usize..400, 0_usize..80, ".?"), 1..40),
        ) {
            let lines: Vec<&str> = SHIPPED.lines().collect();
            let mut text = String::new();
            for (line, at, noise) in picks {
                let line = lines[line % lines.len()];
                let line = line.strip_prefix("# ").unwrap_or(line);
                let (head, tail) = line.split_at(line.floor_char_boundary(at));
                text.push_str(&format!("{head}{noise}{tail}\n"));
            }
            let _ = check_text(&text, Path::new("/x"), &|_| None).map_err(|p| p.to_string());
        }
    }
}
