//! The texts of a segment, each with a number for the lines to hold.
//!
//! A table belongs to one segment, so no caller can make it grow beyond that.

use std::collections::HashMap;

/// Texts, numbered from 1; those that repeat stand once.
#[derive(Default)]
pub(super) struct TextTable {
    numbers: HashMap<Box<str>, u16>,
    /// Length (four bytes, little-endian) and bytes of each, in the order of their numbers.
    packed: Vec<u8>,
    count: u16,
}

impl TextTable {
    /// The number of a text that others are likely to share.
    pub(super) fn number(&mut self, text: Option<&str>) -> u16 {
        let Some(text) = text else { return 0 };
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.append(Some(text));
        self.numbers.insert(text.into(), number);
        number
    }

    /// The number of a text that no other exchange has.
    pub(super) fn append(&mut self, text: Option<&str>) -> u16 {
        let Some(text) = text else { return 0 };
        // At most six texts for each of a full segment's lines, so the numbers suffice.
        self.count = self.count.saturating_add(1);
        self.packed.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.packed.extend_from_slice(text.as_bytes());
        self.count
    }

    /// The packed texts; the next one is the first again.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.numbers.clear();
        self.count = 0;
        std::mem::take(&mut self.packed)
    }
}

/// The texts that the lines of a stored segment number; element 0 stands for none.
pub(super) fn read_texts(mut blob: &[u8]) -> Option<Vec<&str>> {
    let mut texts = vec![""];
    while let Some((length, rest)) = blob.split_first_chunk::<4>() {
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        texts.push(std::str::from_utf8(text).ok()?);
        blob = rest;
    }
    Some(texts)
}
