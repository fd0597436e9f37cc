//! `/-/sandbox/{account}/cashier?ticket=…`: the sandbox's page for paying an order.

use std::sync::Arc;

use http::header;
use http_body_util::{BodyExt as _, Limited};

use super::{
    error::ProxyError,
    passage::Passage,
    sandbox_door::PREFIX,
    service::Parts,
    stage::{Answering, Next, Stage},
};
use crate::{
    base::body::{Body, Response},
    sandbox::Sandbox,
};

/// Stands before authentication: a browser has no key, its link opens one order for a while.
pub(super) struct CashierDoor {
    sandbox: Arc<Sandbox>,
}

impl CashierDoor {
    pub(super) fn new(parts: &Parts) -> Self {
        Self { sandbox: parts.sandbox.clone() }
    }

    async fn answer(&self, passage: &mut Passage, body: Body) -> Result<Response, ProxyError> {
        let body = Limited::new(body, FORM_CAP_BYTES)
            .collect()
            .await
            .map_err(|_| ProxyError::BodyTooLarge { cap_bytes: FORM_CAP_BYTES as u64 })?
            .to_bytes();
        let rest = passage.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let query = passage.uri.query().unwrap_or_default();
        let languages = passage.headers.get(header::ACCEPT_LANGUAGE);
        let languages = languages.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let platform = self.sandbox.platform();
        let page = platform.cashier(rest, &passage.method, query, languages, &body);
        let missing = || ProxyError::NotFound { path: passage.uri.path().to_owned() };
        let page = page.ok_or_else(missing)?.map(Body::from);
        passage.own_answer = Some(0);
        Ok(page)
    }
}

impl Stage for CashierDoor {
    fn run<'a>(&'a self, passage: &'a mut Passage, body: Body, next: Next<'a>) -> Answering<'a> {
        if is_page(passage.uri.path(), passage.uri.query()) {
            return Box::pin(self.answer(passage, body));
        }
        next.run(passage, body)
    }
}

/// Without a ticket it is a control call, which wants a key.
fn is_page(path: &str, query: Option<&str>) -> bool {
    let rest = path.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/'));
    rest.is_some_and(|(_, end)| end == "cashier")
        && query.is_some_and(|query| query.starts_with("ticket="))
}

/// One button's worth.
const FORM_CAP_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_with_a_ticket_is_open() {
        assert!(is_page("/-/sandbox/demo/cashier", Some("ticket=abc")));
        for (path, query) in [
            ("/-/sandbox/demo/cashier", None),
            ("/-/sandbox/demo/cashier", Some("a=ticket=")),
            ("/-/sandbox/demo/state", Some("ticket=abc")),
            ("/-/sandbox/cashier", Some("ticket=abc")),
            ("/cashier", Some("ticket=abc")),
        ] {
            assert!(!is_page(path, query), "{path} {query:?}");
        }
    }
}
