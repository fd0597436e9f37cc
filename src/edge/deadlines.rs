//! How long a client may take for each part of a conversation.

use std::time::Duration;

/// The limits of one connection. hyper has none of them but one, so they are kept by
/// `watchdog` (connection), `upload` (request body) and
/// `stream_task` (HTTP/2 stream).
///
/// No limit here cuts a long wait for the *upstream*: while a request is being answered the
/// clocks that run are those of bytes the client owes us or does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From accept to the end of the TLS handshake.
    pub handshake: Duration,
    /// For the PROXY header of a trusted proxy.
    pub proxy_protocol: Duration,
    /// From the end of the handshake to the first byte.
    pub first_byte: Duration,
    /// From the first byte of a request head to its last; on HTTP/2 of a header block or of
    /// any other control frame.
    pub header: Duration,
    /// Longest pause within a request body that we wait for.
    pub request_body_idle: Duration,
    /// Waiting for a request body in all; 64 KiB buy another second, so that only uploads
    /// slower than that ever meet this limit.
    pub request_body_total: Duration,
    /// How long a request body may come slower than [`Deadlines::min_rate_bytes_per_s`].
    pub request_body_grace: Duration,
    /// Longest pause in taking an answer.
    pub write_idle: Duration,
    /// Slowest client that is served, up and down.
    pub min_rate_bytes_per_s: u32,
    /// Between requests.
    pub keep_alive_idle: Duration,
    /// Then the connection is asked to go after the request at hand.
    pub max_age: Duration,
    /// The same, counted in requests.
    pub max_requests: u32,
    /// At shutdown: how long a quiet connection is still given for one more request, because
    /// the client may be sending it just now. Counted from its last answer.
    pub last_call: Duration,
    /// From our good-bye (GOAWAY, close_notify) to the end of a connection without requests.
    pub farewell: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            proxy_protocol: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            header: Duration::from_secs(10),
            request_body_idle: Duration::from_secs(15),
            request_body_total: Duration::from_secs(300),
            request_body_grace: Duration::from_secs(10),
            write_idle: Duration::from_secs(30),
            min_rate_bytes_per_s: 1024,
            keep_alive_idle: Duration::from_secs(75),
            max_age: Duration::from_secs(3600),
            max_requests: 10_000,
            last_call: Duration::from_millis(750),
            farewell: Duration::from_secs(5),
        }
    }
}
