//! Opens the exchange.

use super::{
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{base::body::Body, capture::Recorder};

/// From here on the request is an exchange: whatever ends it, a line about it is stored. Its
/// body is watched where it is read, in `retry`: a refusal is stored without.
pub(super) struct Capture {
    recorder: Recorder,
}

impl Capture {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { recorder: parts.recorder.clone() }
    }
}

impl Stage for Capture {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        if passage.live.capture_cap > 0 {
            passage.recorder = Some(self.recorder.clone());
        }
        next.run(passage, body)
    }
}
