//! The blobs of a stored segment, read back.
//!
//! Every reading function gives `None` for what is damaged, and none panics.

use std::{borrow::Cow, cell::RefCell};

use super::{
    detail::Detail,
    line::{LINE_BYTES, Line},
    redacted::{MessageParts, Redacted},
    text_table::read_texts,
};

/// The lines of a stored segment.
pub(super) struct Lines<'a>(&'a [[u8; LINE_BYTES]]);

impl<'a> Lines<'a> {
    /// `None` when the blob is damaged.
    pub(super) fn read(blob: &'a [u8], count: usize) -> Option<Self> {
        let (lines, rest) = blob.as_chunks::<LINE_BYTES>();
        (rest.is_empty() && lines.len() == count).then_some(Self(lines))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All lines that are not damaged.
    pub(super) fn iter(&self) -> impl Iterator<Item = Line> {
        self.0.iter().filter_map(Line::unpack)
    }

    pub(super) fn line(&self, nth: usize) -> Option<Line> {
        Line::unpack(self.0.get(nth)?)
    }
}

/// The details of a stored segment, unpacked, with the lines that they belong to.
pub(super) struct Details<'a> {
    lines: Lines<'a>,
    texts: Vec<&'a str>,
    rids: Vec<&'a str>,
    raw: Vec<u8>,
    first_seq: u64,
}

impl<'a> Details<'a> {
    pub(super) fn read(
        first_seq: u64,
        lines: Lines<'a>,
        [texts, rids]: [&'a [u8]; 2],
        details: &[u8],
    ) -> Option<Self> {
        let (texts, rids) = (read_texts(texts)?, read_texts(rids)?);
        Some(Self { lines, texts, rids, raw: decompressed(details)?, first_seq })
    }

    /// The `nth` exchange, still without headers and bodies.
    pub(super) fn exchange(&self, nth: usize) -> Option<Redacted<'_>> {
        let begin = if nth == 0 { 0 } else { number_at(&self.raw, nth - 1)? };
        let end = number_at(&self.raw, nth)?;
        let details = self.raw.get(self.lines.len() * 4..)?;
        let line = self.lines.line(nth)?;
        let text =
            |number: u16| self.texts.get(usize::from(number)).filter(|_| number > 0).copied();
        let rid = self.rids.get(usize::from(line.texts.rid)).filter(|_| line.texts.rid > 0);
        Some(Redacted {
            seq: self.first_seq + u64::from(line.seq_offset),
            id: line.id,
            time_ms: line.time_ms,
            key: text(line.texts.key).map(Cow::Borrowed),
            account: text(line.texts.account).map(Cow::Borrowed),
            lane: line.lane,
            method: text(line.texts.method)?,
            path: text(line.texts.path)?.into(),
            call: text(line.texts.call),
            status: line.status,
            errcode: line.errcode,
            rid: rid.map(|rid| Cow::Borrowed(*rid)),
            outcome: line.outcome,
            duration_us: u64::from(line.duration_us),
            detail: Detail::read(details.get(begin..end)?)?,
            parts: None,
        })
    }
}

/// The parts of a stored segment, unpacked.
pub(super) struct Parts {
    raw: Vec<u8>,
    /// Where each of the four parts of each exchange begins, and where the last one ends.
    starts: Vec<usize>,
}

impl Parts {
    pub(super) fn read(blob: &[u8], count: usize) -> Option<Self> {
        let raw = decompressed(blob)?;
        let mut at = count.checked_mul(16)?;
        let mut starts = Vec::with_capacity(count * 4 + 1);
        starts.push(at);
        for part in 0..count * 4 {
            at = at.checked_add(number_at(&raw, part)?)?;
            starts.push(at);
        }
        (at <= raw.len()).then_some(Self { raw, starts })
    }

    /// One of the four parts of the `nth` exchange; empty when there is none.
    fn part(&self, nth: usize, which: usize) -> &[u8] {
        let at = nth * 4 + which;
        let range = self.starts.get(at).zip(self.starts.get(at + 1));
        range.and_then(|(begin, end)| self.raw.get(*begin..*end)).unwrap_or_default()
    }

    /// Request and response body of the `nth` exchange.
    pub(super) fn bodies(&self, nth: usize) -> [&[u8]; 2] {
        [self.part(nth, 1), self.part(nth, 3)]
    }

    /// Headers and bodies of the `nth` exchange.
    pub(super) fn of(&self, nth: usize) -> [MessageParts<'_>; 2] {
        [0, 2].map(|which| MessageParts {
            headers: self.part(nth, which),
            body: self.part(nth, which + 1).into(),
        })
    }
}

/// The `nth` number of those at the beginning of `raw`.
fn number_at(raw: &[u8], nth: usize) -> Option<usize> {
    let bytes = raw.get(nth * 4..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes) as usize)
}

/// Unpacks a zstd frame behind its plain length.
fn decompressed(blob: &[u8]) -> Option<Vec<u8>> {
    let (length, frame) = blob.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    // A damaged length must not reserve memory that the frame cannot fill.
    if length > RAW_MOST_BYTES {
        return None;
    }
    let raw = ZSTD.with_borrow_mut(|zstd| {
        let zstd = match zstd {
            Some(zstd) => zstd,
            none => none.insert(zstd::bulk::Decompressor::new().ok()?),
        };
        zstd.decompress(frame, length).ok()
    })?;
    (raw.len() == length).then_some(raw)
}

thread_local! {
    /// Making it anew for each blob takes a twentieth of the time that a search takes.
    static ZSTD: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Far above a full segment plus one exchange with the largest sensible `body_cap`.
const RAW_MOST_BYTES: usize = 1 << 30;
