//! Exchanges on their way to the writer, copied into a few long runs of bytes.
//!
//! A finished exchange holds parts of read buffers, a header map and shared names. Queued like
//! that it would keep the buffers from being used again and be taken apart on another core than
//! it was made on: both cost more than recording itself. Only long bodies are shared.

use std::{
    net::IpAddr,
    ops::Range,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Method;

use super::{
    exchange::{Attempt, Captured, Exchange, Marks, Message, Phases},
    header_lines::{self, BodyForm},
    tee::SHARED_FROM_BYTES,
};
use crate::base::{code::ErrorCode, id::RequestId, outcome::Outcome, permission::Lane};

/// Some exchanges, not yet redacted.
#[derive(Default)]
pub(super) struct Batch {
    records: Vec<Record>,
    attempts: Vec<AttemptRecord>,
    /// Texts, header lines and short bodies, one exchange behind the other.
    bytes: Vec<u8>,
    /// Long bodies.
    chunks: Vec<Bytes>,
    /// Length of all chunks.
    chunk_bytes: usize,
}

/// What of an exchange is no text.
pub(super) struct Record {
    pub(super) id: RequestId,
    pub(super) time: SystemTime,
    pub(super) lane: Option<Lane>,
    pub(super) client: IpAddr,
    pub(super) method: Method,
    pub(super) call: Option<&'static str>,
    pub(super) status: Option<u16>,
    pub(super) errcode: Option<i64>,
    pub(super) outcome: Outcome,
    pub(super) error: Option<ErrorCode>,
    pub(super) duration: Duration,
    pub(super) extra_redact: &'static [&'static str],
    pub(super) key: Place,
    pub(super) account: Place,
    pub(super) path: Place,
    pub(super) query: Place,
    pub(super) errmsg: Place,
    pub(super) rid: Place,
    pub(super) request: MessageRecord,
    pub(super) response: MessageRecord,
    pub(super) rare: Option<Box<Rare>>,
    attempts: usize,
    /// How many bytes of the batch belong to it.
    bytes: usize,
}

/// What hardly any exchange has.
pub(super) struct Rare {
    pub(super) marks: Marks,
    pub(super) replay_of: Option<RequestId>,
    pub(super) note: Option<String>,
}

/// One direction of an exchange.
pub(super) struct MessageRecord {
    pub(super) headers: Place,
    pub(super) form: BodyForm,
    /// Empty when it is in chunks.
    pub(super) body: Place,
    pub(super) size: u64,
    pub(super) truncated: bool,
    chunks: usize,
}

/// One try at one upstream.
pub(super) struct AttemptRecord {
    pub(super) upstream: Place,
    pub(super) token: Place,
    pub(super) error: Place,
    pub(super) status: Option<u16>,
    pub(super) errcode: Option<i64>,
    pub(super) reused: bool,
    pub(super) phases: Phases,
}

/// Where among its exchange's bytes a text stands, if there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    begin: u32,
    length: u32,
}

/// One exchange of a batch. It may still hold credentials.
pub(super) struct Pending<'a> {
    pub(super) record: &'a Record,
    pub(super) attempts: &'a [AttemptRecord],
    pub(super) bytes: &'a mut [u8],
    /// Request body and response body, where they are long.
    pub(super) chunks: [&'a [Bytes]; 2],
}

impl Batch {
    /// Copies the exchange.
    pub(super) fn push(&mut self, exchange: &Exchange) {
        let begin = self.bytes.len();
        let mut texts = Texts { bytes: &mut self.bytes, begin };
        let key = texts.push(exchange.key.as_ref().map(|name| name.as_str()));
        let account = texts.push(exchange.account.as_ref().map(|name| name.as_str()));
        let path = texts.push(Some(&exchange.path));
        let query = texts.push(Some(&exchange.query));
        let errmsg = texts.push(exchange.errmsg.as_deref());
        let rid = texts.push(exchange.rid.as_deref());
        self.attempts.extend(exchange.attempts.iter().map(|attempt| texts.attempt(attempt)));
        let request = self.message(&exchange.request, begin);
        let response = self.message(&exchange.response, begin);
        self.records.push(Record {
            id: exchange.id,
            time: exchange.time,
            lane: exchange.lane,
            client: exchange.client,
            method: exchange.method.clone(),
            call: exchange.call,
            status: exchange.status,
            errcode: exchange.errcode,
            outcome: exchange.outcome,
            error: exchange.error,
            duration: exchange.duration,
            extra_redact: exchange.extra_redact,
            key,
            account,
            path,
            query,
            errmsg,
            rid,
            request,
            response,
            rare: Rare::of(exchange).map(Box::new),
            attempts: exchange.attempts.len(),
            bytes: self.bytes.len() - begin,
        });
    }

    fn message(&mut self, message: &Message, begin: usize) -> MessageRecord {
        let Captured { chunks, size, truncated } = &message.body;
        let mut texts = Texts { bytes: &mut self.bytes, begin };
        let (headers, form) = texts.run(|out| header_lines::write(&message.headers, out));
        let length: usize = chunks.iter().map(Bytes::len).sum();
        let is_short = length < SHARED_FROM_BYTES;
        let (body, ()) = texts.run(|out| {
            let copied = chunks.iter().filter(|_| is_short);
            copied.for_each(|chunk| out.extend_from_slice(chunk));
        });
        if !is_short {
            self.chunks.extend_from_slice(chunks);
            self.chunk_bytes += length;
        }
        let chunks = if is_short { 0 } else { chunks.len() };
        MessageRecord { headers, form, body, size: *size, truncated: *truncated, chunks }
    }

    /// Gives each exchange away in the order in which they came, and is empty then.
    pub(super) fn drain(&mut self, mut take: impl FnMut(Pending<'_>)) {
        let (mut bytes, mut attempts) = (&mut self.bytes[..], &self.attempts[..]);
        let mut chunks = &self.chunks[..];
        for record in &self.records {
            let (own_bytes, rest) = std::mem::take(&mut bytes).split_at_mut(record.bytes);
            bytes = rest;
            take(Pending {
                record,
                attempts: split_off(&mut attempts, record.attempts),
                bytes: own_bytes,
                chunks: [&record.request, &record.response]
                    .map(|message| split_off(&mut chunks, message.chunks)),
            });
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.records.clear();
        self.attempts.clear();
        self.bytes.clear();
        self.chunks.clear();
        self.chunk_bytes = 0;
        // A burst must not hold its memory for ever.
        self.records.shrink_to(RECORDS_KEPT);
        self.attempts.shrink_to(RECORDS_KEPT);
        self.bytes.shrink_to(BYTES_KEPT);
        self.chunks.shrink_to(RECORDS_KEPT);
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// About how much memory it holds, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.records.len() * size_of::<Record>()
            + self.attempts.len() * size_of::<AttemptRecord>()
            + self.bytes.len()
            + self.chunk_bytes
    }
}

impl Rare {
    fn of(exchange: &Exchange) -> Option<Self> {
        let Exchange { marks, replay_of, note, .. } = exchange;
        let has_any = !marks.is_empty() || replay_of.is_some() || note.is_some();
        has_any.then(|| Self { marks: marks.clone(), replay_of: *replay_of, note: note.clone() })
    }
}

impl Place {
    const NONE: Self = Self { begin: u32::MAX, length: 0 };

    /// Empty where there is no text.
    pub(super) fn range(self) -> Range<usize> {
        if self.is_none() {
            return 0..0;
        }
        self.begin as usize..self.begin as usize + self.length as usize
    }

    pub(super) fn is_none(self) -> bool {
        self.begin == u32::MAX
    }
}

/// Appends texts of one exchange.
struct Texts<'a> {
    bytes: &'a mut Vec<u8>,
    /// Where those of the exchange begin.
    begin: usize,
}

impl Texts<'_> {
    fn push(&mut self, text: Option<&str>) -> Place {
        let Some(text) = text else { return Place::NONE };
        self.run(|out| out.extend_from_slice(text.as_bytes())).0
    }

    /// What `write` appends, and an end of line: two texts side by side must not look like one
    /// to a search for secrets.
    fn run<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> (Place, T) {
        let begin = self.bytes.len();
        let told = write(self.bytes);
        let length = self.bytes.len() - begin;
        self.bytes.push(b'\n');
        // Long bodies are not copied, so an exchange has far less than 4 GiB here.
        (Place { begin: (begin - self.begin) as u32, length: length as u32 }, told)
    }

    fn attempt(&mut self, attempt: &Attempt) -> AttemptRecord {
        AttemptRecord {
            upstream: self.push(Some(&attempt.upstream)),
            token: self.push(attempt.token.map(|token| token.text()).as_deref()),
            error: self.push(attempt.error.as_deref()),
            status: attempt.status,
            errcode: attempt.errcode,
            reused: attempt.reused,
            phases: attempt.ms,
        }
    }
}

/// Takes the first `count` elements.
fn split_off<'a, T>(from: &mut &'a [T], count: usize) -> &'a [T] {
    let (taken, rest) = from.split_at(count);
    *from = rest;
    taken
}

/// Room for exchanges that is kept between batches.
const RECORDS_KEPT: usize = 2048;

/// Room for their bytes.
const BYTES_KEPT: usize = 2 << 20;
