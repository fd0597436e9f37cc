//! RFC 4514: how the parts of a subject are written, read and escaped.

use std::fmt;

use super::subject::BadSubject;

/// One `CN=ci`.
pub(super) struct Attribute {
    name: String,
    value: Value,
}

/// What stands behind the `=`.
pub(super) enum Value {
    /// A character string of any kind.
    Text(String),
    /// Anything else: its DER.
    Der(Vec<u8>),
}

impl Attribute {
    /// `oid` is dotted. A type without a name keeps its numbers, and its value is DER, as
    /// RFC 4514 2.4 has it; of all kinds of text that is the UTF-8 one.
    pub(super) fn new(oid: &str, value: Value) -> Self {
        match NAMES.iter().find(|(_, known, _)| *known == oid) {
            Some((name, _, _)) => Self { name: (*name).to_owned(), value },
            None => Self { name: oid.to_owned(), value: value.into_der() },
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl Value {
    /// The value of an attribute: what `tag` says is text becomes text.
    pub(super) fn of_der(tag: u8, content: &[u8]) -> Self {
        let text = match tag {
            UTF8 => std::str::from_utf8(content).ok().map(ToOwned::to_owned),
            NUMERIC | PRINTABLE | IA5 | VISIBLE if content.is_ascii() => {
                std::str::from_utf8(content).ok().map(ToOwned::to_owned)
            }
            BMP if content.len().is_multiple_of(2) => {
                let units = content.chunks_exact(2).map(|pair| match pair {
                    [high, low] => u16::from_be_bytes([*high, *low]),
                    _ => 0,
                });
                char::decode_utf16(units).collect::<Result<String, _>>().ok()
            }
            _ => None,
        };
        text.map_or_else(|| Self::Der(der(tag, content)), Self::Text)
    }

    fn into_der(self) -> Self {
        match self {
            Self::Text(text) => Self::Der(der(UTF8, text.as_bytes())),
            Self::Der(der) => Self::Der(der),
        }
    }
}

/// Tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => der.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let used: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            der.push(0x80 | u8::try_from(used.len()).unwrap_or(0x7f));
            der.extend(used);
        }
    }
    der.extend_from_slice(content);
    der
}

/// RFC 4514 2.4: text with its escapes, anything else as `#` and hex.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_escaped(f, text),
            Self::Der(der) => {
                f.write_str("#")?;
                der.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
            }
        }
    }
}

/// Why a value cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Quotation marks and the like.
    #[error("has a \" ; < or > that must stand behind a backslash")]
    Bare,
    /// At an end, where it gets lost.
    #[error("begins or ends with a space that must stand behind a backslash")]
    Space,
    /// A backslash that escapes nothing.
    #[error(
        "ends with a lone backslash, or has one before what is neither two hex digits nor special"
    )]
    Escape,
    /// Not text.
    #[error("is not UTF-8")]
    Utf8,
    /// `#` without a value behind it.
    #[error("begins with # but is not the hex of one DER value")]
    Hex,
    /// A type by number.
    #[error("has to be written as # and hex, because its type has no name")]
    Number,
}

/// The parts of `text`, in its order.
pub(super) fn parse(text: &str) -> Result<Vec<Vec<Attribute>>, BadSubject> {
    let mut parts = vec![Vec::new()];
    let mut rest = text.as_bytes();
    loop {
        let (attribute, end, after) = parse_one(rest)?;
        if let Some(part) = parts.last_mut() {
            part.push(attribute);
        }
        match end {
            None => return Ok(parts),
            Some(b',') => parts.push(Vec::new()),
            Some(_) => {}
        }
        rest = after;
    }
}

/// One attribute, what ended it (`,`, `+` or the end), and what stands behind that.
fn parse_one(text: &[u8]) -> Result<(Attribute, Option<u8>, &[u8]), BadSubject> {
    let stops = |byte: &u8| matches!(byte, b'=' | b',' | b'+');
    let at = text.iter().position(stops).unwrap_or(text.len());
    let (written, after) = text.split_at_checked(at).unwrap_or((text, &[]));
    let unknown = || BadSubject::Type {
        given: String::from_utf8_lossy(written)
            .chars()
            .filter(|c| !c.is_control())
            .take(40)
            .collect(),
    };
    let [b'=', value @ ..] = after else { return Err(unknown()) };
    let (name, oid) = type_of(written).ok_or_else(unknown)?;
    let bad = |reason| BadSubject::Value { of: name.clone(), reason };
    let end = end_of(value);
    let (value, after) = value.split_at_checked(end).unwrap_or((value, &[]));
    let read = match value {
        [b'#', digits @ ..] => from_hex(digits).map_err(bad)?,
        _ if name == oid => return Err(bad(ValueError::Number)),
        _ => Value::Text(unescape(value).map_err(bad)?),
    };
    let (end, after) = after.split_first().map_or((None, after), |(end, rest)| (Some(*end), rest));
    // Numbers of a known type go through its name.
    Ok((Attribute::new(&oid, read), end, after))
}

/// Name and number of a type; the number is the name where there is no other.
fn type_of(written: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(written).ok()?;
    let is_it = |names: &&str| names.split(' ').any(|name| name.eq_ignore_ascii_case(text));
    let known = NAMES.iter().find(|(name, oid, others)| {
        name.eq_ignore_ascii_case(text) || *oid == text || is_it(others)
    });
    if let Some((name, oid, _)) = known.filter(|_| !text.is_empty()) {
        return Some(((*name).to_owned(), (*oid).to_owned()));
    }
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_oid = text.contains('.') && text.split('.').all(is_number);
    is_oid.then(|| (text.to_owned(), text.to_owned()))
}

/// Where the value ends: at the first `,` or `+` that no backslash stands before.
fn end_of(value: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' | b'+' => return at,
            _ => {}
        }
    }
    value.len()
}

fn unescape(value: &[u8]) -> Result<String, ValueError> {
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    if rest.first() == Some(&b' ') {
        return Err(ValueError::Space);
    }
    while let [byte, after @ ..] = rest {
        rest = match (byte, after) {
            (b'\\', [high, low, after @ ..]) if high.is_ascii_hexdigit() => {
                text.push(byte_of(*high, *low).ok_or(ValueError::Escape)?);
                after
            }
            (b'\\', [special @ (b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\'), after @ ..])
            | (b'\\', [special @ (b' ' | b'#' | b'='), after @ ..]) => {
                text.push(*special);
                after
            }
            (b'\\', _) => return Err(ValueError::Escape),
            (b'"' | b';' | b'<' | b'>' | 0, _) => return Err(ValueError::Bare),
            (b' ', []) => return Err(ValueError::Space),
            (byte, after) => {
                text.push(*byte);
                after
            }
        };
    }
    String::from_utf8(text).map_err(|_| ValueError::Utf8)
}

/// `#` and the hex of a whole DER value.
fn from_hex(digits: &[u8]) -> Result<Value, ValueError> {
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => byte_of(*high, *low),
        _ => None,
    });
    let bytes: Vec<u8> = pairs.collect::<Option<_>>().ok_or(ValueError::Hex)?;
    let header = match bytes.as_slice() {
        [_, length, ..] if *length < 0x80 => 2,
        [_, length, ..] => 2 + usize::from(*length & 0x7f),
        _ => return Err(ValueError::Hex),
    };
    let (Some(tag), Some(content)) = (bytes.first(), bytes.get(header..)) else {
        return Err(ValueError::Hex);
    };
    // Written again it is the same only if length and content fit each other.
    if der(*tag, content) == bytes {
        Ok(Value::of_der(*tag, content))
    } else {
        Err(ValueError::Hex)
    }
}

fn byte_of(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (char::from(high).to_digit(16)?, char::from(low).to_digit(16)?);
    u8::try_from(high * 16 + low).ok()
}

/// Writes a text with everything escaped that has a meaning, or that cannot be seen.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        let is_end = at == 0 || at == last;
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{c}")?,
            '#' if at == 0 => f.write_str("\\#")?,
            ' ' if is_end => f.write_str("\\ ")?,
            c if is_invisible(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    write!(f, "\\{byte:02X}")?;
                }
            }
            c => write!(f, "{c}")?,
        }
    }
    Ok(())
}

/// Characters that would move the cursor, turn the text round or hide in it.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Tags of X.690 for the kinds of text that certificates use.
const UTF8: u8 = 0x0c;
const NUMERIC: u8 = 0x12;
const PRINTABLE: u8 = 0x13;
const IA5: u8 = 0x16;
const VISIBLE: u8 = 0x1a;
const BMP: u8 = 0x1e;

/// Types by name: as OpenSSL writes them, their number, other names in use. A type that is not
/// here stands as its number; nothing is lost by that but ease.
const NAMES: &[(&str, &str, &str)] = &[
    ("CN", "2.5.4.3", "commonName"),
    ("SN", "2.5.4.4", "surname"),
    ("serialNumber", "2.5.4.5", ""),
    ("C", "2.5.4.6", "countryName"),
    ("L", "2.5.4.7", "localityName"),
    ("ST", "2.5.4.8", "S stateOrProvinceName"),
    ("street", "2.5.4.9", "streetAddress"),
    ("O", "2.5.4.10", "organizationName"),
    ("OU", "2.5.4.11", "organizationalUnitName"),
    ("title", "2.5.4.12", ""),
    ("description", "2.5.4.13", ""),
    ("businessCategory", "2.5.4.15", ""),
    ("postalCode", "2.5.4.17", ""),
    ("telephoneNumber", "2.5.4.20", ""),
    ("name", "2.5.4.41", ""),
    ("GN", "2.5.4.42", "givenName"),
    ("initials", "2.5.4.43", ""),
    ("generationQualifier", "2.5.4.44", ""),
    ("x500UniqueIdentifier", "2.5.4.45", ""),
    ("dnQualifier", "2.5.4.46", ""),
    ("houseIdentifier", "2.5.4.51", ""),
    ("dmdName", "2.5.4.54", ""),
    ("pseudonym", "2.5.4.65", ""),
    ("role", "2.5.4.72", ""),
    ("organizationIdentifier", "2.5.4.97", ""),
    ("UID", "0.9.2342.19200300.100.1.1", "userId"),
    ("DC", "0.9.2342.19200300.100.1.25", "domainComponent"),
    ("emailAddress", "1.2.840.113549.1.9.1", "E"),
    ("unstructuredName", "1.2.840.113549.1.9.2", ""),
    ("jurisdictionL", "1.3.6.1.4.1.311.60.2.1.1", ""),
    ("jurisdictionST", "1.3.6.1.4.1.311.60.2.1.2", ""),
    ("jurisdictionC", "1.3.6.1.4.1.311.60.2.1.3", ""),
];
