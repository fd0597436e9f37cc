//! Control over HTTP, on the port of a sandbox that stands alone.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};

use super::{Call, Platform, control, push::Sender};
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
    /// one, or the first by name; `/-/sandbox/accounts` and `/-/sandbox/faults` are for all.
    pub(super) async fn answer(
        &self,
        platform: &Platform,
        sender: &Sender,
        call: &Call,
    ) -> Option<Response<Bytes>> {
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
        if !names.iter().any(|name| Some(name.as_str()) == rest.split('/').next())
            && let Some(answer) = control::answer_for_all(platform, &call.method, rest, &call.body)
        {
            return Some(answer);
        }
        // A name that is no account's is told so, and not taken for a part of the path.
        let is_name = |name: &str, rest: &str| {
            names.iter().any(|known| known == name)
                || (control::has_noun(rest) && !control::has_noun(name))
        };
        let named = rest.split_once('/').filter(|(name, rest)| is_name(name, rest));
        let (account, rest) = match named {
            Some((name, rest)) => (name, rest),
            None => (names.first().map_or("", String::as_str), rest),
        };
        let rest = match call.query.as_str() {
            "" => rest.to_owned(),
            query => format!("{rest}?{query}"),
        };
        let (method, body) = (&call.method, &call.body);
        Some(control::serve(platform, sender, account, method, &rest, body).await)
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
        // A web page that the developer has open could post here; no tool sends this header.
        if headers.contains_key(header::ORIGIN) {
            return Err((StatusCode::FORBIDDEN, "web pages may not control the sandbox"));
        }
        let Some(token) = &self.token else { return Ok(()) };
        let given = headers.get(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
        let given = given.and_then(|value| value.strip_prefix(b"Bearer "));
        let told = match given {
            Some(given) if token.matches(given) => return Ok(()),
            Some(_) => "this is not the control token of the sandbox",
            None => "send the control token: Authorization: Bearer <token>",
        };
        Err((StatusCode::UNAUTHORIZED, told))
    }
}

/// Where control calls begin.
const PREFIX: &str = "/-/sandbox/";

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::{Value, json};

    use super::*;
    use crate::sandbox::calls::bench::{Bench, account, call};

    async fn answer(door: &ControlDoor, platform: &Platform, call: &Call) -> u16 {
        let answer = door.answer(platform, &Sender::default(), call).await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }

    async fn status(
        door: &ControlDoor,
        platform: &Platform,
        path: &str,
        token: Option<&str>,
    ) -> u16 {
        let mut call = call(Method::GET, path, "", Bytes::new());
        if let Some(token) = token {
            call.headers.insert(header::AUTHORIZATION, token.parse().unwrap());
        }
        answer(door, platform, &call).await
    }

    #[tokio::test]
    async fn the_door_wants_its_token_and_no_web_pages() {
        let bench = Bench::new();
        let door = ControlDoor::new(Some(Secret::new("t".into())));
        let at = |token| status(&door, &bench.platform, "/-/sandbox/counters", token);
        for (token, wanted) in [(None, 401), (Some("Bearer x"), 401), (Some("Bearer t"), 200)] {
            assert_eq!(at(token).await, wanted, "{token:?}");
        }
        let open = ControlDoor::new(None);
        let mut page = call(Method::POST, "/-/sandbox/reset", "", Bytes::new());
        page.headers.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
        assert_eq!(answer(&open, &bench.platform, &page).await, 403);
    }

    #[tokio::test]
    async fn the_account_may_be_named_or_is_the_first() {
        let bench = Bench::new();
        bench.platform.add_account(account("a~sandbox", "wx1", "s2")).unwrap();
        let door = ControlDoor::new(None);
        let at = |path| status(&door, &bench.platform, path, None);
        assert_eq!(at("/-/sandbox/counters").await, 200);
        assert_eq!(at("/-/sandbox/shop/counters").await, 200);
        assert_eq!(at("/-/sandbox/a~sandbox/counters").await, 200);
        assert_eq!(at("/-/sandbox/other/counters").await, 404);
        let (_, told) = ask(&bench, Method::GET, "/-/sandbox/other/counters", &Value::Null).await;
        let told = told["message"].as_str().unwrap();
        assert!(told.contains("no sandbox account `other`; there are: a~sandbox"), "{told}");
        assert_eq!(at("/shop/spu/add").await, 0);
    }

    async fn ask(bench: &Bench, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let body = Bytes::from(body.to_string());
        let call = call(method, path, "", body);
        let door = ControlDoor::new(None);
        let answer = door.answer(&bench.platform, &Sender::default(), &call).await.unwrap();
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
    }

    #[tokio::test]
    async fn accounts_come_and_go() {
        let bench = Bench::new();
        let add = async |form: Value| ask(&bench, Method::POST, "/-/sandbox/accounts", &form).await;
        let (status, made) = add(json!({"name": "new"})).await;
        assert_eq!(status, 200);
        let (app_id, secret) = (made["app_id"].as_str().unwrap(), made["app_secret"].as_str());
        assert!(app_id.starts_with("wx") && app_id.len() == 18);
        let query =
            format!("grant_type=client_credential&appid={app_id}&secret={}", secret.unwrap());
        assert_eq!(bench.get("/cgi-bin/token", &query).errcode, None);
        let (_, given) = add(json!({"name": "own", "app_id": "wx9", "app_secret": "s9"})).await;
        assert_eq!(given, json!({"name": "own", "app_id": "wx9"}), "not shown again");
        let (_, all) = ask(&bench, Method::GET, "/-/sandbox/accounts", &Value::Null).await;
        assert_eq!(all["accounts"].as_array().unwrap().len(), 3);
        assert!(!all.to_string().contains("secret"));
        for (form, status) in [
            (json!({"name": "own"}), 409),
            (json!({"name": "faults"}), 400),
            (json!({"name": "a/b"}), 400),
            (json!({"name": "twin", "app_id": "wx9", "app_secret": "s9"}), 400),
            (json!({}), 400),
        ] {
            assert_eq!(add(form.clone()).await.0, status, "{form}");
        }
        let remove = async |name: &str| {
            let path = format!("/-/sandbox/accounts/{name}");
            ask(&bench, Method::DELETE, &path, &Value::Null).await.0
        };
        assert_eq!((remove("new").await, remove("new").await), (200, 404));
        assert_eq!(ask(&bench, Method::PUT, "/-/sandbox/accounts", &Value::Null).await.0, 405);
        let mut added = 0;
        for number in 0..200 {
            added += u32::from(add(json!({"name": number.to_string()})).await.0 == 200);
        }
        assert_eq!(added, 98, "there is an end to them");
    }

    #[tokio::test]
    async fn faults_strike_all_accounts_or_the_one_that_is_named() {
        let bench = Bench::new();
        bench.platform.add_account(account("other", "wx2", "s2")).unwrap();
        let arm = async |form: Value| ask(&bench, Method::POST, "/-/sandbox/faults", &form).await;
        let (_, all) = arm(json!({"kind": "busy", "path": "*"})).await;
        let names: Vec<_> =
            all["faults"].as_array().unwrap().iter().map(|f| &f["account"]).collect();
        assert_eq!(names, ["other", "shop"]);
        let fetch = |app: &str, secret: &str| {
            let query = format!("grant_type=client_credential&appid={app}&secret={secret}");
            bench.get("/cgi-bin/token", &query).errcode
        };
        assert_eq!((fetch("wx1", "s1"), fetch("wx2", "s2")), (Some(-1), Some(-1)));
        arm(json!({"kind": "busy", "path": "*", "account": "other"})).await;
        assert_eq!((fetch("wx1", "s1"), fetch("wx2", "s2")), (None, Some(-1)));
        assert_eq!(arm(json!({"kind": "busy", "account": "none"})).await.0, 400);
        assert_eq!(arm(json!({"kind": "boom"})).await.0, 400);
        arm(json!({"kind": "busy"})).await;
        let (_, left) = ask(&bench, Method::DELETE, "/-/sandbox/faults", &Value::Null).await;
        assert_eq!(left, json!({"faults": []}));
    }
}
