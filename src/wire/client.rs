//! A small HTTP client for the gateway's own calls, such as token fetches.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, Version, header::HOST};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::{Connector, Line, Link, Phase, Target, WireError};
use crate::base::{body::Body, tasks::Tasks};

/// Sends whole requests and reads whole answers. Cheap to clone.
///
/// Every call has a connection of its own: tokens are fetched hours apart, so a kept
/// connection would be dead when it is needed, and a resumed TLS session makes a new one cheap.
/// It never follows a redirect.
#[derive(Clone, Debug)]
pub struct Client {
    connector: Connector,
    tasks: Tasks,
}

impl Client {
    /// Connections are made by `connector`; their tasks belong to `tasks`.
    #[must_use]
    pub fn new(connector: Connector, tasks: Tasks) -> Self {
        Self { connector, tasks }
    }

    /// Sends `request` (absolute URI) and reads the answer up to [`ANSWER_CAP_BYTES`].
    ///
    /// # Errors
    /// [`WireError`] when no whole answer came within `limit`. Any HTTP status is an answer.
    pub async fn call(
        &self,
        request: Request<Bytes>,
        limit: Duration,
    ) -> Result<Response<Bytes>, WireError> {
        let deadline = Instant::now() + limit;
        let target = Target::from_uri(request.uri())?;
        let late = |phase| WireError::Timeout { to: target.to_string(), phase, limit };
        let opened = timeout_at(deadline, self.connector.open(&target, &self.tasks)).await;
        let (mut link, _) = opened.map_err(|_| late(Phase::Connect))?.map_err(|f| f.error)?;
        let mut guard = AbortOnDrop(Some(Arc::clone(&link.line)));
        let request = prepare(request, &link, &target)?;
        let answer = match timeout_at(deadline, link.send(request)).await {
            Err(_) => return Err(late(Phase::Answer)),
            Ok(Ok(answer)) if answer.status() == http::StatusCode::SWITCHING_PROTOCOLS => {
                return Err(unasked_upgrade(target.label()));
            }
            Ok(Ok(answer)) => answer,
            Ok(Err(failed)) => return Err(failure(&target, &link, failed.into_error())),
        };
        let whole = timeout_at(deadline, collect(&target, answer)).await;
        let whole = whole.map_err(|_| late(Phase::Body))??;
        guard.0 = None; // the answer is whole: the connection may close in peace
        Ok(whole)
    }
}

/// Ends the connection when a call is given up half-way.
struct AbortOnDrop(Option<Arc<Line>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(line) = &self.0 {
            line.abort();
        }
    }
}

fn prepare(
    request: Request<Bytes>,
    link: &Link,
    target: &Target,
) -> Result<Request<Body>, WireError> {
    let mut request = request.map(Body::from);
    if link.is_http1() {
        *request.version_mut() = Version::HTTP_11;
        let authority = request.uri().authority().map(|a| a.as_str()).unwrap_or_default();
        let host = HeaderValue::from_str(authority)
            .map_err(|error| WireError::Invalid { to: target.to_string(), source: error.into() })?;
        request.headers_mut().insert(HOST, host);
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    } else {
        *request.version_mut() = Version::HTTP_2;
    }
    Ok(request)
}

async fn collect(
    target: &Target,
    answer: Response<Incoming>,
) -> Result<Response<Bytes>, WireError> {
    let (parts, body) = answer.into_parts();
    match Limited::new(body, ANSWER_CAP_BYTES).collect().await {
        Ok(whole) => Ok(Response::from_parts(parts, whole.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(WireError::TooLarge { to: target.to_string(), cap_bytes: ANSWER_CAP_BYTES })
        }
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(error) => Err(WireError::from_hyper(target.label(), *error)),
            Err(source) => Err(WireError::Reset { to: target.to_string(), source }),
        },
    }
}

fn failure(target: &Target, link: &Link, error: hyper::Error) -> WireError {
    if link.line.babbled() {
        endless_interim_answers(target.label())
    } else {
        WireError::from_hyper(target.label(), error)
    }
}

/// A 101 that nobody asked for: what follows is not HTTP.
pub(crate) fn unasked_upgrade(to: &str) -> WireError {
    WireError::Invalid { to: to.to_owned(), source: "it switched protocols unasked".into() }
}

/// One 1xx answer after the other.
pub(crate) fn endless_interim_answers(to: &str) -> WireError {
    WireError::Invalid { to: to.to_owned(), source: "its interim answers do not end".into() }
}

/// Token answers have some hundred bytes; whatever is longer is no token answer.
pub const ANSWER_CAP_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::origin::Scheme,
        wire::testing::{Authority, Scripted, connector, head},
    };

    const LIMIT: Duration = Duration::from_secs(5);
    const SHORT: Duration = Duration::from_millis(80);

    /// Calls a plain server that reads the head, says `answer` and hangs up, or not.
    async fn call(
        answer: &'static str,
        hangs_up: bool,
        limit: Duration,
    ) -> Result<Response<Bytes>, WireError> {
        let server = Scripted::start(move |_, mut stream| async move {
            stream.head().await;
            stream.say(answer).await;
            if !hangs_up {
                drop(stream.end().await);
            }
        })
        .await;
        let uri = format!("{}/cgi-bin/token?x=1", server.origin(Scheme::Http));
        let client = Client::new(connector(|_| {}), Tasks::default());
        let request = Request::post(uri).body(Bytes::from_static(b"{}")).unwrap();
        let answer = client.call(request, limit).await;
        let received = String::from_utf8(server.received()).unwrap();
        assert!(received.starts_with("POST /cgi-bin/token?x=1 HTTP/1.1\r\n"), "{received}");
        assert!(received.contains(&format!("host: {}\r\n", server.address)), "{received}");
        answer
    }

    #[tokio::test]
    async fn a_whole_answer_of_any_status_comes_back() {
        let answer = "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nbody";
        let answer = call(answer, false, LIMIT).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (500, b"body".as_slice()));
    }

    #[tokio::test]
    async fn each_way_to_get_no_answer_has_its_own_error() {
        let cut = call("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true, LIMIT).await;
        assert!(matches!(cut, Err(WireError::Reset { .. })), "{cut:?}");
        let none = call("", true, LIMIT).await;
        assert!(matches!(none, Err(WireError::Reset { .. })), "{none:?}");
        let garbage = call("ICY 200 OK\r\n\r\n", true, LIMIT).await;
        assert!(matches!(garbage, Err(WireError::Invalid { .. })), "{garbage:?}");
        let upgrade = call("HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n", false, LIMIT).await;
        assert!(matches!(upgrade, Err(WireError::Invalid { .. })), "{upgrade:?}");
        let bad_chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        assert!(call(bad_chunk, true, LIMIT).await.is_err());
    }

    #[tokio::test]
    async fn the_limit_is_for_the_whole_call() {
        for (answer, wanted) in
            [("", Phase::Answer), ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Phase::Body)]
        {
            match call(answer, false, SHORT).await {
                Err(WireError::Timeout { phase, limit, .. }) => {
                    assert_eq!((phase, limit), (wanted, SHORT));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut_at_the_cap() {
        let server = Scripted::start(|_, mut stream| async move {
            stream.head().await;
            stream.say("HTTP/1.1 200 OK\r\n\r\n").await;
            let part = [b'x'; 64 * 1024];
            while tokio::io::AsyncWriteExt::write_all(&mut stream, &part).await.is_ok() {}
        })
        .await;
        let client = Client::new(connector(|_| {}), Tasks::default());
        let uri = server.origin(Scheme::Http).to_string();
        let answer = client.call(Request::get(uri).body(Bytes::new()).unwrap(), LIMIT).await;
        let cap_bytes = ANSWER_CAP_BYTES;
        match answer {
            Err(WireError::TooLarge { cap_bytes: told, .. }) => assert_eq!(told, cap_bytes),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_name_without_address_and_a_closed_port_are_told_apart() {
        let lookup: super::super::Lookup =
            Arc::new(|_| Box::pin(async { Err(std::io::ErrorKind::NotFound.into()) }));
        let resolver = super::super::Resolver::new(Tasks::default(), lookup);
        let connector = connector(|options| options.resolver = resolver);
        let client = Client::new(connector, Tasks::default());
        let get = |uri: &str| Request::get(uri).body(Bytes::new()).unwrap();
        let dns = client.call(get("https://api.example/"), LIMIT).await;
        assert!(matches!(dns, Err(WireError::Dns { .. })), "{dns:?}");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let refused = client.call(get(&uri), LIMIT).await;
        assert!(matches!(refused, Err(WireError::Connect { .. })), "{refused:?}");
        let relative = client.call(get("/no-authority"), LIMIT).await;
        assert!(relative.unwrap_err().nothing_was_sent());
    }

    #[tokio::test]
    async fn an_untrusted_certificate_gets_no_request() {
        let authority = Authority::new();
        let acceptor = authority.acceptor("localhost", 2099, &["http/1.1"]);
        let server = Scripted::start(move |_, stream| {
            let acceptor = acceptor.clone();
            async move {
                if let Ok(mut tls) = acceptor.accept(stream).await {
                    let head = head(&mut tls).await;
                    assert!(head.starts_with("GET / HTTP/1.1\r\nhost: localhost:"), "{head}");
                    let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
                    tokio::io::AsyncWriteExt::write_all(&mut tls, answer).await.unwrap();
                }
            }
        })
        .await;
        let uri = format!("https://localhost:{}/", server.address.port());
        let get = || Request::get(&uri).body(Bytes::new()).unwrap();
        let stranger = Client::new(connector(|_| {}), Tasks::default());
        let refused = stranger.call(get(), LIMIT).await;
        assert!(matches!(refused, Err(WireError::Tls { .. })), "{refused:?}");
        let friend = connector(|options| options.roots = authority.roots());
        let answer = Client::new(friend, Tasks::default()).call(get(), LIMIT).await.unwrap();
        assert_eq!(answer.status(), 204);
    }
}
