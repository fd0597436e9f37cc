//! Tests that hold the shipped proxy.toml to what it promises: every key, every default.

use std::path::Path;

use super::{
    file::check_text,
    model::Config,
    source::SHIPPED,
    testing::{Files, client_ca_pem},
    vocabulary::{TABLES, Words},
};

/// The lines that belong to a table, comments included, with `# ` taken off commented keys.
fn section(words: &Words) -> Vec<&'static str> {
    let bare = |line: &'static str| line.strip_prefix("# ").unwrap_or(line);
    let heading = words.heading();
    let is_heading =
        |line: &&str| line.starts_with("[[") || line.starts_with('[') && !line.starts_with("[\"");
    SHIPPED
        .lines()
        .map(bare)
        .skip_while(|line| !line.starts_with(&heading))
        .skip(1)
        .take_while(|line| !is_heading(line))
        .collect()
}

/// The key of a line `key = value`.
fn bare_key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_').then_some(key)
}

fn read(text: &str) -> Config {
    check_text(text, Path::new("/x"), &|_| None).unwrap_or_else(|p| panic!("{text}\n{p}"))
}

/// The shipped file with every commented key in force.
fn uncommented() -> String {
    let line = |line: &str| {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_code = bare_key(bare).is_some() || bare.starts_with("[[");
        format!("{}\n", if is_code { bare } else { line })
    };
    SHIPPED.lines().map(line).collect()
}

#[test]
fn the_shipped_file_works_as_it_is() {
    let config = Config::builtin(Path::new("/x"));
    assert_eq!(config.accounts.len(), 1);
    let demo = &config.accounts[0];
    assert_eq!((demo.name.as_str(), demo.app_id.as_str()), ("demo", "wx0123456789abcdef"));
    assert_eq!(config.server.listen[0].to_string(), "https://127.0.0.1:8443");
    assert_eq!(config.server.data_dir, Path::new("/x/data"));
    assert!(super::remarks(&config).is_empty());
}

#[test]
fn every_key_stands_in_the_shipped_file_in_its_table_once() {
    for words in TABLES.iter().filter(|words| !words.table.is_empty()) {
        let lines = if words.table == "account.egress" {
            // An inline table: its keys stand in one line.
            let egress = SHIPPED.lines().find(|line| line.starts_with("# egress = ")).unwrap();
            egress.split(['{', ',', '}']).map(str::trim).collect()
        } else {
            section(words)
        };
        for key in words.keys {
            let is_table = TABLES.iter().any(|w| w.table == format!("{}.{key}", words.table));
            let found = lines.iter().filter(|line| bare_key(line) == Some(key)).count();
            let heading = format!("[[{}.{key}]]", words.table);
            assert!(
                found == 1 || is_table && SHIPPED.contains(&heading),
                "{key} of {} stands in proxy.toml {found} times",
                words.heading(),
            );
        }
    }
}

#[test]
fn every_line_above_a_key_says_what_it_is() {
    let lines: Vec<&str> = SHIPPED.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if bare_key(bare).is_some_and(|key| key != "key") {
            let above = lines[index - 1];
            assert!(above.starts_with("# "), "{line}: nothing above it explains it");
        }
    }
}

/// The example of the design, as it stands there.
#[test]
fn the_example_of_the_design_is_accepted() {
    let config = read(EXAMPLE);
    let limit = &config.accounts[0].limits[0];
    assert_eq!((limit.rate.to_string().as_str(), limit.burst.get()), ("100/s", 200));
    assert_eq!(format!("{config:?}"), format!("{:?}", read(SHIPPED)), "and says the same");
}

/// Taking out a line leaves the same configuration, so what it says is the default.
#[test]
fn every_value_in_the_shipped_file_is_the_default() {
    let required = ["name", "app_id", "upstream", "path", "rate", "burst"];
    let whole = format!("{:?}", read(SHIPPED));
    let mut checked = 0;
    for line in SHIPPED.lines() {
        let Some(key) = bare_key(line).filter(|key| !required.contains(key)) else { continue };
        let without: String =
            SHIPPED.lines().filter(|other| *other != line).map(|l| format!("{l}\n")).collect();
        assert_eq!(format!("{:?}", read(&without)), whole, "{key}");
        checked += 1;
    }
    assert!(checked > 25, "{checked}");
}

/// A commented key that names a default means it.
#[test]
fn commented_defaults_are_the_defaults() {
    let whole = format!("{:?}", read(SHIPPED));
    for key in ["ca", "exclusive", "upstream_http2", "pass_authorization"] {
        let commented = SHIPPED.lines().find(|l| l.starts_with(&format!("# {key} = "))).unwrap();
        let set = SHIPPED.replace(commented, &commented[2..]);
        assert_eq!(format!("{:?}", read(&set)), whole, "{key}");
    }
}

/// Every example is right, but for what contradicts the rest of the file on purpose.
#[test]
fn every_commented_example_can_be_used() {
    let files = Files::new();
    std::fs::create_dir(files.path("secrets")).unwrap();
    files.write("secrets/demo", "0123456789abcdef0123456789abcdef", 0o600);
    // Whose tokens a platform gets has no secret, and the platform is an account of its own.
    let text = uncommented().replace("\nprovider = \"open\"\n", "\n");
    let problems = files.read(&text).unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["tls.cert", "tls.key", "tls.client_ca"], "{problems}");
    let own = text.replace("mode = \"self-signed\"", "mode = \"files\"");
    std::fs::create_dir(files.path("certs")).unwrap();
    files.write("certs/fullchain.pem", "", 0o644);
    files.write("certs/privkey.pem", "", 0o600);
    files.write("certs/clients.pem", &client_ca_pem(true), 0o644);
    let config = files.accept(&own);
    assert_eq!((config.keys.len(), config.accounts[0].limits.len()), (1, 1));
}

/// Nonsense in any known key is noticed, so every key of the vocabulary is really read.
#[test]
fn every_known_key_is_read() {
    let text = uncommented();
    for words in TABLES {
        for key in words.keys {
            let path = match words.table {
                "account.egress" => format!("account[0].egress.{key}"),
                "account.limit" => format!("account[0].limit[0].{key}"),
                "" => (*key).to_owned(),
                "account" | "key" => format!("{}[0].{key}", words.table),
                table => format!("{table}.{key}"),
            };
            let spoilt = spoil(&text, words, key);
            let problems = check_text(&spoilt, Path::new("/x"), &|_| None).unwrap_err();
            assert!(problems.iter().any(|p| p.key == path), "{path}\n{problems}");
        }
    }
}

/// The file with a date where `key` has its value; no key is a date.
fn spoil(text: &str, words: &Words, key: &str) -> String {
    const DATE: &str = "1979-05-27";
    let as_table = TABLES.iter().find(|w| w.table == format!("{}.{key}", words.table));
    if words.table.is_empty() {
        let starts = |line: &str| line.starts_with('[') && line.contains(key);
        let kept: String = text
            .lines()
            .scan(false, |inside, line| {
                if line.starts_with('[') {
                    *inside = starts(line);
                }
                Some(if *inside { String::new() } else { format!("{line}\n") })
            })
            .collect();
        return format!("{key} = {DATE}\n{kept}");
    }
    if words.table == "account.egress" {
        return text.replace("egress = {", &format!("egress = {{ {key} = {DATE} }} # {{"));
    }
    let heading = words.heading();
    let drop = as_table.map(|words| words.heading());
    let mut out = String::new();
    let (mut inside, mut dropped) = (false, false);
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.starts_with(&heading);
            dropped = drop.as_ref().is_some_and(|heading| line.starts_with(heading));
        }
        let is_key = inside && bare_key(line) == Some(key);
        if !is_key && !dropped {
            out.push_str(&format!("{line}\n"));
        }
        if line.starts_with(&heading) {
            out.push_str(&format!("{key} = {DATE}\n"));
        }
    }
    out
}

const EXAMPLE: &str = r#"
[server]
listen = ["https://127.0.0.1:8443"]     # port 0 = any
hosts = ["localhost", "127.0.0.1"]      # names this gateway answers to, and those of its self-signed certificate
trusted_proxies = []                    # CIDR; whose X-Forwarded-For or PROXY protocol is believed
data_dir = "data"
workers = 0                             # 0 = one a core
language = "both"
body_max = "512MiB"
shutdown_grace = "60s"

[tls]
mode = "self-signed"                    # "files" (cert, key) | "acme" (email, directory)
dir = "certs"                           # self-signed: ca.pem to trust, a leaf made from it
# client_ca = "certs/clients.pem"

[[account]]
name = "demo"
kind = "mini-program"                   # "official-account" | "wecom" | "open-platform" | "generic"
app_id = "wx0123456789abcdef"
# app_secret = "file:secrets/demo"      # required unless upstream = "sandbox"
upstream = "sandbox"                    # or ["https://api.weixin.qq.com", "https://api2.weixin.qq.com"], in order of preference
# ca = "system"                         # "bundled" | a PEM file
# egress = { family = "ipv4", bind = "203.0.113.5", proxy = "http://…" }
token = "stable"                        # "classic"
force_refresh = "never"                 # "auto" needs exclusive = true
own_tokens = false
# exclusive = false                     # true: production's calls go through here too
# upstream_http2 = false
# pass_authorization = false            # kind "generic" only

[[account.limit]]
path = "/cgi-bin/message/**"
rate = "100/s"
burst = 200

[limits]
# per_key = "50/s"
in_flight = 10000
max_connections = 256                   # per upstream
replay_cap = "64KiB"

[token]
surrogate_life = "2h"
forced_per_day = 10

[capture]
enabled = true
body_cap = "256KiB"
keep = "7d"
keep_meta = "180d"
max_size = "2GiB"
redact = ["session_key"]
# mask = ["openid", "phone"]            # default: the catalogue's private fields
"#;
