//! The fixed-width line of an exchange: everything that a filter asks for but bodies.
//!
//! A million lines are 64 MB that are scanned where they lie, without parsing. Texts stand once
//! in a table beside the lines of their segment; a line holds their numbers.

use super::{exchange::Marks, redacted::Redacted};
use crate::base::{id::RequestId, outcome::Outcome, permission::Lane};

/// Length of a packed line in bytes.
pub(super) const LINE_BYTES: usize = 64;

/// One line, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) id: RequestId,
    /// When the request came, since 1970.
    pub(super) time_ms: i64,
    /// As sent, whatever its size.
    pub(super) errcode: Option<i64>,
    /// Of the longer body.
    pub(super) size: u64,
    /// Capped at 71 minutes, longer than any time limit.
    pub(super) duration_us: u32,
    /// Distance from the segment's first exchange in the order of storing.
    pub(super) seq_offset: u32,
    pub(super) status: Option<u16>,
    pub(super) texts: Texts,
    pub(super) outcome: Outcome,
    pub(super) lane: Option<Lane>,
    pub(super) flags: Flags,
}

/// Numbers in the segment's table of texts, `rid` in that of rids; 0 stands for no text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) key: u16,
    pub(super) account: u16,
    pub(super) path: u16,
    pub(super) call: u16,
    pub(super) rid: u16,
    pub(super) method: u16,
}

/// Yes-or-no facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    /// Somebody repeated an earlier exchange.
    pub(super) const REPLAY: Self = Self(1 << 1);
    /// A fault was asked for with `X-Wxgate-Fault`.
    pub(super) const FAULT: Self = Self(1 << 2);
    /// More than one attempt was made.
    pub(super) const RETRIED: Self = Self(1 << 3);
    /// The answer is the gateway's own.
    pub(super) const REFUSED: Self = Self(1 << 4);
    /// Less than all of a body was kept.
    pub(super) const TRUNCATED: Self = Self(1 << 5);
    /// The request chose its upstream.
    pub(super) const OVERRIDE: Self = Self(1 << 6);
    /// It has a note.
    pub(super) const NOTED: Self = Self(1 << 7);
    /// Tells an errcode of 0 from none; only in packed form.
    const HAS_ERRCODE: Self = Self(1);

    pub(super) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let all = [
            (Self::REPLAY, facts.is_replay),
            (Self::FAULT, facts.marks.fault.is_some()),
            (Self::RETRIED, facts.attempts > 1),
            (Self::REFUSED, facts.is_refused),
            (Self::TRUNCATED, facts.is_truncated),
            (Self::OVERRIDE, facts.marks.upstream_override),
            (Self::NOTED, facts.is_noted),
        ];
        let set = all.iter().filter(|(_, is_so)| *is_so);
        Self(set.fold(0, |bits, (flag, _)| bits | flag.0))
    }
}

/// What [`Flags`] are made of.
pub(super) struct Facts<'a> {
    pub(super) marks: &'a Marks,
    pub(super) attempts: usize,
    pub(super) is_replay: bool,
    pub(super) is_refused: bool,
    pub(super) is_truncated: bool,
    pub(super) is_noted: bool,
}

impl Line {
    pub(super) fn of(exchange: &Redacted<'_>, seq_offset: u32, texts: Texts) -> Self {
        Self {
            id: exchange.id,
            time_ms: exchange.time_ms,
            errcode: exchange.errcode,
            size: exchange.detail.sizes.into_iter().max().unwrap_or(0),
            duration_us: u32::try_from(exchange.duration_us).unwrap_or(u32::MAX),
            seq_offset,
            status: exchange.status,
            texts,
            outcome: exchange.outcome,
            lane: exchange.lane,
            flags: exchange.flags(),
        }
    }

    /// Appends [`LINE_BYTES`] bytes, little-endian.
    pub(super) fn pack(&self, out: &mut Vec<u8>) {
        let texts = self.texts;
        out.extend_from_slice(&self.id.to_bytes());
        out.extend_from_slice(&self.time_ms.to_le_bytes());
        out.extend_from_slice(&self.errcode.unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        out.extend_from_slice(&self.duration_us.to_le_bytes());
        out.extend_from_slice(&self.seq_offset.to_le_bytes());
        out.extend_from_slice(&self.status.unwrap_or(0).to_le_bytes());
        let numbers = [texts.key, texts.account, texts.path, texts.call, texts.rid, texts.method];
        for number in numbers {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let outcome = Outcome::ALL.iter().position(|o| *o == self.outcome).unwrap_or(0);
        let lane = self.lane.and_then(|lane| Lane::ALL.iter().position(|l| *l == lane));
        out.push(outcome as u8 | (lane.map_or(0, |lane| lane as u8 + 1) << 4));
        let errcode = if self.errcode.is_some() { Flags::HAS_ERRCODE } else { Flags::default() };
        out.push(self.flags.0 | errcode.0);
    }

    /// `None` for a line of a damaged file.
    pub(super) fn unpack(packed: &[u8; LINE_BYTES]) -> Option<Self> {
        let mut fields = Fields(packed);
        let id = RequestId::from_bytes(fields.take()?);
        let time_ms = i64::from_le_bytes(fields.take()?);
        let errcode = i64::from_le_bytes(fields.take()?);
        let size = u64::from_le_bytes(fields.take()?);
        let duration_us = u32::from_le_bytes(fields.take()?);
        let seq_offset = u32::from_le_bytes(fields.take()?);
        let status = fields.number()?;
        let texts = Texts {
            key: fields.number()?,
            account: fields.number()?,
            path: fields.number()?,
            call: fields.number()?,
            rid: fields.number()?,
            method: fields.number()?,
        };
        let [outcome_lane, flags] = fields.take()?;
        let lane = usize::from(outcome_lane >> 4);
        Some(Self {
            id,
            time_ms,
            errcode: Flags(flags).has(Flags::HAS_ERRCODE).then_some(errcode),
            size,
            duration_us,
            seq_offset,
            status: (status != 0).then_some(status),
            texts,
            outcome: Outcome::ALL.get(usize::from(outcome_lane & 15)).copied()?,
            lane: lane.checked_sub(1).and_then(|lane| Lane::ALL.get(lane)).copied(),
            flags: Flags(flags & !Flags::HAS_ERRCODE.0),
        })
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn number(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::testing;

    #[test]
    fn a_line_survives_packing_with_every_outcome_and_lane() {
        for (outcome, lane) in
            Outcome::ALL.iter().zip(Lane::ALL.iter().map(Some).chain([None]).cycle())
        {
            let mut exchange = testing::stored(&testing::documented());
            exchange.outcome = *outcome;
            exchange.lane = lane.copied();
            exchange.errcode = lane.map(|_| i64::MIN);
            exchange.status = lane.map(|_| 599);
            exchange.note = Some("kept".into());
            let texts = Texts { key: 1, account: 2, path: 3, call: 4, rid: 5, method: u16::MAX };
            let line = Line::of(&testing::borrowed(&exchange), 7, texts);
            let mut packed = Vec::new();
            line.pack(&mut packed);
            let packed: [u8; LINE_BYTES] = packed.try_into().unwrap();
            assert_eq!(Line::unpack(&packed), Some(line));
            assert!(line.flags.has(Flags::NOTED) && !line.flags.has(Flags::REPLAY));
        }
    }

    #[test]
    fn a_line_of_a_damaged_file_is_refused() {
        assert_eq!(Line::unpack(&[0xff; LINE_BYTES]), None);
    }
}
