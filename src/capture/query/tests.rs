//! Tests of lists, pages, exports and ids over stored segments.

use std::time::Duration;

use super::*;
use crate::{
    base::clock::from_unix_ms,
    capture::{
        segment::{Packer, Segment},
        storage::Storage,
        testing::{self, TIME_MS},
    },
};

struct Stored {
    /// Kept alive: the files vanish with it.
    dir: tempfile::TempDir,
    storage: Storage,
    reader: Reader,
    ids: Vec<RequestId>,
}

/// 300 exchanges in segments of 7; each third fails, each fifth names an order in its body.
fn stored() -> Stored {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capture.db");
    let mut storage = Storage::open(&path).unwrap();
    let (mut segment, mut packer) = (Segment::default(), Packer::default());
    let mut ids = Vec::new();
    for nth in 0..300_u64 {
        let path = if nth % 2 == 0 { "/shop/spu/add" } else { "/shop/order/get" };
        let mut exchange = testing::at(path, TIME_MS + nth as i64 * 1000);
        ids.push(exchange.id);
        exchange.rid = Some(format!("rid-{nth:03}"));
        exchange.call = (nth % 2 == 0).then_some("添加商品 Add product");
        exchange.errcode = Some(if nth % 3 == 0 { 40001 } else { 0 });
        exchange.duration = Duration::from_millis(nth);
        if nth % 5 == 0 {
            exchange.request.body = testing::body(&format!(r#"{{"order_id":3300{nth}}}"#));
        }
        let mut exchange = testing::stored(&exchange);
        exchange.seq = nth + 1;
        testing::push(&mut segment, &exchange);
        if segment.count() == 7 {
            storage.insert(&segment.seal(true, &mut packer).unwrap().unwrap()).unwrap();
        }
    }
    storage.insert(&segment.seal(true, &mut packer).unwrap().unwrap()).unwrap();
    let reader = Reader::open(&path).unwrap();
    Stored { dir, storage, reader, ids }
}

fn filter(text: &str) -> Filter {
    Filter::parse(text, from_unix_ms(TIME_MS + 300_000)).unwrap()
}

/// The rule that the lines follow, checked against the whole exchanges.
#[test]
fn a_list_holds_exactly_what_the_filter_lets_through_in_either_direction() {
    let Stored { reader, ids, dir: _dir, .. } = stored();
    let everything = reader.list(&Filter::all(), 1000, None).unwrap();
    assert_eq!(everything.iter().rev().map(|e| e.id).collect::<Vec<_>>(), ids);
    for text in [
        "errcode:40001",
        "spu -errcode:0",
        "商品",
        "rid-12",
        "path:/shop/*/get key:alice",
        "slower-than:200ms | errcode:40001",
        "body:order_id",
        "-body:order_id errcode:0",
        "json:$.order_id=330010",
        "body:order_id | spu",
        "since:100s",
        "until:100s method:POST",
        "key:bob",
        "is:error",
        "status:200 lane:live outcome:ok",
        "larger-than:10",
    ] {
        let filter = filter(text);
        let expected: Vec<u64> =
            everything.iter().filter(|e| filter.matches(e)).map(|e| e.seq).collect();
        let listed = reader.list(&filter, 1000, None).unwrap();
        assert_eq!(listed.iter().map(|e| e.seq).collect::<Vec<_>>(), expected, "{text}");
        let exported: Vec<u64> = reader.export(&filter, None).map(|e| e.unwrap().seq).collect();
        assert!(exported.iter().rev().eq(expected.iter()), "{text}");
    }
    assert_eq!(reader.list(&filter("json:$.order_id=330010"), 9, None).unwrap().len(), 1);
    assert_eq!(reader.list(&filter("until:100s"), 999, None).unwrap().len(), 201);
}

#[test]
fn pages_follow_one_another_without_gap_or_repeat() {
    let Stored { reader, dir: _dir, .. } = stored();
    let filter = filter("errcode:40001");
    let whole: Vec<u64> = reader.list(&filter, 1000, None).unwrap().iter().map(|e| e.seq).collect();
    let (mut paged, mut before) = (Vec::new(), None);
    loop {
        let page = reader.lines(&filter, 13, before).unwrap();
        assert!(page.iter().all(|e| e.request.body().is_none()), "lines have no bodies");
        let Some(last) = page.last() else { break };
        before = Some(last.seq);
        paged.extend(page.iter().map(|e| e.seq));
    }
    assert_eq!(paged, whole);
    assert!(reader.list(&filter, 0, None).unwrap().is_empty());
    let after = whole[50];
    let rest: Vec<u64> = reader.export(&filter, Some(after)).map(|e| e.unwrap().seq).collect();
    assert!(rest.iter().rev().eq(whole[..50].iter()));
}

#[test]
fn an_exchange_is_shown_by_its_id_or_by_a_beginning_of_it_that_no_other_has() {
    let Stored { reader, ids, dir: _dir, .. } = stored();
    let id = ids[120].to_string();
    let shown = reader.show(&id.to_lowercase()).unwrap().unwrap();
    assert_eq!((shown.id, shown.seq), (ids[120], 121));
    assert_eq!(shown.request.body(), Some(&br#"{"order_id":3300120}"#[..]));
    assert_eq!(reader.show(&id[..20]).unwrap().unwrap().id, ids[120]);
    let error = reader.show(&id[..4]).unwrap_err();
    assert!(matches!(error, CaptureError::AmbiguousId { .. }), "{error:?}");
    assert!(reader.show("7ZZZZZ").unwrap().is_none());
    assert!(reader.show("not an id").unwrap().is_none());
    assert!(reader.show(&format!("{id}0")).unwrap().is_none());
}

#[test]
fn lines_outlive_their_bodies() {
    let Stored { mut storage, reader, dir: _dir, .. } = stored();
    storage.delete_parts(1).unwrap();
    let shown = reader.list(&Filter::all(), 1000, None).unwrap();
    let oldest = &shown[299];
    assert!(oldest.request.body().is_none() && shown[0].request.body().is_some());
    assert!(oldest.to_json().contains(r#""request":{"headers":[],"body":null,"size":18"#));
    assert_eq!(reader.list(&filter("json:$.order_id=33000"), 9, None).unwrap().len(), 0);
}

#[test]
fn a_damaged_segment_is_named() {
    let Stored { reader, dir, .. } = stored();
    let shell = Connection::open(dir.path().join("capture.db")).unwrap();
    shell.execute("UPDATE segment_lines SET data = x'00' WHERE first_seq = 8", []).unwrap();
    let error = reader.list(&Filter::all(), 1000, None).unwrap_err();
    assert!(matches!(error, CaptureError::Damaged { segment: 8, .. }), "{error:?}");
}
