//! What a configuration means, once it has been read: every value is possible, none is missing.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use crate::base::{
    cidr::Cidr,
    kind::{AccountKind, Language},
    name::Name,
    permission::{ErrorStyle, Lane, Role},
    secret::Secret,
    subject::Subject,
    units::{ByteSize, Rate},
};
pub use crate::base::{
    egress::{Egress, Family},
    origin::{Origin, Scheme},
    roots::Roots,
};

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from; none for the built-in defaults.
    pub file: Option<PathBuf>,
    /// `[server]`.
    pub server: Server,
    /// `[tls]`: the certificate that is shown.
    pub tls: Tls,
    /// `[tls] client_ca`: absolute; whose client certificates are believed. None = none are
    /// asked for.
    pub client_ca: Option<PathBuf>,
    /// `[[account]]`, in the order of the file; at least one.
    pub accounts: Vec<Arc<Account>>,
    /// `[[key]]`.
    pub keys: Vec<FixedKey>,
    /// `[limits]`.
    pub limits: Limits,
    /// `[token]`.
    pub token: Token,
    /// `[capture]`.
    pub capture: Capture,
    /// `[metrics]`.
    pub metrics: Metrics,
    /// `[log]`.
    pub log: Log,
}

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where connections are accepted; at least one.
    pub listen: Vec<Listen>,
    /// Names and addresses this gateway answers to, lower case, without port.
    pub hosts: Vec<String>,
    /// Whose `X-Forwarded-For` or PROXY protocol is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Absolute. Databases, sealed tokens, control socket.
    pub data_dir: PathBuf,
    /// Threads that serve requests; never 0 here (0 in the file = one a core).
    pub workers: usize,
    /// Language of messages.
    pub language: Language,
    /// Longest request body.
    pub body_max: ByteSize,
    /// How long a shutdown may take.
    pub shutdown_grace: Duration,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Whether TLS is spoken.
    pub scheme: Scheme,
    /// A literal address; names are resolved while the file is read.
    pub address: IpAddr,
    /// 0 = any free port.
    pub port: u16,
}

/// `[tls]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// A local CA and a leaf made from it, in `dir` (absolute).
    SelfSigned {
        /// Holds `ca.pem`, `ca-key.pem`, `cert.pem`, `key.pem`.
        dir: PathBuf,
    },
    /// Somebody else makes the files; they are read again when they change.
    Files {
        /// PEM chain, leaf first (absolute path).
        cert: PathBuf,
        /// PEM private key (absolute path).
        key: PathBuf,
    },
}

/// `[[account]]`.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its short name.
    pub name: Name,
    /// Its platform and type.
    pub kind: AccountKind,
    /// AppID; empty only for kind `generic`.
    pub app_id: String,
    /// AppSecret; none when the upstream is the sandbox, or for kind `generic`.
    pub app_secret: Option<Secret>,
    /// The account of kind `open-platform` that acts for this one, in place of an AppSecret.
    pub provider: Option<Name>,
    /// Where its requests go.
    pub upstream: Upstream,
    /// Which certificates are trusted upstream.
    pub roots: Roots,
    /// How its connections leave this host.
    pub egress: Egress,
    /// Which call issues its token.
    pub token: TokenFamily,
    /// Whether the broker may force a refresh.
    pub force_refresh: ForceRefresh,
    /// Whether a token that the caller brought is passed on.
    pub own_tokens: bool,
    /// Production's calls go through here too.
    pub exclusive: bool,
    /// Whether HTTP/2 is offered upstream.
    pub upstream_http2: bool,
    /// Whether a foreign `Authorization` is passed on; kind `generic` only.
    pub pass_authorization: bool,
    /// `[[account.limit]]`.
    pub limits: Vec<PathLimit>,
}

/// Where an account's requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// The sandbox in this process.
    Sandbox,
    /// Real origins in order of preference; at least one.
    Origins(Vec<Origin>),
}

/// `token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenFamily {
    /// `/cgi-bin/stable_token`, normal mode: hurts no other holder.
    Stable,
    /// `/cgi-bin/token`: each fetch retires the previous token.
    Classic,
}

/// `force_refresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForceRefresh {
    /// Forcing would kill production's token.
    Never,
    /// Within `forced_per_day`; only with `exclusive`.
    Auto,
}

/// `[[account.limit]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathLimit {
    /// `*` is one segment, `**` any number.
    pub path: String,
    /// How often.
    pub rate: Rate,
    /// How many at once; the rate's number of calls by default.
    pub burst: std::num::NonZeroU32,
}

/// `[[key]]`: a key whose secret is not in the database.
#[derive(Clone, Debug)]
pub struct FixedKey {
    /// Its name.
    pub name: Name,
    /// SHA-256 of the whole key, as written in the file in hex. None for a key that is told
    /// by a certificate alone.
    pub sha256: Option<[u8; 32]>,
    /// Whose client certificate counts as this key; without a hash there is one.
    pub subject: Option<Subject>,
    /// Who it belongs to.
    pub role: Role,
    /// Accounts it may call; empty = all.
    pub accounts: Vec<Name>,
    /// How far its calls reach.
    pub lane: Lane,
    /// Whether dangerous calls are allowed.
    pub allow_danger: bool,
    /// How refusals look.
    pub errors: ErrorStyle,
    /// Path prefixes it may call; empty = all.
    pub paths: Vec<String>,
    /// Networks it may call from; empty = all.
    pub networks: Vec<Cidr>,
    /// Its own limit.
    pub rate: Option<Rate>,
}

/// `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For each key that has no rate of its own.
    pub per_key: Option<Rate>,
    /// Requests at once, in all.
    pub in_flight: usize,
    /// Connections to each upstream.
    pub max_connections: usize,
    /// Longest request body that is kept for a repeat.
    pub replay_cap: ByteSize,
}

/// `[token]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// How long a surrogate is good.
    pub surrogate_life: Duration,
    /// Forced refreshes per account and day (UTC+8).
    pub forced_per_day: u32,
}

/// `[capture]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Whether exchanges are recorded.
    pub enabled: bool,
    /// How much of each body.
    pub body_cap: ByteSize,
    /// How long bodies and headers are kept.
    pub keep: Duration,
    /// How long the line without them.
    pub keep_meta: Duration,
    /// Size of `capture.db`.
    pub max_size: ByteSize,
    /// Field names whose values are never stored.
    pub redact: Vec<String>,
    /// Field names whose values are hidden when shown; none = the catalogue's private fields.
    pub mask: Option<Vec<String>>,
}

/// `[metrics]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Where Prometheus may ask; plain HTTP, loopback or private addresses.
    pub listen: Option<std::net::SocketAddr>,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A `tracing` filter such as `info` or `wxgate=debug`.
    pub level: String,
    /// Text or JSON.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}
