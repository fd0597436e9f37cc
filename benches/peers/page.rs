//! The metrics page of a gateway.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::Outcome;

/// Asks for the page.
pub(crate) fn read(metrics: SocketAddr) -> Outcome<String> {
    let mut stream = TcpStream::connect_timeout(&metrics, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {metrics}\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    if page.starts_with("HTTP/1.1 200") {
        return Ok(page);
    }
    Err(format!("the metrics page is {page}").into())
}

/// The sum of all lines of a metric; 0 where it has none.
pub(crate) fn sum(page: &str, name: &str) -> f64 {
    let value = |line: &str| -> Option<f64> {
        let rest = line.strip_prefix(name)?;
        let is_whole = rest.starts_with(['{', ' ']);
        is_whole.then(|| rest.rsplit(' ').next()?.parse().ok()).flatten()
    };
    page.lines().filter_map(value).sum()
}

const LIMIT: Duration = Duration::from_secs(10);
