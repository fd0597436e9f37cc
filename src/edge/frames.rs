//! Where one HTTP/2 frame ends, and the next begins.

/// Follows the bytes that a client sends, far enough to tell a quiet connection from one that
/// was left in the middle of something, which neither hyper nor h2 puts a limit on.
///
/// Source: RFC 9113, 3.4 (preface), 4.1 (frame header), 6.2 and 6.10 (header blocks).
#[derive(Debug)]
pub(super) struct Frames {
    preface_left: usize,
    header: [u8; HEADER_BYTES],
    header_filled: usize,
    payload_left: usize,
    /// A header block has begun and its END_HEADERS has not come.
    in_block: bool,
    whole_frames: u64,
    /// Frames that cost us work and carry nothing.
    idle_frames: u32,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self {
            preface_left: PREFACE_BYTES,
            header: [0; HEADER_BYTES],
            header_filled: 0,
            payload_left: 0,
            in_block: false,
            whole_frames: 0,
            idle_frames: 0,
        }
    }

    /// Whether the preface and the client's SETTINGS are complete.
    pub(super) fn is_greeted(&self) -> bool {
        self.whole_frames > 0
    }

    /// Whether the client owes us the rest of the preface, of a header block or of a control
    /// frame. DATA does not count: the request that waits for it has its own limit.
    pub(super) fn is_open(&self) -> bool {
        let begun = self.preface_left < PREFACE_BYTES;
        let in_frame = self.header_filled > 0 && !(self.in_payload() && self.kind() == DATA);
        begun && (!self.is_greeted() || self.in_block || in_frame)
    }

    /// How many frames since the last call cost work and carried nothing: PING, SETTINGS,
    /// PRIORITY, RST_STREAM, empty DATA.
    pub(super) fn take_idle_frames(&mut self) -> u32 {
        std::mem::take(&mut self.idle_frames)
    }

    /// Takes note of bytes as they arrive, in pieces of any size.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        let preface = self.preface_left.min(bytes.len());
        self.preface_left -= preface;
        bytes = bytes.get(preface..).unwrap_or_default();
        while !bytes.is_empty() {
            bytes = if self.in_payload() { self.skip_payload(bytes) } else { self.fill(bytes) };
        }
    }

    /// The nine bytes of the header are there.
    fn in_payload(&self) -> bool {
        self.header_filled == HEADER_BYTES
    }

    fn kind(&self) -> u8 {
        self.header[3]
    }

    fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (now, later) = bytes.split_at(bytes.len().min(HEADER_BYTES - self.header_filled));
        for byte in now {
            if let Some(place) = self.header.get_mut(self.header_filled) {
                *place = *byte;
                self.header_filled += 1;
            }
        }
        if self.in_payload() {
            let [high, middle, low, kind, flags, ..] = self.header;
            self.payload_left =
                usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            self.judge(kind, flags);
            self.end_if_whole();
        }
        later
    }

    /// Looks at a frame whose header is complete and whose payload is not.
    fn judge(&mut self, kind: u8, flags: u8) {
        let costs_and_carries_nothing = match kind {
            DATA => self.payload_left == 0 && flags & END_STREAM == 0,
            PING | SETTINGS => flags & ACK == 0 && self.is_greeted(),
            PRIORITY | RST_STREAM => true,
            _ => false,
        };
        self.idle_frames += u32::from(costs_and_carries_nothing);
        if matches!(kind, HEADERS | CONTINUATION) {
            self.in_block = true;
        }
    }

    fn skip_payload<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (now, later) = bytes.split_at(bytes.len().min(self.payload_left));
        self.payload_left -= now.len();
        self.end_if_whole();
        later
    }

    fn end_if_whole(&mut self) {
        if self.payload_left > 0 {
            return;
        }
        let [_, _, _, kind, flags, ..] = self.header;
        if matches!(kind, HEADERS | CONTINUATION) && flags & END_HEADERS != 0 {
            self.in_block = false;
        }
        self.header_filled = 0;
        self.whole_frames += 1;
    }
}

const PREFACE_BYTES: usize = 24;
const HEADER_BYTES: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.extend_from_slice(payload);
        frame
    }

    fn greeted() -> Frames {
        let mut frames = Frames::new();
        frames.feed(&[PREFACE, &frame(SETTINGS, 0, &[])].concat());
        assert!(frames.is_greeted() && !frames.is_open());
        frames
    }

    #[test]
    fn silence_is_not_open_and_half_a_preface_is() {
        let mut frames = Frames::new();
        assert!(!frames.is_open());
        for byte in PREFACE {
            frames.feed(&[*byte]);
            assert!(frames.is_open() && !frames.is_greeted());
        }
        frames.feed(&frame(SETTINGS, 0, &[0; 6]));
        assert!(!frames.is_open() && frames.is_greeted());
    }

    #[test]
    fn a_header_block_is_open_until_end_headers() {
        let mut frames = greeted();
        frames.feed(&frame(HEADERS, END_STREAM, b"abc"));
        assert!(frames.is_open());
        frames.feed(&frame(CONTINUATION, 0, b"def"));
        assert!(frames.is_open());
        frames.feed(&frame(CONTINUATION, END_HEADERS, b""));
        assert!(!frames.is_open());
    }

    #[test]
    fn part_of_a_frame_is_open_unless_it_is_data() {
        let mut frames = greeted();
        let ping = frame(PING, 0, &[0; 8]);
        for byte in &ping[..ping.len() - 1] {
            frames.feed(&[*byte]);
            assert!(frames.is_open());
        }
        frames.feed(&[0]);
        assert!(!frames.is_open());
        frames.feed(&frame(DATA, 0, b"12345678")[..12]);
        assert!(!frames.is_open());
        frames.feed(b"45678");
        frames.feed(&frame(HEADERS, 0, b"x")[..3]);
        assert!(frames.is_open(), "the DATA frame has ended");
    }

    #[test]
    fn frames_that_carry_nothing_are_counted_and_useful_ones_are_not() {
        let mut frames = greeted();
        for (kind, flags, payload, counts) in [
            (DATA, 0, &b""[..], 1),
            (DATA, END_STREAM, b"", 0),
            (DATA, 0, b"x", 0),
            (HEADERS, END_HEADERS, b"x", 0),
            (PING, 0, &[0; 8], 1),
            (PING, ACK, &[0; 8], 0),
            (SETTINGS, 0, b"", 1),
            (RST_STREAM, 0, &[0; 4], 1),
            (PRIORITY, 0, &[0; 5], 1),
        ] {
            frames.feed(&frame(kind, flags, payload));
            assert_eq!(frames.take_idle_frames(), counts, "{kind} {flags} {payload:?}");
        }
    }
}
