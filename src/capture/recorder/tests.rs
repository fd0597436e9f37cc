//! Tests of the recorder as a whole, on a real file.

use bytes::Bytes;

use super::*;
use crate::{
    base::{
        clock::{MovableClock, SystemClock},
        secret::Secret,
        units::ByteSize,
    },
    capture::{Filter, exchange::Captured, testing},
};

struct Setup {
    dir: tempfile::TempDir,
    redactor: Arc<Redactor>,
    clock: SharedClock,
}

impl Setup {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, redactor: Arc::new(Redactor::new()), clock: Arc::new(SystemClock) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("capture.db")
    }

    fn start(&self) -> (Recorder, Option<SetAside>) {
        let (redactor, clock) = (self.redactor.clone(), self.clock.clone());
        Recorder::start(&self.path(), settings(), redactor, clock, CaptureMetrics::default())
            .unwrap()
    }

    /// An exchange of this moment, so that retention leaves it alone.
    fn exchange(&self) -> Exchange {
        testing::at("/shop/spu/add", self.clock.unix_ms())
    }
}

fn settings() -> CaptureSettings {
    CaptureSettings {
        enabled: true,
        body_cap: ByteSize(256 << 10),
        keep: Duration::from_secs(7 * 86_400),
        keep_meta: Duration::from_secs(180 * 86_400),
        max_size: ByteSize(2 << 30),
        redact: vec!["session_key".into()],
    }
}

fn count(path: &Path) -> usize {
    Reader::open(path).unwrap().list(&Filter::all(), 100_000, None).unwrap().len()
}

#[tokio::test]
async fn what_is_recorded_is_stored_streamed_and_counted() {
    let setup = Setup::new();
    let (recorder, set_aside) = setup.start();
    assert_eq!(set_aside, None);
    let mut live = recorder.subscribe();
    let exchange = setup.exchange();
    let id = exchange.id;
    recorder.record(&exchange);
    recorder.flush().await;
    let stored = recorder.reader().unwrap().show(&id.to_string()).unwrap().unwrap();
    let streamed = live.recv().await.unwrap();
    assert_eq!(streamed.to_json(), stored.to_json());
    assert_eq!(streamed.seq, stored.seq);
    assert_eq!(recorder.state(), CaptureState::Recording);
    assert_eq!((recorder.dropped(), recorder.queue_len()), (0, 0));
    assert_eq!(recorder.shared.metrics.recorded.get(), 1);
}

/// A kill takes the process as it stands: nothing is closed, the log is not merged.
#[tokio::test]
async fn a_stored_exchange_survives_a_kill() {
    let setup = Setup::new();
    let (recorder, _) = setup.start();
    for _ in 0..100 {
        recorder.record(&setup.exchange());
    }
    recorder.flush().await;
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["capture.db", "capture.db-wal"] {
        std::fs::copy(setup.dir.path().join(name), elsewhere.path().join(name)).unwrap();
    }
    let path = elsewhere.path().join("capture.db");
    assert_eq!(count(&path), 100);
    let (storage, next_seq, set_aside) = open_or_set_aside(&path, 0).unwrap();
    assert_eq!((next_seq, set_aside), (101, None));
    drop(storage);
}

#[tokio::test]
async fn the_last_recorder_stores_what_is_queued_and_the_next_one_goes_on_behind_it() {
    let setup = Setup::new();
    let (recorder, _) = setup.start();
    let mut has_ended = recorder.shared.has_ended.subscribe();
    for _ in 0..50 {
        recorder.clone().record(&setup.exchange());
    }
    drop(recorder);
    has_ended.wait_for(|has_ended| *has_ended).await.unwrap();
    assert_eq!(count(&setup.path()), 50);
    let (recorder, _) = setup.start();
    recorder.record(&setup.exchange());
    assert!(recorder.flush_and_close(Duration::from_secs(10)).await);
    let newest = Reader::open(&setup.path()).unwrap().list(&Filter::all(), 1, None).unwrap();
    assert_eq!(newest[0].seq, 51);
    recorder.record(&setup.exchange());
    assert_eq!((recorder.state(), recorder.dropped()), (CaptureState::Closed, 1));
}

/// Every place and every form, then the bytes of the file, the decoded rows and the stream.
#[tokio::test]
async fn no_credential_reaches_the_file_or_the_stream() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let setup = Setup::new();
    let token = "97_Zm9vYmFyQmF6UXV4_real-access-token-of-the-platform";
    let key = "wxgk_0123456789_abcdefghijabcdefghijabcdefghijabcdefghijklm";
    let canary = "canary-that-only-its-place-gives-away";
    setup.redactor.protect("shop/token", &Secret::new(token.into()));
    let (recorder, _) = setup.start();
    let mut live = recorder.subscribe();
    let base64 = BASE64_STANDARD.encode(format!("xx{token}yy"));
    let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    for name in ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"] {
        let mut exchange = setup.exchange();
        exchange.request.headers.insert(name, canary.parse().unwrap());
        exchange.response.headers.insert("x-echo", format!("{token} {key}").parse().unwrap());
        recorder.record(&exchange);
    }
    for name in ["access_token", "secret", "appsecret", "corpsecret", "component_appsecret"] {
        let mut exchange = setup.exchange();
        exchange.query = format!("a=1&{name}={canary}&b={token}");
        exchange.request.body = testing::body(&format!(r#"{{"x":[{{"{name}":"{canary}"}}]}}"#));
        exchange.response.body =
            testing::body(&format!(r#"{{"session_key":"{canary}","h":"{hex}","b":"{base64}"}}"#));
        recorder.record(&exchange);
    }
    let mut exchange = setup.exchange();
    exchange.path = format!("/x/{token}/{key}");
    exchange.errmsg = Some(format!("token={token}"));
    exchange.request.body = Captured::of(&Bytes::from(format!("cut {token}")), 30);
    recorder.record(&exchange);
    assert!(recorder.flush_and_close(Duration::from_secs(10)).await);

    let mut seen = Vec::new();
    for file in std::fs::read_dir(setup.dir.path()).unwrap() {
        seen.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let stored = Reader::open(&setup.path()).unwrap().list(&Filter::all(), 100, None).unwrap();
    assert_eq!(stored.len(), 11);
    for exchange in stored {
        seen.extend(exchange.to_json().into_bytes());
        seen.extend(format!("{exchange:?}").into_bytes());
    }
    while let Ok(exchange) = live.try_recv() {
        seen.extend(exchange.to_json().into_bytes());
    }
    let needles = [canary, token, &key[5..], &hex, &base64[4..base64.len() - 4], &token[..15]];
    for needle in needles {
        let at = memchr::memmem::find(&seen, needle.as_bytes());
        assert_eq!(at, None, "{needle}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_a_new_one_begun() {
    let setup = Setup::new();
    std::fs::write(setup.path(), vec![7; 8192]).unwrap();
    std::fs::write(setup.dir.path().join("capture.db-wal"), b"rest").unwrap();
    let (recorder, set_aside) = setup.start();
    let set_aside = set_aside.unwrap();
    assert_eq!(std::fs::read(&set_aside.moved_to).unwrap(), vec![7; 8192]);
    assert!(set_aside.moved_to.to_string_lossy().contains("capture.db.damaged-20"));
    assert!(set_aside.reason.contains("is damaged"), "{}", set_aside.reason);
    recorder.record(&setup.exchange());
    recorder.flush().await;
    assert_eq!(count(&setup.path()), 1);
}

#[tokio::test]
async fn damage_at_run_time_costs_the_old_file_but_not_the_next_exchange() {
    let setup = Setup::new();
    let (recorder, _) = setup.start();
    recorder.record(&setup.exchange());
    recorder.flush().await;
    let shell = rusqlite::Connection::open(setup.path()).unwrap();
    shell.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(shell);
    let length = std::fs::metadata(setup.path()).unwrap().len();
    std::fs::write(setup.path(), vec![7; length as usize]).unwrap();
    for _ in 0..2 {
        recorder.record(&setup.exchange());
        recorder.flush().await;
    }
    assert_eq!((recorder.state(), recorder.dropped()), (CaptureState::Recording, 0));
    assert!(recorder.flush_and_close(Duration::from_secs(10)).await);
    assert_eq!(count(&setup.path()), 2);
    let is_aside = |entry: &std::fs::DirEntry| entry.file_name().len() > "capture.db-wal".len();
    assert!(std::fs::read_dir(setup.dir.path()).unwrap().any(|e| is_aside(&e.unwrap())));
}

/// A disk of few pages; what makes room is retention, once less is to be kept.
#[tokio::test]
async fn a_full_disk_stops_the_capture_and_room_resumes_it() {
    let mut setup = Setup::new();
    let clock = Arc::new(MovableClock::default());
    setup.clock = clock.clone();
    let storage = Storage::open(&setup.path()).unwrap();
    storage.limit_pages(60);
    let shared = Shared::new(
        &setup.path(),
        settings(),
        setup.redactor.clone(),
        setup.clock.clone(),
        CaptureMetrics::default(),
    );
    let recorder = Recorder::start_writer(Arc::new(shared), storage, 1).unwrap();
    let noise: String = (0..2000).map(|_| crate::base::id::RequestId::new().to_string()).collect();
    let mut sent = 0_u64;
    let mut record = async || {
        let mut exchange = setup.exchange();
        exchange.request.body = testing::body(&noise);
        recorder.record(&exchange);
        recorder.flush().await;
        sent += 1;
        recorder.state()
    };
    while record().await == CaptureState::Recording {}
    assert!(matches!(recorder.state(), CaptureState::Stopped { .. }), "{:?}", recorder.state());
    assert!(recorder.dropped() > 0);
    clock.advance(Duration::from_secs(8 * 86_400));
    tokio::time::timeout(Duration::from_secs(30), async {
        while record().await != CaptureState::Recording {}
    })
    .await
    .expect("capture resumes by itself");
    assert_eq!(count(&setup.path()) as u64 + recorder.dropped(), sent, "every loss is counted");
}

#[tokio::test]
async fn a_locked_file_delays_exchanges_but_loses_none() {
    let setup = Setup::new();
    let (recorder, _) = setup.start();
    let shell = rusqlite::Connection::open(setup.path()).unwrap();
    shell.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for _ in 0..10 {
        recorder.record(&setup.exchange());
    }
    let flushed = tokio::time::timeout(Duration::from_millis(1500), recorder.flush()).await;
    assert!(flushed.is_err(), "the writer waits for the lock");
    assert!(matches!(recorder.state(), CaptureState::Stopped { .. }));
    recorder.record(&setup.exchange());
    shell.execute_batch("COMMIT").unwrap();
    recorder.flush().await;
    assert_eq!((count(&setup.path()), recorder.dropped()), (11, 0));
    assert_eq!(recorder.state(), CaptureState::Recording);
}

#[test]
fn a_reader_that_does_not_end_is_noticed_before_the_log_is_emptied() {
    let setup = Setup::new();
    let mut storage = Storage::open(&setup.path()).unwrap();
    let reader = rusqlite::Connection::open(setup.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM segment").unwrap();
    let mut segment = crate::capture::segment::Segment::default();
    let mut packer = crate::capture::segment::Packer::default();
    testing::push(&mut segment, &testing::stored(&setup.exchange()));
    storage.insert(&segment.seal(true, &mut packer).unwrap().unwrap()).unwrap();
    assert!(!storage.empty_log().unwrap());
    assert!(storage.log_bytes() > 0);
    reader.execute_batch("COMMIT").unwrap();
    assert!(storage.empty_log().unwrap());
    assert_eq!(storage.log_bytes(), 0);
}

#[tokio::test]
async fn a_disabled_recorder_records_nothing_until_it_is_enabled() {
    let setup = Setup::new();
    let (recorder, _) = setup.start();
    recorder.apply(CaptureSettings { enabled: false, ..settings() });
    recorder.record(&setup.exchange());
    recorder.flush().await;
    assert_eq!((recorder.state(), count(&setup.path())), (CaptureState::Disabled, 0));
    recorder.apply(CaptureSettings { redact: vec!["odd".into()], ..settings() });
    let mut exchange = setup.exchange();
    exchange.query = "odd=1".into();
    recorder.record(&exchange);
    recorder.flush().await;
    let stored = recorder.reader().unwrap().list(&Filter::all(), 9, None).unwrap();
    assert_eq!(stored[0].query, "odd=*", "new rules are in force");
    assert_eq!(recorder.body_cap(), 256 << 10);
}

#[tokio::test]
async fn a_slow_subscriber_is_told_how_much_it_missed() {
    let setup = Setup::new();
    let (recorder, _) = setup.start();
    let mut live = recorder.subscribe();
    for _ in 0..LIVE_CAPACITY + 10 {
        recorder.record(&setup.exchange());
    }
    recorder.flush().await;
    let missed = live.recv().await.unwrap_err();
    assert!(matches!(missed, broadcast::error::RecvError::Lagged(10)), "{missed:?}");
    assert_eq!(live.recv().await.unwrap().seq, 11);
}

/// One segment a batch, and never idle: both bodies and lines must go as fast as they come, also
/// where what comes is larger than what is there.
#[tokio::test]
async fn a_file_stays_within_its_size_while_exchanges_keep_coming() {
    stays_within_its_size(&[40_000; 100]).await;
    stays_within_its_size(&[[2000; 200], [40_000; 200]].concat()[..215]).await;
}

async fn stays_within_its_size(bodies: &[usize]) {
    let setup = Setup::new();
    let (recorder, _) = setup.start();
    let most = 400_000;
    recorder.apply(CaptureSettings { max_size: ByteSize(most), ..settings() });
    for length in bodies {
        let mut noise = vec![0; *length];
        aws_lc_rs::rand::fill(&mut noise).unwrap();
        let mut exchange = setup.exchange();
        exchange.request.body = Captured::of(&Bytes::from(noise), *length);
        recorder.record(&exchange);
        recorder.flush().await;
    }
    assert!(recorder.flush_and_close(Duration::from_secs(10)).await);
    let (storage, next_seq, _) = open_or_set_aside(&setup.path(), 0).unwrap();
    let (used, _) = storage.used_and_free_bytes().unwrap();
    assert_eq!(next_seq, bodies.len() as u64 + 1);
    assert!(used <= most, "{used} bytes are in use");
    assert!(used > most / 2, "no more is deleted than must be: {used} bytes are in use");
}
