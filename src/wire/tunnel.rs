//! A tunnel through an HTTP proxy, by CONNECT.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The longest answer head of a proxy that is read.
const REPLY_CAP_BYTES: usize = 8 * 1024;

/// Why there is no tunnel: the proxy said no, or the socket failed.
#[derive(Debug)]
pub(super) enum TunnelError {
    /// What the proxy answered, for people.
    Refused(String),
    /// The connection to the proxy broke.
    Io(io::Error),
}

/// Asks the proxy at the other end of `stream` to connect to `to` (`host:port`). Afterwards
/// the stream carries bytes to `to`. The caller sets the time limit.
pub(super) async fn connect(stream: &mut TcpStream, to: &str) -> Result<(), TunnelError> {
    let ask = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.map_err(TunnelError::Io)?;
    let head = read_head(stream).await?;
    let line = head.lines().next().unwrap_or_default();
    let mut words = line.split(' ');
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    let status = words.next().and_then(|word| word.parse::<u16>().ok());
    match status {
        Some(200..=299) if is_http => Ok(()),
        Some(_) | None => Err(TunnelError::Refused(quote(line))),
    }
}

/// Reads up to and including the empty line, and insists that nothing follows: a server
/// behind the tunnel says nothing before TLS begins, so more bytes come from the proxy.
async fn read_head(stream: &mut TcpStream) -> Result<String, TunnelError> {
    let mut head = Vec::with_capacity(512);
    loop {
        if stream.read_buf(&mut head).await.map_err(TunnelError::Io)? == 0 {
            return Err(TunnelError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        if let Some(at) = memchr::memmem::find(&head, b"\r\n\r\n") {
            if at + 4 < head.len() {
                let text = "it sent bytes of its own after its answer";
                return Err(TunnelError::Refused(text.to_owned()));
            }
            return Ok(String::from_utf8_lossy(&head).into_owned());
        }
        if head.len() > REPLY_CAP_BYTES {
            let text = format!("its answer is longer than {REPLY_CAP_BYTES} bytes");
            return Err(TunnelError::Refused(text));
        }
    }
}

/// The first words of a foreign answer, safe to log.
fn quote(line: &str) -> String {
    line.chars().take(120).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::Scripted;

    async fn answer(reply: &'static [u8]) -> Result<(), TunnelError> {
        let proxy = Scripted::start(move |_, mut stream| async move {
            let mut ask = vec![0; 1024];
            let read = stream.read(&mut ask).await.unwrap();
            assert!(ask[..read].starts_with(b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.ex"));
            // The peer may have hung up in the middle of a long answer.
            drop(stream.write_all(reply).await);
        })
        .await;
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        connect(&mut stream, "a.example:443").await
    }

    #[tokio::test]
    async fn only_a_clean_2xx_opens_the_tunnel() {
        answer(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await.unwrap();
        for refused in [
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".as_slice(),
            b"HTTP/1.1 200 OK\r\n\r\nsurplus",
            b"SSH-2.0 200\r\n\r\n",
            &[b'x'; 3 * REPLY_CAP_BYTES],
        ] {
            let error = answer(refused).await.unwrap_err();
            assert!(matches!(error, TunnelError::Refused(_)), "{error:?}");
        }
        let cut = answer(b"HTTP/1.1 200 OK\r\n").await.unwrap_err();
        assert!(matches!(cut, TunnelError::Io(_)), "{cut:?}");
    }
}
