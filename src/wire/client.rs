//! A small HTTP client for the gateway's own calls, such as token fetches.

use std::{future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::{
    Connector, Exchange, Http1, Link, Opened, Outgoing, Phase, RequestTarget, Target, WireError,
};
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
    answer_cap_bytes: usize,
}

impl Client {
    /// Connections are made by `connector`; their tasks belong to `tasks`.
    #[must_use]
    pub fn new(connector: Connector, tasks: Tasks) -> Self {
        Self { connector, tasks, answer_cap_bytes: ANSWER_CAP_BYTES }
    }

    /// With another cap than [`ANSWER_CAP_BYTES`].
    #[must_use]
    pub fn with_answer_cap(self, answer_cap_bytes: usize) -> Self {
        Self { answer_cap_bytes, ..self }
    }

    /// Sends `request` (absolute URI) and reads the answer up to the cap.
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
        let (opened, _) = opened.map_err(|_| late(Phase::Connect))?.map_err(|f| f.error)?;
        match opened {
            Opened::Http1(conn) => {
                let mut exchange = begin(conn, request, &target)?;
                let head = poll_fn(|cx| exchange.poll_head(cx));
                let head = timeout_at(deadline, head).await.map_err(|_| late(Phase::Answer))?;
                let head =
                    head.map_err(|error| WireError::from_http1(target.to_string(), error))?;
                let body =
                    timeout_at(deadline, collect_http1(&target, exchange, self.answer_cap_bytes))
                        .await;
                let body = body.map_err(|_| late(Phase::Body))??;
                Ok(head.response.map(|()| body))
            }
            Opened::Http2(mut link) => {
                let guard = AbortOnDrop(link.clone());
                let request = for_http2(request);
                let answer = match timeout_at(deadline, link.send(request)).await {
                    Err(_) => return Err(late(Phase::Answer)),
                    Ok(Ok(answer)) => answer,
                    Ok(Err(failed)) => {
                        return Err(WireError::from_hyper(target.label(), failed.into_error()));
                    }
                };
                let whole =
                    timeout_at(deadline, collect_http2(&target, answer, self.answer_cap_bytes))
                        .await;
                drop(guard);
                whole.map_err(|_| late(Phase::Body))?
            }
        }
    }
}

/// Ends the connection, which carries nothing else, with the call.
struct AbortOnDrop(Link);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn begin(
    conn: Box<Http1>,
    request: Request<Bytes>,
    target: &Target,
) -> Result<Exchange, WireError> {
    let (parts, body) = request.into_parts();
    let authority = parts.uri.authority().map(|a| a.as_str()).unwrap_or_default();
    let host = HeaderValue::from_str(authority)
        .map_err(|error| WireError::Invalid { to: target.to_string(), source: error.into() })?;
    let query = parts.uri.query().unwrap_or_default();
    let path = RequestTarget::new(parts.uri.path(), query).ok_or_else(|| WireError::Invalid {
        to: target.to_string(),
        source: "its path has an impossible character".into(),
    })?;
    let outgoing = Outgoing {
        method: &parts.method,
        target: &path,
        headers: &parts.headers,
        keeps: |_| true,
        adds: &[],
        body: Body::from(body),
    };
    Ok(Exchange::begin(conn, &host, outgoing))
}

async fn collect_http1(
    target: &Target,
    mut exchange: Exchange,
    cap_bytes: usize,
) -> Result<Bytes, WireError> {
    let mut whole = BytesMut::new();
    while let Some(part) = poll_fn(|cx| exchange.poll_body(cx)).await {
        whole.extend_from_slice(&part.map_err(|error| broken_off(target, error))?);
        if whole.len() > cap_bytes {
            return Err(WireError::TooLarge { to: target.to_string(), cap_bytes });
        }
    }
    if let Some(conn) = exchange.finish() {
        conn.say_goodbye();
    }
    Ok(whole.freeze())
}

/// An answer that had begun.
fn broken_off(target: &Target, error: super::Http1Error) -> WireError {
    WireError::from_http1(target.to_string(), error)
}

fn for_http2(request: Request<Bytes>) -> Request<Body> {
    let mut request = request.map(Body::from);
    *request.version_mut() = Version::HTTP_2;
    request
}

async fn collect_http2(
    target: &Target,
    answer: Response<Incoming>,
    cap_bytes: usize,
) -> Result<Response<Bytes>, WireError> {
    let (parts, body) = answer.into_parts();
    match Limited::new(body, cap_bytes).collect().await {
        Ok(whole) => Ok(Response::from_parts(parts, whole.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(WireError::TooLarge { to: target.to_string(), cap_bytes })
        }
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(error) => Err(WireError::from_hyper(target.label(), *error)),
            Err(source) => Err(WireError::Reset { to: target.to_string(), source }),
        },
    }
}

/// Token answers have some hundred bytes; whatever is longer is no token answer.
pub const ANSWER_CAP_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
        let careless = connector(|options| options.roots = crate::wire::RootsSource::AnyOnLoopback);
        let answer = Client::new(careless, Tasks::default()).call(get(), LIMIT).await.unwrap();
        assert_eq!(answer.status(), 204, "on this host, if it is asked for");
        let friend = connector(|options| options.roots = authority.roots());
        let answer = Client::new(friend, Tasks::default()).call(get(), LIMIT).await.unwrap();
        assert_eq!(answer.status(), 204);
    }
}
