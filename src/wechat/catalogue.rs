//! The catalogue of calls, and how a request finds its row.
//!
//! WeCom has a table of its own: it is another platform, on which the same path can be another
//! call.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

pub use super::call::CallClass;
use super::{
    call::{AppKinds, Call, CallMethod},
    credential::Credential,
};

/// The call that a request makes, if it is in the catalogue with this method.
///
/// One hash and no allocation for a path that is spelled as documented; another letter
/// case and a trailing slash are recognised too.
#[must_use]
pub fn lookup(method: &http::Method, path: &str) -> Option<&'static Call> {
    find(path)?.call(method)
}

/// The call at a path whatever the method; the more harmful one where both methods exist.
#[must_use]
pub fn lookup_path(path: &str) -> Option<&'static Call> {
    find(path)?.any_call()
}

/// What the call at a path does; none for an unknown path.
///
/// The platform dispatches on the path, so an undocumented method changes nothing: a POST to
/// `/cgi-bin/menu/delete` is as dangerous as the documented GET.
#[must_use]
pub fn class_of(method: &http::Method, path: &str) -> Option<CallClass> {
    lookup(method, path).or_else(|| lookup_path(path)).map(|call| call.class)
}

/// Whether a request may be sent again when its answer got lost. Only with the documented
/// method: of another one nobody knows what it does.
#[must_use]
pub fn is_repeatable(method: &http::Method, path: &str) -> bool {
    lookup(method, path).is_some_and(|call| call.repeatable)
}

/// Every call, in the order of paths.
#[must_use]
pub fn calls() -> &'static [Call] {
    &CALLS
}

/// WeCom's call at a path whatever the method.
#[must_use]
pub fn lookup_wecom_path(path: &str) -> Option<&'static Call> {
    find_wecom(path)?.any_call()
}

/// Every call of WeCom that is known, in the order of paths: those of its common SDKs.
#[must_use]
pub fn wecom_calls() -> &'static [Call] {
    &WECOM_CALLS
}

/// The names of all fields that hold personal data in some call.
#[must_use]
pub fn private_fields() -> &'static BTreeSet<&'static str> {
    static FIELDS: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| CALLS.iter().flat_map(|call| call.private.iter().copied()).collect());
    &FIELDS
}

/// The names of all fields that hold a credential in some call. Too wide for a rule by name
/// alone (`code`, `Token`): meant for views and for calls that are not in the catalogue.
#[must_use]
pub fn never_store_fields() -> &'static BTreeSet<&'static str> {
    static FIELDS: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| CALLS.iter().flat_map(|call| call.never_store.iter().copied()).collect());
    &FIELDS
}

/// The calls of one path.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    get: Option<&'static Call>,
    post: Option<&'static Call>,
}

impl Entry {
    pub(super) fn call(self, method: &http::Method) -> Option<&'static Call> {
        match CallMethod::of(method)? {
            CallMethod::Get => self.get,
            CallMethod::Post => self.post,
        }
    }

    pub(super) fn any_call(self) -> Option<&'static Call> {
        match (self.get, self.post) {
            (Some(get), Some(post)) if get.class > post.class => Some(get),
            (get, post) => post.or(get),
        }
    }
}

/// The entry of a path on every platform but WeCom.
pub(super) fn find(path: &str) -> Option<Entry> {
    INDEX.find(path)
}

/// The entry of a path on WeCom.
pub(super) fn find_wecom(path: &str) -> Option<Entry> {
    WECOM_INDEX.find(path)
}

/// Paths as documented, and all of them in lower case.
struct Index {
    exact: HashMap<&'static str, Entry>,
    folded: HashMap<String, Entry>,
}

impl Index {
    fn of(calls: &'static [Call]) -> Self {
        let mut exact: HashMap<&'static str, Entry> = HashMap::with_capacity(calls.len());
        for call in calls {
            let entry = exact.entry(call.path).or_default();
            match call.method {
                CallMethod::Get => entry.get = Some(call),
                CallMethod::Post => entry.post = Some(call),
            }
        }
        let folded =
            exact.iter().map(|(path, entry)| (path.to_ascii_lowercase(), *entry)).collect();
        Self { exact, folded }
    }

    /// Finds a path as documented, then without a trailing slash and in any letter case, so
    /// that no other spelling that the platform might accept slips past a rule for the call.
    fn find(&self, path: &str) -> Option<Entry> {
        if let Some(entry) = self.exact.get(path) {
            return Some(*entry);
        }
        let short = path.strip_suffix('/').unwrap_or(path);
        if short.len() == path.len() && !path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            // Only the few documented paths with capitals can be meant by a lower-case spelling.
            return self.folded.get(path).copied();
        }
        self.folded.get(short.to_ascii_lowercase().as_str()).copied()
    }
}

static INDEX: LazyLock<Index> = LazyLock::new(|| Index::of(&CALLS));
static WECOM_INDEX: LazyLock<Index> = LazyLock::new(|| Index::of(&WECOM_CALLS));

static CALLS: LazyLock<Vec<Call>> = LazyLock::new(|| rows(CATALOGUE).filter_map(parse).collect());
static WECOM_CALLS: LazyLock<Vec<Call>> = LazyLock::new(|| rows(WECOM).filter_map(parse).collect());

/// The lines behind the heading.
fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().skip(1)
}

/// Reads one row; none if a column is missing or a word unknown, which a test excludes.
fn parse(row: &'static str) -> Option<Call> {
    let mut columns = row.split('\t');
    let mut next = || columns.next();
    let (path, method, name_zh, name_en, family) = (next()?, next()?, next()?, next()?, next()?);
    let (kinds, credential, class, repeat) = (next()?, next()?, next()?, next()?);
    let (body, answer, fields, doc) = (next()?, next()?, next()?, next()?);
    let class: CallClass = class.parse().ok()?;
    let marked = match repeat {
        "yes" => true,
        "no" => false,
        _ => return None,
    };
    let fields = || fields.split(',').filter(|field| !field.is_empty());
    Some(Call {
        path,
        method: method.parse().ok()?,
        name_zh,
        name_en,
        names: row.splitn(3, '\t').nth(2)?.get(..name_zh.len() + 1 + name_en.len())?,
        family,
        kinds: AppKinds::parse(kinds)?,
        credential: Credential::from_word(credential)?,
        class,
        repeatable: marked && class != CallClass::Danger,
        body: body.parse().ok()?,
        answer: answer.parse().ok()?,
        private: fields().filter(|field| !field.starts_with(SECRET)).collect(),
        never_store: fields().filter_map(|field| field.strip_prefix(SECRET)).collect(),
        doc,
    })
}

/// Marks a field of the file that holds a credential.
const SECRET: &str = "secret:";

const CATALOGUE: &str = include_str!("data/catalogue.tsv");
const WECOM: &str = include_str!("data/wecom.tsv");

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::base::kind::AccountKind;

    #[test]
    fn every_row_is_read_and_no_call_stands_twice() {
        for (table, calls, index) in
            [(CATALOGUE, calls(), &INDEX), (WECOM, wecom_calls(), &WECOM_INDEX)]
        {
            for row in rows(table) {
                assert!(parse(row).is_some(), "{row}");
            }
            assert_eq!(calls.len(), rows(table).count());
            let known: BTreeSet<_> = calls.iter().map(|call| (call.path, call.method)).collect();
            assert_eq!(known.len(), calls.len());
            assert_eq!(index.exact.len(), index.folded.len(), "two paths differ only in case");
        }
        assert!(calls().len() > 1800 && wecom_calls().len() > 80);
        assert!(wecom_calls().iter().all(|call| call.kinds.holds(AccountKind::Wecom)));
    }

    #[test]
    fn a_broken_row_is_not_read() {
        for row in [
            "",
            "/a",
            "/a\tGET\tz\te\tf\tmini-program\ttoken\tread\tmaybe\tnone\tjson\t\td",
            "/a\tGET\tz\te\tf\tmini-program\ttokens\tread\tyes\tnone\tjson\t\td",
        ] {
            assert!(parse(row).is_none(), "{row}");
        }
    }

    #[test]
    fn rows_hold_what_other_rooms_rely_on() {
        for call in calls().iter().chain(wecom_calls()) {
            assert!(call.path.starts_with('/') && !call.path.contains(['?', '#', ' ']), "{call:?}");
            assert!(!call.name_zh.is_empty() && !call.name_en.is_empty(), "{call:?}");
            assert!(!call.private.iter().any(|field| call.never_store.contains(field)), "{call:?}");
            assert!(!(call.repeatable && call.class == CallClass::Danger), "{call:?}");
        }
        assert!(private_fields().contains("openid") && private_fields().contains("phone"));
        assert!(never_store_fields().contains("session_key"));
        assert!(!private_fields().contains("session_key"));
    }

    #[test]
    fn a_get_is_neither_harmless_nor_repeatable_for_being_a_get() {
        let delete = lookup(&Method::GET, "/cgi-bin/menu/delete").unwrap();
        assert_eq!((delete.class, delete.repeatable), (CallClass::Danger, false));
        let session = lookup(&Method::GET, "/sns/jscode2session").unwrap();
        assert_eq!((session.class, session.repeatable), (CallClass::Read, false));
        assert!(is_repeatable(&Method::HEAD, "/cgi-bin/menu/get"));
        assert!(!is_repeatable(&Method::POST, "/cgi-bin/menu/get"), "not documented");
        assert!(!is_repeatable(&Method::POST, "/unheard/of"));
    }

    #[test]
    fn dangerous_calls_are_dangerous_in_any_method_and_spelling() {
        for path in [
            "/cgi-bin/message/mass/send",
            "/cgi-bin/message/mass/sendall",
            "/cgi-bin/menu/delete",
            "/shop/spu/del",
            "/wxa/release",
            "/cgi-bin/clear_quota",
            "/customservice/kfaccount/del",
        ] {
            for spelling in [path.to_owned(), format!("{path}/"), path.to_uppercase()] {
                for method in [Method::GET, Method::POST, Method::DELETE] {
                    let class = class_of(&method, &spelling);
                    assert_eq!(class, Some(CallClass::Danger), "{method} {spelling}");
                }
            }
        }
    }

    #[test]
    fn documented_capitals_are_found_and_unknown_paths_are_not() {
        assert!(lookup(&Method::POST, "/retail/B2b/refund").is_some());
        assert!(lookup(&Method::POST, "/retail/b2b/refund").is_some());
        for path in ["", "/", "//", "/shop", "/shop/spu/add//", "/shop/spu/added"] {
            assert!(lookup_path(path).is_none(), "{path}");
            assert_eq!(class_of(&Method::POST, path), None, "{path}");
        }
        assert!(lookup(&Method::GET, "/shop/spu/add").is_none());
        assert!(lookup_path("/shop/spu/add").is_some());
    }

    #[test]
    fn media_and_codes_are_known_as_binary() {
        use super::super::call::{AnswerForm, BodyForm};
        let code = lookup(&Method::POST, "/wxa/getwxacodeunlimit").unwrap();
        assert_ne!(code.answer, AnswerForm::Json);
        let upload = lookup(&Method::POST, "/cgi-bin/media/upload").unwrap();
        assert_eq!(upload.body, BodyForm::Multipart);
    }
}
