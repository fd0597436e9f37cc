//! One request on a connection, from its first byte to the last one of its answer.

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};

use super::{
    chunked::Chunked,
    connection::Http1,
    head::{Head, HeadError, Length},
    request::Outgoing,
    upload::{Turn, Upload},
};
use crate::base::body::BodyError;

/// Holds the connection while a request is on it. Dropped before the end, it resets it.
pub(crate) struct Exchange {
    conn: Box<Http1>,
    upload: Upload,
    is_head: bool,
    /// 1xx answers so far.
    interim: u8,
    answer: Answer,
    may_keep: bool,
    /// Sending failed; the peer may have answered before it stopped reading.
    write_error: Option<io::Error>,
}

/// How far the answer is.
enum Answer {
    Awaited,
    Bytes(u64),
    Chunked(Chunked),
    UntilClose,
    Over,
}

/// Why there is no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Http1Error {
    #[error("the connection failed")]
    Broken(#[source] io::Error),
    #[error("the connection ended before the answer did")]
    Cut,
    #[error("it is no answer of HTTP/1.1")]
    Head(#[from] HeadError),
    #[error("its chunks cannot be read: {0}")]
    Chunks(&'static str),
    #[error("it switched protocols unasked")]
    Upgrade,
    #[error("its interim answers do not end")]
    Babble,
    #[error("the request's own body failed")]
    Body(#[source] BodyError),
}

impl Exchange {
    /// Writes down the request for `host`; the first poll sends it.
    pub(crate) fn begin(mut conn: Box<Http1>, host: &HeaderValue, request: Outgoing<'_>) -> Self {
        let length = request.length();
        request.write_head(host, length, &mut conn.output);
        let is_head = *request.method == Method::HEAD;
        let upload = Upload::new(request.body, length, &mut conn.output);
        Self {
            conn,
            upload,
            is_head,
            interim: 0,
            answer: Answer::Awaited,
            may_keep: false,
            write_error: None,
        }
    }

    /// The connection, for its timer.
    pub(crate) fn conn(&mut self) -> &mut Http1 {
        &mut self.conn
    }

    pub(crate) fn turn(&self) -> Turn {
        self.upload.turn()
    }

    /// Sends on, and reads until the head of the answer is there.
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Http1Error>> {
        self.poll_upload(cx)?;
        loop {
            while let Some(head) = Head::parse(&mut self.conn.input, self.is_head)? {
                if head.response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    return Poll::Ready(Err(Http1Error::Upgrade));
                }
                if !head.response.status().is_informational() {
                    self.may_keep = head.may_keep;
                    self.answer = match head.length {
                        Length::Bytes(0) => Answer::Over,
                        Length::Bytes(length) => Answer::Bytes(length),
                        Length::Chunked => Answer::Chunked(Chunked::default()),
                        Length::UntilClose => Answer::UntilClose,
                    };
                    return Poll::Ready(Ok(head));
                }
                self.interim += 1;
                if self.interim > INTERIM_MOST {
                    return Poll::Ready(Err(Http1Error::Babble));
                }
            }
            match ready!(self.conn.poll_fill(cx)) {
                Ok(0) => return Poll::Ready(Err(self.cut(None))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(self.cut(Some(error)))),
            }
        }
    }

    /// The next part of the answer's body; none at its end.
    pub(crate) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Http1Error>>> {
        if let Err(error) = self.poll_upload(cx) {
            return Poll::Ready(Some(Err(error)));
        }
        loop {
            match self.take() {
                Ok(Some(data)) => return Poll::Ready(Some(Ok(data))),
                Ok(None) if self.is_over() => return Poll::Ready(None),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            match ready!(self.conn.poll_fill(cx)) {
                Ok(0) if matches!(self.answer, Answer::UntilClose) => {
                    self.answer = Answer::Over;
                    return Poll::Ready(None);
                }
                Ok(0) => return Poll::Ready(Some(Err(self.cut(None)))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(self.cut(Some(error))))),
            }
        }
    }

    /// The whole body, if all of it is here already.
    pub(crate) fn whole_body(&mut self) -> Option<Bytes> {
        match self.answer {
            Answer::Over => Some(Bytes::new()),
            Answer::Bytes(left) if left <= self.conn.input.len() as u64 => {
                self.answer = Answer::Over;
                Some(self.conn.input.split_to(left as usize).freeze())
            }
            Answer::Awaited | Answer::Bytes(_) | Answer::Chunked(_) | Answer::UntilClose => None,
        }
    }

    /// Whether the whole request is with the peer.
    pub(crate) fn is_sent(&self) -> bool {
        self.upload.is_over()
    }

    /// How many bytes of the body are still to come, where that is known.
    pub(crate) fn bytes_left(&self) -> Option<u64> {
        match self.answer {
            Answer::Bytes(left) => Some(left),
            Answer::Over => Some(0),
            Answer::Awaited | Answer::Chunked(_) | Answer::UntilClose => None,
        }
    }

    /// Whether the answer is whole.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.answer, Answer::Over)
    }

    /// Gives the connection back if it can carry another request. If not, it is closed: in peace
    /// after a whole exchange, else with a reset, which cuts off the rest of an upload that the
    /// peer did not wait for.
    pub(crate) fn finish(self) -> Option<Box<Http1>> {
        let is_whole = self.is_over() && self.upload.is_over() && self.write_error.is_none();
        if !is_whole {
            return None;
        }
        if self.may_keep && self.conn.input.is_empty() {
            return Some(self.conn);
        }
        self.conn.say_goodbye();
        None
    }

    /// What is here of the body, decoded.
    fn take(&mut self) -> Result<Option<Bytes>, Http1Error> {
        let input = &mut self.conn.input;
        let data = match &mut self.answer {
            Answer::Awaited | Answer::Over => return Ok(None),
            Answer::Bytes(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= count as u64;
                let data = input.split_to(count).freeze();
                if *left == 0 {
                    self.answer = Answer::Over;
                }
                data
            }
            Answer::Chunked(chunked) => {
                let data = chunked.next(input).map_err(Http1Error::Chunks)?.unwrap_or_default();
                if chunked.is_over() {
                    self.answer = Answer::Over;
                }
                data
            }
            Answer::UntilClose => input.split().freeze(),
        };
        Ok((!data.is_empty()).then_some(data))
    }

    /// Sends on. A socket that takes no more is no error yet: the peer may have answered first.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<(), Http1Error> {
        if self.write_error.is_some() {
            return Ok(());
        }
        match self.upload.poll(&mut self.conn, cx) {
            Poll::Ready(Err(Http1Error::Broken(error))) => {
                self.write_error = Some(error);
                Ok(())
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// The connection ended in the middle. What went wrong first is the cause.
    fn cut(&mut self, error: Option<io::Error>) -> Http1Error {
        self.write_error.take().or(error).map_or(Http1Error::Cut, Http1Error::Broken)
    }
}

/// More 1xx answers than this before the real one are an attack or a fault.
const INTERIM_MOST: u8 = 8;
