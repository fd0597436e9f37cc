//! A receiver of pushes on loopback.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::{Mutex, mpsc},
};

use super::TOKEN;
use crate::{
    base::{secret::Secret, tasks::Tasks},
    sandbox::query::Query,
    wechat::{push_crypto::is_signed, push_message},
    wire::testing::{Authority, head},
};

/// A request that came in.
pub(super) struct Came {
    pub(super) head: String,
    pub(super) body: String,
}

impl Came {
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let target = self.head.split(' ').nth(1)?;
        Query::parse(target.split_once('?')?.1).value(name).map(str::to_owned)
    }

    pub(super) fn is_signed(&self, with: &str, encrypt: Option<&str>) -> bool {
        let [given, timestamp, nonce] =
            [with, "timestamp", "nonce"].map(|name| self.parameter(name).unwrap());
        is_signed(&given, &Secret::new(TOKEN.into()), &timestamp, &nonce, encrypt)
    }

    pub(super) fn message(&self, format: &str) -> Map<String, Value> {
        if format == "json" {
            assert!(self.head.contains("content-type: application/json\r\n"), "{}", self.head);
            return push_message::from_json(&self.body).unwrap();
        }
        assert!(self.head.contains("content-type: text/xml\r\n"), "{}", self.head);
        push_message::from_xml(&self.body).unwrap()
    }
}

/// Answers each request with what a script makes of it; none = silence.
pub(super) struct Receiver {
    pub(super) url: String,
    came: Mutex<mpsc::Receiver<Came>>,
    _tasks: Tasks,
}

impl Receiver {
    pub(super) async fn start<F>(is_tls: bool, script: F) -> Self
    where
        F: Fn(usize, &Came) -> Option<String> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, came) = mpsc::channel(100);
        let tasks = Tasks::default();
        let (group, script) = (tasks.clone(), Arc::new(script));
        let acceptor = is_tls.then(|| Authority::new().acceptor("nobody", 2099, &["http/1.1"]));
        tasks.spawn(async move {
            let mut number = 0;
            while let Ok((tcp, _)) = listener.accept().await {
                let (script, sender, acceptor) = (script.clone(), sender.clone(), acceptor.clone());
                group.spawn(async move {
                    let answer = |came: &Came| script(number, came);
                    match acceptor {
                        None => serve(tcp, answer, sender).await,
                        Some(acceptor) => {
                            serve(acceptor.accept(tcp).await.unwrap(), answer, sender).await;
                        }
                    }
                });
                number += 1;
            }
        });
        let scheme = if is_tls { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{port}/push?own=1");
        Self { url, came: Mutex::new(came), _tasks: tasks }
    }

    /// Says `body` to every push, and echoes what a verification asks for.
    pub(super) async fn saying(body: &'static str) -> Self {
        Self::start(false, move |_, came| Some(ok(&echo(came).unwrap_or_else(|| body.to_owned()))))
            .await
    }

    pub(super) async fn next(&self) -> Came {
        let mut came = self.came.lock().await;
        let next = tokio::time::timeout(Duration::from_secs(10), came.recv()).await;
        next.expect("a request in time").unwrap()
    }
}

pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: impl Fn(&Came) -> Option<String>,
    sender: mpsc::Sender<Came>,
) {
    let head = head(&mut stream).await;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    let came = Came { head, body: String::from_utf8(body).unwrap() };
    let answer = answer(&came);
    sender.send(came).await.unwrap();
    match answer {
        Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
        // Until the other side hangs up.
        None => drop(stream.read_u8().await),
    }
}

pub(super) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub(super) fn echo(came: &Came) -> Option<String> {
    came.parameter("echostr")
}
