//! Which fields are hidden when an exchange is shown.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::{
    capture::{FieldNames, StoredExchange, view},
    config::model::Capture,
    wechat::catalogue,
};

/// What whoever is no operator, and did not make the call, does not see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mask {
    /// The catalogue's private fields: openid, phone, name, address …
    #[default]
    Catalogue,
    /// `[capture] mask`.
    Names(FieldNames),
}

impl Mask {
    /// What a configuration wants hidden.
    #[must_use]
    pub fn of(capture: &Capture) -> Self {
        match &capture.mask {
            Some(names) => Self::Names(FieldNames::new(names.iter().map(String::as_str))),
            None => Self::Catalogue,
        }
    }

    /// The exchange as it may be shown.
    #[must_use]
    pub fn hide(&self, exchange: &StoredExchange) -> StoredExchange {
        match self {
            Self::Names(names) => view::masked(exchange, names),
            Self::Catalogue => {
                let shown = view::masked(exchange, &PRIVATE);
                // An exchange does not tell the kind of its account: the names of both platforms.
                let path = &exchange.path;
                let calls = [catalogue::lookup_path(path), catalogue::lookup_wecom_path(path)];
                let names = calls.iter().flatten().flat_map(|call| call.private.iter().copied());
                let names: Vec<&str> = names.collect();
                if names.is_empty() { shown } else { view::masked(&shown, &FieldNames::new(names)) }
            }
        }
    }
}

/// Names that stand for private things in any call. A name that only one call calls private
/// (`id`, `data`, `text`) is hidden there alone: elsewhere it would hide what everybody needs.
static PRIVATE: LazyLock<FieldNames> = LazyLock::new(|| {
    let mut calls: BTreeMap<&str, u32> = BTreeMap::new();
    for name in catalogue::calls().iter().flat_map(|call| call.private.iter()) {
        *calls.entry(name).or_default() += 1;
    }
    FieldNames::new(calls.into_iter().filter(|(_, calls)| *calls > 1).map(|(name, _)| name))
});

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc, time::Duration};

    use super::*;
    use crate::{
        base::{
            clock::{Clock as _, SystemClock},
            id::RequestId,
            redact::Redactor,
        },
        capture::{CaptureMetrics, CaptureSettings, Exchange, Filter, Reader, Recorder},
        config::Config,
    };

    /// An exchange of `path` with this query, as it is read back.
    async fn stored(dir: &Path, path: &str, query: &str) -> StoredExchange {
        let settings = CaptureSettings::from(&Config::builtin(dir).capture);
        let (file, clock) = (dir.join("capture.db"), Arc::new(SystemClock));
        let redactor = Arc::new(Redactor::new());
        let (recorder, _) =
            Recorder::start(&file, settings, redactor, clock, CaptureMetrics::default()).unwrap();
        let client = "203.0.113.9".parse().unwrap();
        let (id, now) = (RequestId::new(), SystemClock.now());
        let (path, query) = (path.to_owned(), query.to_owned());
        recorder.record(&Exchange::new(id, now, client, http::Method::GET, path, query));
        assert!(recorder.flush_and_close(Duration::from_secs(10)).await);
        Reader::open(&file).unwrap().list(&Filter::all(), 1, None).unwrap().remove(0)
    }

    #[tokio::test]
    async fn a_list_in_the_file_replaces_the_private_fields_of_the_catalogue() {
        let dir = tempfile::tempdir().unwrap();
        let exchange = stored(dir.path(), "/x", "openid=oA&phone=138&id=77&mine=5").await;
        let mut capture = Config::builtin(dir.path()).capture;
        let shown = |capture: &Capture| Mask::of(capture).hide(&exchange).query;
        assert_eq!(shown(&capture), "openid=**&phone=***&id=77&mine=5");
        capture.mask = Some(vec!["Mine".into()]);
        assert_eq!(shown(&capture), "openid=oA&phone=138&id=77&mine=*");
        capture.mask = Some(Vec::new());
        assert_eq!(shown(&capture), exchange.query);
    }

    #[tokio::test]
    async fn a_field_that_one_call_alone_calls_private_is_hidden_there() {
        let counts = |name: &str| {
            catalogue::calls().iter().filter(|call| call.private.contains(&name)).count()
        };
        let of_one_call = catalogue::calls().iter().find_map(|call| {
            let name = call.private.iter().find(|name| counts(name) == 1)?;
            Some((call.path, *name))
        });
        let (path, name) = of_one_call.unwrap();
        let query = format!("{name}=secret");
        let hidden = format!("{name}=******");
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let there = stored(one.path(), path, &query).await;
        let elsewhere = stored(two.path(), "/elsewhere", &query).await;
        assert_eq!(Mask::Catalogue.hide(&there).query, hidden);
        assert_eq!(Mask::Catalogue.hide(&elsewhere).query, query);
    }
}
