//! What a stage is: a step of a request's life that gets the request and the rest.

use std::pin::Pin;

use super::{error::ProxyError, passage::Passage};
use crate::base::body::{Body, Response};

/// The answer of a stage. It may be dropped at any `await`: then the client has left.
pub(super) type Answering<'a> =
    Pin<Box<dyn Future<Output = Result<Response, ProxyError>> + Send + 'a>>;

/// One step. Whatever must survive the client's leaving is kept in the [`Passage`].
pub(super) trait Stage: Send + Sync + 'static {
    /// Looks at the request, runs the rest or not, looks at the answer. The head of the request
    /// is in the passage; its body is handed on.
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a>;
}

/// The stages behind the present one.
#[derive(Clone, Copy)]
pub(super) struct Next<'a> {
    rest: &'a [Box<dyn Stage>],
}

impl<'a> Next<'a> {
    /// The whole list.
    pub(super) fn new(stages: &'a [Box<dyn Stage>]) -> Self {
        Self { rest: stages }
    }

    /// Runs the rest. May be called again for another attempt.
    pub(super) fn run<'p>(self, passage: &'p mut Passage, body: Body) -> Answering<'p>
    where
        'a: 'p,
    {
        match self.rest {
            [stage, rest @ ..] => stage.run(passage, body, Self { rest }),
            [] => Box::pin(async {
                Err(ProxyError::Internal { what: "the list of stages has no end" })
            }),
        }
    }
}
