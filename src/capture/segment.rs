//! A run of exchanges packed together: lines to filter by, then details, then parts.
//!
//! Packed exchange by exchange, SQLite would take 3 to 4 µs for each and compression would find
//! nothing to share. Packed together, one commit of a few blobs takes hundreds of exchanges, a
//! filter reads only the lines, and `keep` deletes only the parts (headers and bodies).
//!
//! Lines stay uncompressed, because every filter reads them all; the rest is zstd, level 1.

use super::{
    error::CaptureError,
    line::{Line, Texts},
    redacted::Redacted,
    text_table::TextTable,
};
use crate::base::id::RequestId;

/// Collects exchanges until they are sealed.
#[derive(Default)]
pub(super) struct Segment {
    /// Packed, one after the other.
    lines: Vec<u8>,
    /// Keys, accounts, paths, call names, methods.
    texts: TextTable,
    /// A table of its own: only bare words ask for them, and no two are the same.
    rids: TextTable,
    /// JSON, one after the other; `detail_ends` tells where each ends.
    details: Vec<u8>,
    detail_ends: Vec<u32>,
    /// Request headers, request body, response headers, response body of each exchange, with
    /// the length of each.
    parts: Vec<u8>,
    part_lengths: Vec<u32>,
    span: Option<Span>,
}

/// What the exchanges of a segment have between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Place of the first one in the order of storing; names the segment.
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    pub(super) first_id: RequestId,
    pub(super) last_id: RequestId,
}

/// A segment as it is stored.
pub(super) struct Sealed {
    pub(super) span: Span,
    /// How many exchanges; needed to read the blobs.
    pub(super) count: usize,
    pub(super) lines: Vec<u8>,
    pub(super) texts: Vec<u8>,
    pub(super) rids: Vec<u8>,
    pub(super) details: Vec<u8>,
    /// `None` when `keep` is over for all of it.
    pub(super) parts: Option<Vec<u8>>,
}

impl Segment {
    /// Appends the exchange. `seq` only grows within a segment.
    pub(super) fn push(&mut self, exchange: &Redacted<'_>) -> Result<(), CaptureError> {
        let span = self.span.get_or_insert(Span {
            first_seq: exchange.seq,
            last_seq: exchange.seq,
            first_ms: exchange.time_ms,
            last_ms: exchange.time_ms,
            first_id: exchange.id,
            last_id: exchange.id,
        });
        span.last_seq = exchange.seq;
        span.first_ms = span.first_ms.min(exchange.time_ms);
        span.last_ms = span.last_ms.max(exchange.time_ms);
        span.first_id = span.first_id.min(exchange.id);
        span.last_id = span.last_id.max(exchange.id);
        let offset = u32::try_from(exchange.seq - span.first_seq).unwrap_or(u32::MAX);
        let texts = Texts {
            key: self.texts.number(exchange.key.as_deref()),
            account: self.texts.number(exchange.account.as_deref()),
            path: self.texts.number(Some(&exchange.path)),
            call: self.texts.number(exchange.call),
            rid: self.rids.append(exchange.rid.as_deref()),
            method: self.texts.number(Some(exchange.method)),
        };
        Line::of(exchange, offset, texts).pack(&mut self.lines);
        let detail = exchange.detail.write(&mut self.details);
        detail.map_err(|source| CaptureError::Encode { source })?;
        self.detail_ends.push(self.details.len() as u32);
        for nth in 0..2 {
            let parts =
                exchange.parts.as_ref().map(|parts| (parts[nth].headers, &*parts[nth].body));
            let (headers, body) = parts.unwrap_or_default();
            self.part_lengths.extend([headers.len() as u32, body.len() as u32]);
            self.parts.extend_from_slice(headers);
            self.parts.extend_from_slice(body);
        }
        Ok(())
    }

    pub(super) fn count(&self) -> usize {
        self.detail_ends.len()
    }

    /// Whether the next exchange should begin another segment.
    pub(super) fn is_full(&self) -> bool {
        self.count() >= COUNT_MOST || self.parts.len() + self.details.len() >= BYTES_MOST
    }

    /// Packs what was pushed and starts over; `None` when that is nothing.
    pub(super) fn seal(
        &mut self,
        keeps_parts: bool,
        packer: &mut Packer,
    ) -> Result<Option<Sealed>, CaptureError> {
        let Some(span) = self.span else { return Ok(None) };
        let count = self.count();
        let details = packer.pack(&self.detail_ends, &self.details);
        let parts = keeps_parts.then(|| packer.pack(&self.part_lengths, &self.parts)).transpose();
        let lines = std::mem::take(&mut self.lines);
        let [texts, rids] = [&mut self.texts, &mut self.rids].map(TextTable::take);
        self.clear();
        Ok(Some(Sealed { span, count, lines, texts, rids, details: details?, parts: parts? }))
    }

    /// Forgets everything but the room that it took.
    pub(super) fn clear(&mut self) {
        self.span = None;
        self.lines.clear();
        self.texts.take();
        self.rids.take();
        self.details.clear();
        self.detail_ends.clear();
        self.parts.clear();
        self.part_lengths.clear();
        // One exchange may have had bodies of many megabytes.
        self.parts.shrink_to(BYTES_MOST);
        self.details.shrink_to(BYTES_MOST);
    }
}

/// Compresses; its state is used again, because making it anew takes longer than a small blob.
#[derive(Default)]
pub(super) struct Packer {
    zstd: Option<zstd::bulk::Compressor<'static>>,
    raw: Vec<u8>,
    /// Has room for what cannot be compressed; what is stored takes a fifth of it.
    frame: Vec<u8>,
}

impl Packer {
    /// The numbers, then the bytes, as one zstd frame behind its plain length.
    fn pack(&mut self, numbers: &[u32], bytes: &[u8]) -> Result<Vec<u8>, CaptureError> {
        let Self { zstd, raw, frame } = self;
        raw.clear();
        raw.shrink_to(BYTES_MOST);
        numbers.iter().for_each(|number| raw.extend_from_slice(&number.to_le_bytes()));
        raw.extend_from_slice(bytes);
        let length = (raw.len() as u32).to_le_bytes();
        compress(zstd, raw, frame).map_err(|source| CaptureError::Compress { source })?;
        Ok([&length, &frame[..]].concat())
    }
}

/// Replaces what is in `frame`.
fn compress(
    zstd: &mut Option<zstd::bulk::Compressor<'static>>,
    raw: &[u8],
    frame: &mut Vec<u8>,
) -> std::io::Result<()> {
    let zstd = match zstd {
        Some(zstd) => zstd,
        none => none.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
    };
    frame.clear();
    frame.shrink_to(BYTES_MOST);
    frame.reserve(zstd::zstd_safe::compress_bound(raw.len()));
    zstd.compress_to_buffer(raw, frame)?;
    Ok(())
}

/// More lines than this in one segment make each look at a single one slow.
pub(super) const COUNT_MOST: usize = 4096;

/// A segment that has this many bytes of parts and details is full.
const BYTES_MOST: usize = 4 << 20;

/// Fast: about 0.5 GB/s for texts of this kind.
const ZSTD_LEVEL: i32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{
        line::LINE_BYTES,
        testing,
        text_table::read_texts,
        unpacked::{Details, Lines, Parts},
    };

    #[test]
    fn exchanges_survive_a_segment() {
        let mut segment = Segment::default();
        let mut shapes = Vec::new();
        for seq in 10..20 {
            let mut exchange = testing::stored(&testing::documented());
            exchange.seq = seq;
            exchange.time_ms -= seq as i64;
            exchange.rid = Some(format!("rid-{seq}"));
            shapes.push(exchange.to_json());
            testing::push(&mut segment, &exchange);
        }
        let sealed = segment.seal(true, &mut Packer::default()).unwrap().unwrap();
        assert_eq!((sealed.count, sealed.span.first_seq), (10, 10));
        assert_eq!(sealed.span.last_ms - sealed.span.first_ms, 9);
        let lines = Lines::read(&sealed.lines, sealed.count).unwrap();
        let texts = read_texts(&sealed.texts).unwrap();
        let details =
            Details::read(10, lines, [&sealed.texts, &sealed.rids], &sealed.details).unwrap();
        let parts = Parts::read(&sealed.parts.unwrap(), sealed.count).unwrap();
        for (nth, shape) in shapes.iter().enumerate() {
            let mut exchange = details.exchange(nth).unwrap();
            exchange.parts = Some(parts.of(nth));
            assert_eq!(&exchange.to_stored().unwrap().to_json(), shape);
            let line = Lines::read(&sealed.lines, sealed.count).unwrap().line(nth).unwrap();
            assert_eq!((line.seq_offset as usize, exchange.seq as usize), (nth, nth + 10));
            assert_eq!(texts[usize::from(line.texts.path)], "/shop/spu/add");
            assert_eq!(parts.bodies(nth)[1], br#"{"errcode":0}"#);
        }
        assert!(
            segment.seal(true, &mut Packer::default()).unwrap().is_none(),
            "sealing starts over"
        );
    }

    #[test]
    fn damaged_blobs_are_refused_and_never_panic() {
        let mut segment = Segment::default();
        testing::push(&mut segment, &testing::stored(&testing::documented()));
        let sealed = segment.seal(true, &mut Packer::default()).unwrap().unwrap();
        let whole = || Lines::read(&sealed.lines, 1).unwrap();
        for blob in [&sealed.lines, &sealed.texts, &sealed.details, sealed.parts.as_ref().unwrap()]
        {
            for cut in 0..blob.len() {
                let part = &blob[..cut];
                assert!(Lines::read(part, 1).is_none_or(|_| cut == LINE_BYTES));
                let _ = Details::read(1, whole(), [part, part], &sealed.details)
                    .map(|d| d.exchange(0).map(|e| e.seq));
                let _ = Details::read(1, whole(), [&sealed.texts, &[]], part)
                    .map(|d| d.exchange(0).map(|e| e.seq));
                let _ = Parts::read(part, 1).map(|parts| parts.bodies(0).concat());
            }
        }
        assert!(Details::read(1, whole(), [&[], &[]], &[0xff; 40]).is_none());
        assert!(Parts::read(&[], usize::MAX).is_none());
    }
}
