//! Every key of proxy.toml, by table: what the readers know, in the order of the shipped file.

/// The keys of one table.
pub(super) struct Words {
    /// The table, as `account.limit`; empty for the top of the file.
    pub(super) table: &'static str,
    /// Keys that are read. A test writes nonsense into each, so none can be left unread.
    pub(super) keys: &'static [&'static str],
    /// Keys of the product that this version refuses by saying so.
    pub(super) later: &'static [&'static str],
}

impl Words {
    /// The table's heading, as `[server]` or `[[account.limit]]`.
    pub(super) fn heading(&self) -> String {
        match self.table {
            "account" | "key" | "account.limit" => format!("[[{}]]", self.table),
            table => format!("[{table}]"),
        }
    }
}

/// The keys of `table`.
pub(super) fn words_of(table: &str) -> &'static Words {
    TABLES.iter().find(|words| words.table == table).unwrap_or(&UNKNOWN)
}

/// A table that has `key`, for a key that stands under the wrong heading.
pub(super) fn home_of(key: &str) -> Option<&'static Words> {
    TABLES.iter().find(|words| !words.table.is_empty() && words.keys.contains(&key))
}

/// All tables.
pub(super) const TABLES: &[Words] = &[
    Words {
        table: "",
        keys: &["server", "tls", "account", "key", "limits", "token", "capture", "metrics", "log"],
        later: &["console", "cluster", "alert"],
    },
    Words {
        table: "server",
        keys: &[
            "listen",
            "hosts",
            "trusted_proxies",
            "data_dir",
            "workers",
            "language",
            "body_max",
            "shutdown_grace",
        ],
        later: &[],
    },
    Words {
        table: "tls",
        keys: &["mode", "dir", "cert", "key", "client_ca"],
        later: &["email", "directory"],
    },
    Words {
        table: "account",
        keys: &[
            "name",
            "kind",
            "app_id",
            "app_secret",
            "provider",
            "upstream",
            "ca",
            "egress",
            "token",
            "force_refresh",
            "own_tokens",
            "exclusive",
            "upstream_http2",
            "pass_authorization",
            "limit",
        ],
        later: &["callback"],
    },
    Words { table: "account.egress", keys: &["family", "bind", "proxy"], later: &[] },
    Words { table: "account.limit", keys: &["path", "rate", "burst"], later: &[] },
    Words {
        table: "key",
        keys: &[
            "name",
            "sha256",
            "subject",
            "role",
            "accounts",
            "lane",
            "allow_danger",
            "errors",
            "paths",
            "networks",
            "rate",
        ],
        later: &[],
    },
    Words {
        table: "limits",
        keys: &["per_key", "in_flight", "max_connections", "replay_cap"],
        later: &[],
    },
    Words { table: "token", keys: &["surrogate_life", "forced_per_day"], later: &[] },
    Words {
        table: "capture",
        keys: &["enabled", "body_cap", "keep", "keep_meta", "max_size", "redact", "mask"],
        later: &[],
    },
    Words { table: "metrics", keys: &["listen"], later: &[] },
    Words { table: "log", keys: &["level", "format"], later: &[] },
];

/// Stands in for a table that is not in the list; nothing in it is known.
const UNKNOWN: Words = Words { table: "?", keys: &[], later: &[] };
