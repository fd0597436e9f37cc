//! The forms in which a secret can be written, and the search for any of them.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};

/// As a careless program could write it: what the form is called, and the text.
pub(super) fn spellings(secret: &str) -> Vec<(String, String)> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut plain = vec![
        ("raw".to_owned(), secret.to_owned()),
        ("hex".to_owned(), hex.clone()),
        ("HEX".to_owned(), hex.to_uppercase()),
        ("Hex".to_owned(), hex.replace('a', "A").replace('c', "C").replace('e', "E")),
    ];
    for before in ["", "?", "??"] {
        let text = format!("{before}{secret}??");
        plain.push((format!("base64 behind {before}"), BASE64_STANDARD.encode(&text)));
        plain.push((format!("base64url behind {before}"), BASE64_URL_SAFE_NO_PAD.encode(&text)));
    }
    let mut all = Vec::new();
    for (name, text) in plain {
        let percent: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let json: String = text.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        all.push((format!("{name}, percent twice"), percent.to_uppercase().replace('%', "%25")));
        all.push((format!("{name}, JSON"), json.clone()));
        all.push((format!("{name}, JSON twice"), json.replace('\\', "\\\\")));
        all.push((format!("{name}, slashes"), text.replace('/', "\\/")));
        all.push((format!("{name}, percent"), percent));
        all.push((name, text));
    }
    all
}

/// Whether `bytes` tell the secret: as they are, or once their escapes are read, up to five deep.
pub(super) fn tells(bytes: &[u8], secret: &str) -> Option<String> {
    let needles = needles(secret);
    let mut text = bytes.to_vec();
    for depth in 0..=5 {
        let lower = text.to_ascii_lowercase();
        for (name, needle, is_exact) in &needles {
            let haystack = if *is_exact { &text } else { &lower };
            if memchr::memmem::find(haystack, needle.as_bytes()).is_some() {
                return Some(format!("{name} behind {depth} escapes"));
            }
        }
        let read = unescaped(&text);
        if read == text {
            break;
        }
        text = read;
    }
    None
}

/// What stands in a text that holds the secret; the last tells whether letter case counts.
fn needles(secret: &str) -> Vec<(String, String, bool)> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![("raw".to_owned(), secret.to_owned(), true), ("hex".to_owned(), hex, false)];
    for offset in 0..3 {
        let text = BASE64_STANDARD.encode(format!("{}{secret}", "x".repeat(offset)));
        let inside = text[(offset * 8).div_ceil(6)..(offset + secret.len()) * 8 / 6].to_owned();
        all.push((
            format!("base64url at {offset}"),
            inside.replace('+', "-").replace('/', "_"),
            true,
        ));
        all.push((format!("base64 at {offset}"), inside, true));
    }
    all
}

/// One reading of percent and JSON escapes, independent of the program's own.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let hex = |digits: Option<&[u8]>| {
        let digits = std::str::from_utf8(digits?).ok()?;
        u8::try_from(u32::from_str_radix(digits, 16).ok()?).ok()
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let percent = || hex(text.get(at + 1..at + 3)).map(|byte| (byte, 3));
        let code = || hex(text.get(at + 2..at + 6)).map_or((b'?', 6), |byte| (byte, 6));
        let (byte, length) = match (text[at], text.get(at + 1)) {
            (b'%', _) => percent().unwrap_or((b'%', 1)),
            (b'\\', Some(b'u')) => code(),
            (b'\\', Some(same @ (b'/' | b'\\' | b'"'))) => (*same, 2),
            (byte, _) => (byte, 1),
        };
        out.push(byte);
        at += length;
    }
    out
}
