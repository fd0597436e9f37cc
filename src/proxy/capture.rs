//! Opens the exchange and watches what the caller sends.

use http::header;

use super::{
    passage::{Passage, Record},
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    base::body::Request,
    capture::{Recorder, tee},
};

/// From here on the request is an exchange: whatever ends it, a line about it is stored.
pub(super) struct Capture {
    recorder: Recorder,
}

impl Capture {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { recorder: parts.recorder.clone() }
    }
}

impl Stage for Capture {
    fn run<'a>(
        &'a self,
        passage: &'a mut Passage,
        request: Request,
        next: Next<'a>,
    ) -> Answering<'a> {
        let (head, body) = request.into_parts();
        let (body, seen) = tee::tee(body, passage.live.capture_cap);
        passage.request_body = Some(seen);
        if passage.live.capture_cap > 0 {
            let mut headers = head.headers.clone();
            // What is left of it is somebody else's credential.
            headers.remove(header::AUTHORIZATION);
            headers.remove(header::COOKIE);
            passage.record = Some(Record { recorder: self.recorder.clone(), headers });
        }
        next.run(passage, Request::from_parts(head, body))
    }
}
