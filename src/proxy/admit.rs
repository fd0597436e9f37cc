//! Sheds load: a request gets a slot at once or is told to come back.

use std::sync::Arc;

use super::{
    error::ProxyError,
    passage::Passage,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{access::InFlight, base::body::Body};

/// The slot stays in the passage, and so is held until the answer's body has ended.
pub(super) struct Admit {
    in_flight: Arc<InFlight>,
}

impl Admit {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { in_flight: parts.in_flight.clone() }
    }
}

impl Stage for Admit {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        let Some(slot) = self.in_flight.try_enter() else {
            return Box::pin(async { Err(ProxyError::Overloaded) });
        };
        passage.slot = Some(slot);
        next.run(passage, body)
    }
}
