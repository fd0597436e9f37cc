//! Recorded exchanges, shown and exported without a gateway.

use std::{os::unix::fs::PermissionsExt as _, sync::Arc};

use super::*;
use crate::{
    base::{id::RequestId, outcome::Outcome, redact::Redactor},
    capture::{CaptureMetrics, CaptureSettings, Exchange, Recorder},
    cli::{host, show},
};

const OUT: Out = Out { json: false, color: false };

/// A host with two recorded exchanges; the second one's query holds an openid.
async fn recorded(folder: &Path) -> (Host, RequestId) {
    let host = host::tests::stopped(folder);
    drop(host.hold().unwrap());
    let settings = CaptureSettings::from(&host.config.capture);
    let (file, clock) = (host.data_file("capture.db"), Arc::new(SystemClock));
    let started = Recorder::start(
        &file,
        settings,
        Arc::new(Redactor::new()),
        clock,
        CaptureMetrics::default(),
    );
    let (recorder, _) = started.unwrap();
    let mut last = RequestId::new();
    for (path, query) in [("/cgi-bin/user/get", ""), ("/shop/spu/get", "openid=oABCDEF")] {
        last = RequestId::new();
        let client = "203.0.113.9".parse().unwrap();
        let (now, method) = (SystemClock.now(), http::Method::GET);
        let mut exchange = Exchange::new(last, now, client, method, path.into(), query.into());
        exchange.outcome = Outcome::Ok;
        recorder.record(&exchange);
    }
    assert!(recorder.flush_and_close(std::time::Duration::from_secs(10)).await);
    (host, last)
}

fn config_of(host: &Host, folder: &Path) -> PathBuf {
    let file = folder.join("proxy.toml");
    let data = toml::Value::from(host.config.server.data_dir.display().to_string());
    let account = "[[account]]\nname='demo'\napp_id='wx0123456789abcdef'\nupstream='sandbox'\n";
    std::fs::write(&file, format!("[server]\ndata_dir = {data}\n{account}")).unwrap();
    file
}

fn audited(host: &Host) -> Vec<String> {
    let held = host.hold().unwrap();
    let rows = |c: &rusqlite::Connection| {
        c.prepare("SELECT subject FROM audit WHERE what = 'unmask' ORDER BY id")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    held.db.read_blocking(rows).unwrap()
}

#[tokio::test]
async fn an_archive_is_masked_and_unmasking_is_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let (host, _) = recorded(dir.path()).await;
    let config = config_of(&host, dir.path());
    let har = dir.path().join("x.har");
    std::fs::write(&har, "an older file that everybody could read").unwrap();
    let export = |filter: &str, unmask| ExportArgs {
        har: Some(har.clone()),
        filter: filter.split_whitespace().map(ToOwned::to_owned).collect(),
        unmask,
        scenario: ScenarioArgs::default(),
    };
    run(export("path:/shop", false), Some(&config), &OUT).await.unwrap();
    let text = std::fs::read_to_string(&har).unwrap();
    assert!(text.contains("openid=*******") && !text.contains("oABCDEF"), "{text}");
    assert!(!text.contains("/cgi-bin/user/get"), "the filter holds");
    assert_eq!(std::fs::metadata(&har).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(audited(&host).is_empty());
    run(export("", true), Some(&config), &OUT).await.unwrap();
    let text = std::fs::read_to_string(&har).unwrap();
    assert!(text.contains("oABCDEF") && text.contains("/cgi-bin/user/get"), "{text}");
    assert_eq!(audited(&host), ["export of ``"]);
    let failure = run(export("kee:x", false), Some(&config), &OUT).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
}

#[tokio::test]
async fn lines_come_oldest_first_and_a_full_pipe_ends_them() {
    let dir = tempfile::tempdir().unwrap();
    let (host, _) = recorded(dir.path()).await;
    let reader = reader(&host).unwrap().unwrap();
    let filter = Filter::all();
    let mut text = Vec::new();
    assert_eq!(lines(reader.export(&filter, None), &mut text).unwrap(), 2);
    let text = String::from_utf8(text).unwrap();
    let paths: Vec<_> = text.lines().map(|line| line.contains("/shop/spu/get")).collect();
    assert_eq!(paths, [false, true]);
    let mut small = [0_u8; 10];
    assert!(lines(reader.export(&filter, None), &mut small[..]).is_err());
    let gone = CaptureError::Export { source: io::Error::from(io::ErrorKind::BrokenPipe) };
    assert_eq!(count(&host, Err(gone), &OUT).unwrap(), Exit::Done);
}

#[tokio::test]
async fn one_exchange_is_found_by_the_beginning_of_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let (host, id) = recorded(dir.path()).await;
    let config = config_of(&host, dir.path());
    let show = |id: &str, unmask| {
        show::run(show::ShowArgs { id: id.to_owned(), unmask }, Some(&config), &OUT)
    };
    show(&id.to_string(), false).await.unwrap();
    show(&id.to_string()[..25], true).await.unwrap();
    assert_eq!(audited(&host), [format!("exchange {id}")]);
    let failure = show("0", false).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Usage, "two begin like this: {failure:?}");
    let failure = show("7ZZZ", false).await.unwrap_err();
    assert!(failure.text().unwrap().contains("no recorded request"), "{failure:?}");
    let empty = tempfile::tempdir().unwrap();
    assert!(reader(&host::tests::stopped(empty.path())).unwrap().is_none());
}
