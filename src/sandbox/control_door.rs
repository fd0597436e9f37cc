//! Control over HTTP, on the port of a sandbox that stands alone.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};

use super::{Call, Platform, control};
use crate::base::secret::Secret;

/// Who may control.
#[derive(Debug)]
pub(super) struct ControlDoor {
    token: Option<Secret>,
}

impl ControlDoor {
    /// Asks for `token` as `Authorization: Bearer`, or lets everybody in.
    pub(super) fn new(token: Option<Secret>) -> Self {
        Self { token }
    }

    /// The answer to a control call; none for a call of the platform.
    ///
    /// `/-/sandbox/{account}/{rest}` names the account; `/-/sandbox/{rest}` is for the only
    /// one, or the first by name.
    pub(super) fn answer(&self, platform: &Platform, call: &Call) -> Option<Response<Bytes>> {
        let rest = call.path.strip_prefix(PREFIX)?;
        let languages = call.headers.get(header::ACCEPT_LANGUAGE);
        let languages = languages.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let page = platform.cashier(rest, &call.method, &call.query, languages, &call.body);
        if page.is_some() {
            return page;
        }
        if let Err((status, text)) = self.admit(&call.headers) {
            return Some(control::refused(status, text));
        }
        let names = platform.account_names();
        let named = rest.split_once('/').filter(|(name, _)| names.iter().any(|n| n == name));
        let (account, rest) = match named {
            Some((name, rest)) => (name, rest),
            None => (names.first().map_or("", String::as_str), rest),
        };
        let rest = match call.query.as_str() {
            "" => rest.to_owned(),
            query => format!("{rest}?{query}"),
        };
        Some(control::answer(platform, account, &call.method, &rest, &call.body))
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
        // A web page that the developer has open could post here; no tool sends this header.
        if headers.contains_key(header::ORIGIN) {
            return Err((StatusCode::FORBIDDEN, "web pages may not control the sandbox"));
        }
        let Some(token) = &self.token else { return Ok(()) };
        let given = headers.get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
        let given = given.and_then(|value| value.strip_prefix(b"Bearer "));
        if given.is_some_and(|given| token.matches(given)) {
            Ok(())
        } else {
            let hint = "send the control token: Authorization: Bearer <token>";
            Err((StatusCode::UNAUTHORIZED, hint))
        }
    }
}

/// Where control calls begin.
const PREFIX: &str = "/-/sandbox/";

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::sandbox::calls::bench::{Bench, account, call};

    fn status(door: &ControlDoor, platform: &Platform, path: &str, token: Option<&str>) -> u16 {
        let mut call = call(Method::GET, path, "", Bytes::new());
        if let Some(token) = token {
            call.headers.insert(header::AUTHORIZATION, token.parse().unwrap());
        }
        door.answer(platform, &call).map_or(0, |answer| answer.status().as_u16())
    }

    #[test]
    fn the_door_wants_its_token_and_no_web_pages() {
        let bench = Bench::new();
        let door = ControlDoor::new(Some(Secret::new("t".into())));
        let at = |token| status(&door, &bench.platform, "/-/sandbox/counters", token);
        assert_eq!((at(None), at(Some("Bearer x")), at(Some("Bearer t"))), (401, 401, 200));
        let open = ControlDoor::new(None);
        let mut page = call(Method::POST, "/-/sandbox/reset", "", Bytes::new());
        page.headers.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
        assert_eq!(open.answer(&bench.platform, &page).unwrap().status(), 403);
    }

    #[test]
    fn the_account_may_be_named_or_is_the_first() {
        let bench = Bench::new();
        bench.platform.add_account(account("a~sandbox", "wx1", "s2")).unwrap();
        let door = ControlDoor::new(None);
        let at = |path| status(&door, &bench.platform, path, None);
        assert_eq!(at("/-/sandbox/counters"), 200);
        assert_eq!(at("/-/sandbox/shop/counters"), 200);
        assert_eq!(at("/-/sandbox/a~sandbox/counters"), 200);
        assert_eq!(at("/-/sandbox/other/counters"), 404);
        assert_eq!(at("/shop/spu/add"), 0);
    }
}
