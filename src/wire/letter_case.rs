//! Response header names in a letter case of their own.
//!
//! hyper's server writes names as an extension of the response has them, but the type of that
//! extension is private. hyper's client makes one when it reads an answer, so we let it read
//! the wanted names once, over a pipe in memory, and keep what it made.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::Extensions;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Remembers the latest names, as one server rarely has two sets in use.
#[derive(Debug, Default)]
pub(crate) struct LetterCases(ArcSwapOption<(Vec<String>, Extensions)>);

impl LetterCases {
    /// What must be put into a response's extensions so that HTTP/1.1 writes `names` so.
    /// Empty where that cannot be had; the names then go out in lower case.
    pub(crate) async fn of(&self, names: Vec<String>) -> Extensions {
        if let Some(known) = self.0.load_full().filter(|known| known.0 == names) {
            return known.1.clone();
        }
        let learnt = tokio::time::timeout(PATIENCE, learn(&names)).await.ok().flatten();
        let learnt = learnt.unwrap_or_default();
        self.0.store(Some(Arc::new((names, learnt.clone()))));
        learnt
    }
}

async fn learn(names: &[String]) -> Option<Extensions> {
    let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
    // The framing of this answer must not depend on the names; the edge writes its own.
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    if !names.iter().any(|name| is(name, "content-length")) {
        head.push_str("Content-Length: 0\r\n");
    }
    for name in names.iter().filter(|name| !is(name, "transfer-encoding")) {
        let value = if is(name, "content-length") { "0" } else { "x" };
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    let (near, mut far) = tokio::io::duplex(64 << 10);
    let handshake = hyper::client::conn::http1::Builder::new()
        .preserve_header_case(true)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(near));
    let (mut sender, connection) = handshake.await.ok()?;
    let answering = async {
        // hyper wants to have asked before it is answered.
        far.read_u8().await?;
        far.write_all(head.as_bytes()).await?;
        Ok::<_, std::io::Error>(far)
    };
    let request = http::Request::new(Empty::new());
    let exchange = async {
        let (answer, far) = tokio::join!(sender.send_request(request), answering);
        drop((sender, far));
        answer.ok()
    };
    let (answer, _) = tokio::join!(exchange, connection);
    Some(answer?.into_parts().0.extensions)
}

/// Nothing here leaves the process.
const PATIENCE: Duration = Duration::from_secs(1);
