//! Calls that issue or reset credentials: never forwarded as the client sent them.

use super::{
    error::ProxyError,
    passage::Passage,
    stage::{Answering, Next, Stage},
};
use crate::{access::permit, base::body::Body, wechat::credential::CredentialCall};

/// Keeps the real token on this host: whoever asks for one is told how to do without.
pub(super) struct AnswerHere;

impl Stage for AnswerHere {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        match check(passage) {
            Ok(()) => next.run(passage, body),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

fn check(passage: &Passage) -> Result<(), ProxyError> {
    if passage.known.is_operator_only {
        return permit::operator(passage.key()?).map_err(ProxyError::denied);
    }
    match passage.known.credential_call {
        // The ticket belongs to the caller's page and passes; it is stored nowhere.
        None | Some(CredentialCall::Ticket) => Ok(()),
        Some(_) => Err(ProxyError::CredentialCall { path: passage.path()?.into() }),
    }
}
