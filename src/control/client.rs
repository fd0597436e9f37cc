//! The asking end of `data/control.sock`.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::UnixStream, time::timeout};

use super::{door::SOCKET, socket_path::SocketPath};
use crate::base::tasks::Tasks;

/// A gateway that runs on this host. Each request has a connection of its own.
#[derive(Debug)]
pub struct Client {
    path: PathBuf,
    tasks: Tasks,
}

impl Client {
    /// Looks for the gateway that runs on `data_dir`.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] when there is none, [`ClientError::Forbidden`] when it is
    /// another user's, [`ClientError::Io`] for anything else.
    pub async fn connect(data_dir: &Path) -> Result<Self, ClientError> {
        let path = data_dir.join(SOCKET);
        let client = Self { path, tasks: Tasks::default() };
        client.dial().await?;
        Ok(client)
    }

    /// Asks for something.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get(&self, target: &str) -> Result<Value, ClientError> {
        self.ask(Method::GET, target, None).await
    }

    /// Has something done.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn post(
        &self,
        target: &str,
        form: &impl serde::Serialize,
    ) -> Result<Value, ClientError> {
        self.ask(Method::POST, target, Some(json!(form))).await
    }

    /// Has something taken back.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete(&self, target: &str) -> Result<Value, ClientError> {
        self.ask(Method::DELETE, target, None).await
    }

    /// Opens a stream of lines.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn lines(&self, target: &str) -> Result<Lines, ClientError> {
        let send = self.send(Method::GET, target, None);
        let response = timeout(ANSWER_LIMIT, send).await.map_err(|_| ClientError::Late)??;
        if response.status().is_success() {
            return Ok(Lines { body: response.into_body(), rest: BytesMut::new() });
        }
        Err(read_answer(response).await.err().unwrap_or(ClientError::Nonsense))
    }

    async fn ask(
        &self,
        method: Method,
        target: &str,
        body: Option<Value>,
    ) -> Result<Value, ClientError> {
        let answered = async { read_answer(self.send(method, target, body).await?).await };
        timeout(ANSWER_LIMIT, answered).await.map_err(|_| ClientError::Late)?
    }

    async fn send(
        &self,
        method: Method,
        target: &str,
        body: Option<Value>,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream = self.dial().await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(ClientError::Http)?;
        // Ends with the connection; its error reaches us through the answer.
        self.tasks.spawn(async move { drop(connection.await) });
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.map_or_else(Bytes::new, |body| body.to_string().into())))
            .map_err(|_| ClientError::Nonsense)?;
        sender.send_request(request).await.map_err(ClientError::Http)
    }

    async fn dial(&self) -> Result<UnixStream, ClientError> {
        use io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied};
        let of = |source: io::Error| match source.kind() {
            NotFound | ConnectionRefused => ClientError::NotRunning,
            PermissionDenied => ClientError::Forbidden { path: self.path.clone() },
            _ => ClientError::Io { path: self.path.clone(), source },
        };
        let path = SocketPath::of(&self.path).map_err(of)?;
        UnixStream::connect(path.as_path()).await.map_err(of)
    }
}

async fn read_answer(response: Response<Incoming>) -> Result<Value, ClientError> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_MOST_BYTES).collect().await;
    let body = body.map_err(|_| ClientError::Nonsense)?.to_bytes();
    let answer: Value = serde_json::from_slice(&body).map_err(|_| ClientError::Nonsense)?;
    if status.is_success() { Ok(answer) } else { Err(ClientError::Refused { status, answer }) }
}

/// A stream of lines of JSON, as long as the gateway runs.
#[derive(Debug)]
pub struct Lines {
    body: Incoming,
    rest: BytesMut,
}

impl Lines {
    /// The next line, as it was sent; none when the gateway ended the stream.
    ///
    /// # Errors
    /// [`ClientError`] when the connection broke, or nothing came for much longer than the
    /// gateway's heartbeat.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.rest) {
                let line = self.rest.split_to(end + 1);
                let text = std::str::from_utf8(&line).map_err(|_| ClientError::Nonsense)?;
                return Ok(Some(text.trim_end().to_owned()));
            }
            if self.rest.len() > LINE_MOST_BYTES {
                return Err(ClientError::Nonsense);
            }
            let frame = timeout(SILENCE_LIMIT, self.body.frame()).await;
            match frame.map_err(|_| ClientError::Late)? {
                None => return Ok(None),
                Some(Ok(frame)) => self.rest.extend(frame.into_data()),
                Some(Err(error)) => return Err(ClientError::Http(error)),
            }
        }
    }
}

/// Why the gateway did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no socket, or nobody listens on it.
    #[error("no gateway runs on this data folder; start one with `wxgate serve`")]
    NotRunning,
    /// Another user's gateway.
    #[error("the gateway belongs to another user; run this as the owner of {}", path.display())]
    Forbidden {
        /// The socket.
        path: PathBuf,
    },
    /// The socket cannot be used.
    #[error("cannot reach the gateway over {}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The connection broke off.
    #[error("the gateway closed the connection; it may be stopping")]
    Http(#[source] hyper::Error),
    /// It said no; `answer` is its `{"error","hint"}`.
    #[error("{}", said(answer))]
    Refused {
        /// The status.
        status: StatusCode,
        /// The whole answer.
        answer: Value,
    },
    /// No answer in time.
    #[error("the gateway does not answer; look at its log")]
    Late,
    /// Not what a gateway answers.
    #[error(
        "the gateway's answer is not understood; command line and gateway may be of different versions"
    )]
    Nonsense,
}

impl ClientError {
    /// What to do now, where the gateway said so.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { answer, .. } => {
                answer.get("hint").and_then(Value::as_str).filter(|hint| !hint.is_empty())
            }
            _ => None,
        }
    }

    /// The platform's errcode, where it is the platform that said no.
    #[must_use]
    pub fn errcode(&self) -> Option<i64> {
        match self {
            Self::Refused { answer, .. } => answer.get("errcode").and_then(Value::as_i64),
            _ => None,
        }
    }
}

fn said(answer: &Value) -> &str {
    answer.get("error").and_then(Value::as_str).unwrap_or("the gateway refused")
}

/// A forced refresh may wait for a fetch that runs, then for its own: 3 × 10 s.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// Three heartbeats.
const SILENCE_LIMIT: Duration = Duration::from_secs(35);

/// A list of all keys of a large installation.
const ANSWER_MOST_BYTES: usize = 512 << 20;

/// An exchange has two bodies of at most 16 MiB, in JSON's spelling.
const LINE_MOST_BYTES: usize = 256 << 20;
