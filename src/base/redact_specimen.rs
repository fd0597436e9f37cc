//! A secret in a text, as property tests make them up: any shape, spelling and place.

use std::ops::Range;

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use proptest::prelude::*;

use super::{
    redact::{MASK, Redactor},
    secret::Secret,
};

/// A live secret, and a text that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Specimen {
    pub(crate) secret: String,
    /// Printable ASCII.
    pub(crate) text: String,
    /// What of the text tells the secret and nothing else.
    pub(crate) core: Range<usize>,
    /// What may be masked: in base64, characters at the edges hold bits of what stands around.
    spelled: Range<usize>,
}

impl Specimen {
    /// Any, behind at most so many escapes.
    pub(crate) fn any(escapes: usize) -> impl Strategy<Value = Self> {
        let spelling = (secret(), spelling(), prop::collection::vec(escape(), 0..=escapes));
        (spelling, "[ -~]{0,24}", "[ -~]{0,24}").prop_map(
            |((secret, spelling, escapes), before, behind)| {
                let mut pieces = spelling.pieces(&secret);
                for escape in &escapes {
                    // Each may make six of one.
                    if length(&pieces) > ESCAPED_MOST_BYTES {
                        break;
                    }
                    pieces.iter_mut().for_each(|piece| piece.text = escape.of(&piece.text));
                }
                Self::of(secret, &pieces, &before, &behind)
            },
        )
    }

    fn of(secret: String, pieces: &[Piece], before: &str, behind: &str) -> Self {
        // What ends in half an escape would read the beginning of what follows as its end.
        let before = before.replace(['\\', '%'], "~");
        let first = pieces.iter().position(|piece| piece.is_core).unwrap();
        let last = pieces.iter().rposition(|piece| piece.is_core).unwrap();
        let begin = before.len();
        let spelled = begin..begin + length(pieces);
        let core = begin + length(&pieces[..first])..begin + length(&pieces[..=last]);
        let written: String = pieces.iter().map(|piece| &*piece.text).collect();
        Self { secret, text: format!("{before}{written}{behind}"), core, spelled }
    }

    /// Knows the secret, and two others.
    pub(crate) fn redactor(&self) -> Redactor {
        let redactor = Redactor::new();
        for (slot, secret) in
            [("a/app_secret", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"), ("a/token", &self.secret)]
        {
            redactor.protect(slot, &Secret::new(secret.to_owned()));
        }
        redactor.protect("b/token", &Secret::new(format!("77_{}", "another-token".repeat(12))));
        redactor
    }

    /// The part that must not be seen, as it was written.
    pub(crate) fn core_text(&self) -> &str {
        &self.text[self.core.clone()]
    }

    /// Whether `masked` is the text with nothing left of the secret, and the rest unchanged.
    pub(crate) fn check(&self, masked: &[u8]) -> Result<(), TestCaseError> {
        let shown = String::from_utf8_lossy(masked);
        prop_assert_eq!(masked.len(), self.text.len(), "{} became {}", &self.text, shown);
        let is_hidden = masked[self.core.clone()].iter().all(|byte| *byte == MASK);
        prop_assert!(is_hidden, "{} in {} is {}", &self.secret, &self.text, shown);
        let Range { start, end } = self.spelled;
        let is_same = |range: Range<usize>| masked[range.clone()] == self.text.as_bytes()[range];
        prop_assert!(
            is_same(0..start) && is_same(end..masked.len()),
            "{} became {}",
            &self.text,
            shown
        );
        Ok(())
    }
}

/// As the platform makes them: AppSecret, tokens, what WeCom calls a secret, tickets, refresh
/// tokens, keys of pushes and of signing.
fn secret() -> impl Strategy<Value = String> {
    let shapes = prop_oneof![
        2 => Just(("", HEX, 32..=32)),
        3 => Just(("97_", URL_SAFE, 133..=509)),
        1 => Just(("", URL_SAFE, 43..=43)),
        1 => Just(("", URL_SAFE, 64..=86)),
        1 => Just(("ticket@@@", URL_SAFE, 60..=90)),
        1 => Just(("refreshtoken@@@", URL_SAFE, 43..=43)),
        1 => Just(("", STANDARD, 43..=43)),
    ];
    (shapes, any::<u64>()).prop_map(|((prefix, alphabet, lengths), seed)| {
        let mut chance = Chance(seed | 1);
        let length = lengths.start() + chance.below(lengths.end() - lengths.start() + 1);
        let sign = |chance: &mut Chance| char::from(alphabet[chance.below(alphabet.len())]);
        let signs: String = (0..length).map(|_| sign(&mut chance)).collect();
        format!("{prefix}{signs}")
    })
}

/// One number for a whole secret: hundreds of characters that shrink one by one take long.
struct Chance(u64);

impl Chance {
    /// Xorshift (Marsaglia 2003); the upper bits are the better ones.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % end
    }
}

const HEX: &[u8] = b"0123456789abcdef";
const URL_SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A character as it is written.
struct Piece {
    text: String,
    is_core: bool,
}

fn length(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| piece.text.len()).sum()
}

/// What is longer gets no further escapes.
const ESCAPED_MOST_BYTES: usize = 600;

#[derive(Clone, Debug)]
enum Spelling {
    Raw,
    /// Which digits are in upper case.
    Hex(u64),
    Base64 {
        before: Vec<u8>,
        behind: Vec<u8>,
        is_url: bool,
    },
}

fn spelling() -> impl Strategy<Value = Spelling> {
    let around = || prop::collection::vec(any::<u8>(), 0..4);
    let base64 = (around(), around(), any::<bool>());
    prop_oneof![
        Just(Spelling::Raw),
        prop_oneof![Just(0), Just(u64::MAX), any::<u64>()].prop_map(Spelling::Hex),
        base64.prop_map(|(before, behind, is_url)| Spelling::Base64 { before, behind, is_url }),
    ]
}

impl Spelling {
    fn pieces(&self, secret: &str) -> Vec<Piece> {
        let (text, core) = match self {
            Self::Raw => (secret.to_owned(), 0..secret.len()),
            Self::Hex(upper) => {
                let lower: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
                let is_upper = |at: usize| upper >> (at % 64) & 1 != 0;
                let digit =
                    |(at, c): (usize, char)| if is_upper(at) { c.to_ascii_uppercase() } else { c };
                (lower.chars().enumerate().map(digit).collect(), 0..2 * secret.len())
            }
            Self::Base64 { before, behind, is_url } => {
                let all = [before, secret.as_bytes(), behind].concat();
                let text = if *is_url {
                    BASE64_URL_SAFE_NO_PAD.encode(all)
                } else {
                    BASE64_STANDARD.encode(all)
                };
                // Six bits a character; those that are shared with a neighbour do not count.
                (text, (before.len() * 4).div_ceil(3)..(before.len() + secret.len()) * 4 / 3)
            }
        };
        let piece = |(at, c): (usize, char)| Piece { text: c.into(), is_core: core.contains(&at) };
        text.chars().enumerate().map(piece).collect()
    }
}

#[derive(Clone, Debug)]
enum Escape {
    Percent { how_many: HowMany, is_upper: bool },
    Json { how_many: HowMany, is_upper: bool },
}

/// Which of the characters that need none get an escape.
#[derive(Clone, Copy, Debug)]
enum HowMany {
    Needed,
    Signs,
    All,
    /// By chance: of each eight neighbours in ASCII the same.
    Some(u8),
}

fn escape() -> impl Strategy<Value = Escape> {
    let how_many = || {
        prop_oneof![
            Just(HowMany::Needed),
            Just(HowMany::Signs),
            Just(HowMany::All),
            any::<u8>().prop_map(HowMany::Some)
        ]
    };
    prop_oneof![
        (how_many(), any::<bool>())
            .prop_map(|(how_many, is_upper)| Escape::Percent { how_many, is_upper }),
        (how_many(), any::<bool>())
            .prop_map(|(how_many, is_upper)| Escape::Json { how_many, is_upper }),
    ]
}

impl Escape {
    fn of(&self, text: &str) -> String {
        text.chars().map(|c| self.character(c)).collect()
    }

    fn character(&self, c: char) -> String {
        let code = u32::from(c);
        match self {
            Self::Percent { how_many, is_upper } => {
                let is_needed = !c.is_ascii_alphanumeric() && !"-_.~".contains(c);
                match (how_many.has(c, is_needed), is_upper) {
                    (false, _) => c.to_string(),
                    (true, true) => format!("%{code:02X}"),
                    (true, false) => format!("%{code:02x}"),
                }
            }
            Self::Json { how_many, is_upper } => match (c, how_many.has(c, false), is_upper) {
                ('"' | '\\', ..) => format!("\\{c}"),
                ('/', true, _) => "\\/".to_owned(),
                (_, true, true) => format!("\\u{code:04X}"),
                (_, true, false) => format!("\\u{code:04x}"),
                (_, false, _) => c.to_string(),
            },
        }
    }
}

impl HowMany {
    fn has(self, c: char, is_needed: bool) -> bool {
        is_needed
            || match self {
                Self::Needed => false,
                Self::Signs => !c.is_ascii_alphanumeric(),
                Self::All => true,
                Self::Some(bits) => bits >> (u32::from(c) % 8) & 1 != 0,
            }
    }
}
