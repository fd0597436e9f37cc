//! What is deleted when, and how small segments become larger ones.
//!
//! Each step is one short transaction, so that the writer can go on in between.

use std::time::Duration;

use super::{
    error::CaptureError,
    segment::{Packer, Segment},
    settings::CaptureSettings,
    storage::{Row, Storage},
};

/// Remembers how far merging has come.
#[derive(Default)]
pub(super) struct Retention {
    /// Segments before this place are as large as they will get.
    merged_up_to: u64,
    packer: Packer,
}

impl Retention {
    /// Merges small neighbours of the same time window. At a few requests a second each commit
    /// makes a segment of its own; left so, a filter would read a million blobs. Tells
    /// whether there was something to do.
    pub(super) fn merge(
        &mut self,
        storage: &mut Storage,
        settings: &CaptureSettings,
        now_ms: i64,
    ) -> Result<bool, CaptureError> {
        // Bodies of a merged segment go together, so the window must be short beside `keep`.
        let window_ms = ms(settings.keep / 8).clamp(1, WINDOW_MS);
        let rows = storage.rows_from(self.merged_up_to, RUN_SEGMENTS)?;
        let Some(begin) = rows.iter().position(|row| row.count < SMALL_COUNT) else {
            self.merged_up_to = rows.last().map_or(self.merged_up_to, |row| row.first_seq + 1);
            return Ok(false);
        };
        let run = run_at(&rows[begin..], window_ms);
        let Some((first, last)) = run.first().zip(run.last()) else { return Ok(false) };
        let window_end_ms = (first.first_ms.div_euclid(window_ms) + 1).saturating_mul(window_ms);
        if now_ms < window_end_ms.saturating_add(LATE_MS) {
            self.merged_up_to = first.first_seq;
            return Ok(false);
        }
        self.merged_up_to = last.first_seq + 1;
        if run.len() > 1 {
            let mut segment = Segment::default();
            for row in run {
                storage.append(row, &mut segment)?;
            }
            if let Some(sealed) = segment.seal(first.part_bytes > 0, &mut self.packer)? {
                storage.replace(run, &sealed)?;
            }
        }
        Ok(true)
    }
}

/// The small segments from the first row on that may become one.
fn run_at(rows: &[Row], window_ms: i64) -> &[Row] {
    let Some(first) = rows.first() else { return rows };
    let (mut count, mut part_bytes) = (0, 0);
    let length = rows
        .iter()
        .take_while(|row| {
            count += row.count;
            part_bytes += row.part_bytes;
            row.count < SMALL_COUNT
                && row.first_ms.div_euclid(window_ms) == first.first_ms.div_euclid(window_ms)
                && (row.part_bytes > 0) == (first.part_bytes > 0)
                && count <= RUN_COUNT
                && part_bytes <= RUN_PART_BYTES
        })
        .count();
    &rows[..length.max(1)]
}

/// Deletes the next thing that is too old or too much; tells whether there was one.
pub(super) fn delete(
    storage: &mut Storage,
    settings: &CaptureSettings,
    now_ms: i64,
) -> Result<bool, CaptureError> {
    Ok(expire(storage, settings, now_ms)? || fit(storage, settings)?)
}

/// Deletes what `keep_meta` and `keep` no longer want.
fn expire(
    storage: &mut Storage,
    settings: &CaptureSettings,
    now_ms: i64,
) -> Result<bool, CaptureError> {
    if let Some(oldest) = storage.oldest()?
        && oldest.last_ms < now_ms.saturating_sub(ms(settings.keep_meta))
    {
        storage.delete(oldest.first_seq)?;
        return Ok(true);
    }
    if let Some(oldest) = storage.oldest_with_parts()?
        && oldest.last_ms < now_ms.saturating_sub(ms(settings.keep))
    {
        storage.delete_parts(oldest.first_seq)?;
        return Ok(true);
    }
    Ok(false)
}

/// Keeps the file within `max_size`: bodies go first, until the lines alone take more than half.
fn fit(storage: &mut Storage, settings: &CaptureSettings) -> Result<bool, CaptureError> {
    let most = settings.max_size.0;
    let (used, free) = storage.used_and_free_bytes()?;
    if used <= most {
        // Free pages are used again; only a file beyond its size is made smaller.
        if free > 0 && used.saturating_add(free) > most {
            storage.shrink()?;
            return Ok(true);
        }
        return Ok(false);
    }
    let line_bytes = used.saturating_sub(storage.part_bytes()?);
    if line_bytes <= most / 2
        && let Some(oldest) = storage.oldest_with_parts()?
    {
        storage.delete_parts(oldest.first_seq)?;
        return Ok(true);
    }
    let Some(oldest) = storage.oldest()? else { return Ok(false) };
    storage.delete(oldest.first_seq)?;
    Ok(true)
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A segment with this many exchanges is left as it is.
const SMALL_COUNT: usize = 256;

/// Exchanges of a merged segment: 20 ms of work at most.
const RUN_COUNT: usize = 512;

/// Segments looked at in one step.
const RUN_SEGMENTS: usize = 512;

/// Compressed bodies of a merged segment.
const RUN_PART_BYTES: u64 = 1 << 20;

/// Exchanges of one merged segment come from the same ten minutes.
const WINDOW_MS: i64 = 600_000;

/// How long after its end a window is left alone: the clock may have been set back a little.
const LATE_MS: i64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::units::ByteSize,
        capture::{query::Reader, testing},
    };

    const HOUR_MS: i64 = 3_600_000;

    fn settings() -> CaptureSettings {
        CaptureSettings {
            enabled: true,
            body_cap: ByteSize(1 << 20),
            keep: Duration::from_secs(24 * 3600),
            keep_meta: Duration::from_secs(48 * 3600),
            max_size: ByteSize(1 << 30),
            redact: Vec::new(),
        }
    }

    /// One segment for each exchange, as at a low rate.
    fn store(storage: &mut Storage, times_ms: impl IntoIterator<Item = i64>, body: &str) {
        for time_ms in times_ms {
            let mut exchange = testing::at("/shop/spu/add", time_ms);
            exchange.request.body = testing::body(body);
            let mut exchange = testing::stored(&exchange);
            exchange.seq = storage.next_seq().unwrap();
            let mut segment = Segment::default();
            testing::push(&mut segment, &exchange);
            let sealed = segment.seal(true, &mut Packer::default()).unwrap().unwrap();
            storage.insert(&sealed).unwrap();
        }
    }

    fn run_to_rest(storage: &mut Storage, settings: &CaptureSettings, now_ms: i64) {
        let mut retention = Retention::default();
        while delete(storage, settings, now_ms).unwrap()
            || retention.merge(storage, settings, now_ms).unwrap()
        {}
    }

    fn bodies(path: &std::path::Path) -> Vec<bool> {
        let all = Reader::open(path).unwrap().list(&crate::capture::Filter::all(), 1000, None);
        all.unwrap().iter().rev().map(|exchange| exchange.request.body().is_some()).collect()
    }

    #[test]
    fn bodies_go_after_keep_and_lines_after_keep_meta() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("capture.db");
        let mut storage = Storage::open(&path).unwrap();
        store(&mut storage, [0, 30 * HOUR_MS, 50 * HOUR_MS], "x");
        run_to_rest(&mut storage, &settings(), 20 * HOUR_MS);
        assert_eq!(bodies(&path), [true, true, true]);
        run_to_rest(&mut storage, &settings(), 47 * HOUR_MS);
        assert_eq!(bodies(&path), [false, true, true], "the line stays without its body");
        run_to_rest(&mut storage, &settings(), 60 * HOUR_MS);
        assert_eq!(bodies(&path), [false, true]);
        run_to_rest(&mut storage, &settings(), 200 * HOUR_MS);
        assert!(bodies(&path).is_empty());
    }

    #[test]
    fn small_segments_of_a_window_become_one_and_nothing_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("capture.db");
        let mut storage = Storage::open(&path).unwrap();
        store(&mut storage, (0..700).map(|nth| nth * 100), "x");
        store(&mut storage, [WINDOW_MS, WINDOW_MS + 1, 2 * WINDOW_MS], "y");
        let before: Vec<String> = Reader::open(&path)
            .unwrap()
            .list(&crate::capture::Filter::all(), 1000, None)
            .unwrap()
            .iter()
            .map(|exchange| format!("{} {}", exchange.seq, exchange.to_json()))
            .collect();
        run_to_rest(&mut storage, &settings(), 2 * WINDOW_MS + LATE_MS);
        let counts: Vec<usize> =
            storage.rows_from(0, 1000).unwrap().iter().map(|row| row.count).collect();
        assert_eq!(counts, [512, 188, 2, 1], "the last window is not over");
        let after: Vec<String> = Reader::open(&path)
            .unwrap()
            .list(&crate::capture::Filter::all(), 1000, None)
            .unwrap()
            .iter()
            .map(|exchange| format!("{} {}", exchange.seq, exchange.to_json()))
            .collect();
        assert_eq!(before, after);
    }

    #[test]
    fn a_file_beyond_its_size_loses_the_oldest_bodies_then_the_oldest_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("capture.db");
        let mut storage = Storage::open(&path).unwrap();
        let mut random = 1_u64;
        let noise: String = (0..20_000)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                char::from(b'a' + (random >> 60) as u8)
            })
            .collect();
        store(&mut storage, (0..60).map(|nth| nth * WINDOW_MS), &noise);
        let mut settings = settings();
        settings.max_size = ByteSize(500_000);
        run_to_rest(&mut storage, &settings, 60 * WINDOW_MS);
        let kept = bodies(&path);
        assert_eq!(kept.len(), 60, "lines are small");
        assert!(!kept[0] && kept[59], "{kept:?}");
        let (used, free) = storage.used_and_free_bytes().unwrap();
        assert!(used + free <= 500_000, "{used} {free}");
        settings.max_size = ByteSize(60_000);
        run_to_rest(&mut storage, &settings, 60 * WINDOW_MS);
        assert!(bodies(&path).len() < 60);
    }
}
