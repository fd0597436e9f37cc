//! The crypto of message pushes: signatures, and messages under an EncodingAESKey.

use aes::{
    Aes256,
    cipher::{
        BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _, block_padding::NoPadding,
    },
};
use aws_lc_rs::digest;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::base::secret::Secret;

/// Why a key cannot be used, or a message not be opened. None tells anything of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushCryptoError {
    /// A key of another length or alphabet.
    #[error("an EncodingAESKey has 43 letters and digits")]
    Key,
    /// What should be encrypted is not Base64.
    #[error("Encrypt is not Base64")]
    Base64,
    /// Cut off, or nothing at all.
    #[error("Encrypt is no whole number of cipher blocks")]
    Blocks,
    /// Most likely encrypted with another key.
    #[error("the padding is wrong: another EncodingAESKey, most likely")]
    Padding,
    /// The length inside points beyond the end.
    #[error("the frame inside Encrypt is broken: another EncodingAESKey, most likely")]
    Frame,
    /// Meant for another app.
    #[error("Encrypt holds another AppID")]
    OtherApp,
}

/// Lowercase hex of the SHA-1 over token, timestamp, nonce and, for `msg_signature`, the
/// Encrypt text, sorted by their bytes and joined.
#[must_use]
pub fn signature(token: &Secret, timestamp: &str, nonce: &str, encrypt: Option<&str>) -> String {
    let mut parts = vec![token.expose(), timestamp, nonce];
    parts.extend(encrypt);
    parts.sort_unstable();
    let mut sha1 = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| sha1.update(part.as_bytes()));
    sha1.finish().as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect()
}

/// Whether `given` is that signature, in a time that does not depend on where they differ.
#[must_use]
pub fn is_signed(
    given: &str,
    token: &Secret,
    timestamp: &str,
    nonce: &str,
    encrypt: Option<&str>,
) -> bool {
    let wanted = signature(token, timestamp, nonce, encrypt);
    wanted.as_bytes().ct_eq(given.as_bytes()).into()
}

/// An EncodingAESKey of the console, with the AES key that it stands for.
#[derive(Clone)]
pub struct EncodingAesKey {
    text: Secret,
    key: Zeroizing<[u8; 32]>,
}

impl EncodingAesKey {
    /// Reads the 43 characters.
    ///
    /// # Errors
    /// [`PushCryptoError::Key`] for any other text.
    pub fn parse(text: Secret) -> Result<Self, PushCryptoError> {
        let shown = text.expose();
        if shown.len() != KEY_CHARACTERS || !shown.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(PushCryptoError::Key);
        }
        let bytes = Zeroizing::new(LENIENT.decode(shown).map_err(|_| PushCryptoError::Key)?);
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| PushCryptoError::Key)?;
        Ok(Self { key: Zeroizing::new(key), text })
    }

    /// The 43 characters.
    #[must_use]
    pub fn text(&self) -> &Secret {
        &self.text
    }

    /// The Encrypt text of `message`, which the app called `app_id` will open. `random` should
    /// differ each time.
    #[must_use]
    pub fn encrypt(&self, random: [u8; 16], message: &[u8], app_id: &str) -> String {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let mut frame = Zeroizing::new(Vec::with_capacity(message.len() + MOST_FRAME_BYTES));
        frame.extend_from_slice(&random);
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(message);
        frame.extend_from_slice(app_id.as_bytes());
        let pad = PAD_BLOCK_BYTES - frame.len() % PAD_BLOCK_BYTES;
        let padded = frame.len() + pad;
        frame.resize(padded, pad as u8);
        let cipher = cbc::Encryptor::<Aes256>::new((&*self.key).into(), &self.iv().into());
        base64::prelude::BASE64_STANDARD.encode(cipher.encrypt_padded_vec::<NoPadding>(&frame))
    }

    /// The message in an Encrypt text that is meant for `app_id`. Check its signature first:
    /// nothing else here vouches for who wrote it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decrypt(&self, encrypt: &str, app_id: &str) -> Result<Vec<u8>, PushCryptoError> {
        let sealed = LENIENT.decode(encrypt).map_err(|_| PushCryptoError::Base64)?;
        let cipher = cbc::Decryptor::<Aes256>::new((&*self.key).into(), &self.iv().into());
        let frame = cipher.decrypt_padded_vec::<NoPadding>(&sealed);
        let frame = Zeroizing::new(frame.map_err(|_| PushCryptoError::Blocks)?);
        let (message, owner) = opened(unpadded(&frame)?)?;
        if owner != app_id.as_bytes() {
            return Err(PushCryptoError::OtherApp);
        }
        Ok(message.to_vec())
    }

    /// The platform takes the start of the key.
    fn iv(&self) -> [u8; 16] {
        let mut iv = [0; 16];
        iv.iter_mut().zip(self.key.iter()).for_each(|(to, from)| *to = *from);
        iv
    }
}

/// A key shows nothing of itself.
impl std::fmt::Debug for EncodingAesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EncodingAesKey(..)")
    }
}

/// Without its PKCS#7 padding, which is computed on 32 bytes and not on the cipher's 16.
fn unpadded(frame: &[u8]) -> Result<&[u8], PushCryptoError> {
    let pad = usize::from(*frame.last().ok_or(PushCryptoError::Blocks)?);
    let kept = frame.len().checked_sub(pad).filter(|_| (1..=PAD_BLOCK_BYTES).contains(&pad));
    let (kept, padding) = frame.split_at(kept.ok_or(PushCryptoError::Padding)?);
    let is_good = padding.iter().all(|byte| usize::from(*byte) == pad);
    if is_good { Ok(kept) } else { Err(PushCryptoError::Padding) }
}

/// Message and AppID of a frame: 16 random bytes, length, message, AppID.
fn opened(frame: &[u8]) -> Result<(&[u8], &[u8]), PushCryptoError> {
    let behind_random = frame.split_at_checked(16).ok_or(PushCryptoError::Frame)?.1;
    let (length, rest) = behind_random.split_first_chunk::<4>().ok_or(PushCryptoError::Frame)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    rest.split_at_checked(length).ok_or(PushCryptoError::Frame)
}

fn hex_digit(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or_default()
}

/// Keys are random characters, so that the last one has bits that stand for nothing; a strict
/// decoder refuses most keys.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const KEY_CHARACTERS: usize = 43;
const PAD_BLOCK_BYTES: usize = 32;
/// Random bytes, length, AppID and padding.
const MOST_FRAME_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    const TIMESTAMP: &str = "1767225600";
    const NONCE: &str = "1320562132";
    const APP_ID: &str = "wx0123456789abcdef";
    const V2: (&[u8; 16], &str, &str, &str) = (
        b"0123456789abcdef",
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[oTest0000000000000000000001]]></FromUserName><CreateTime>1767225600</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好 proxy]]></Content><MsgId>24012345678901234</MsgId></xml>",
        "ypP1NwRvFE69HhlhFAFOT7bcq1NpBqJFIQ3dnfh0XIusW0iNJ/ZUnsatdRMY8vH7Sa9y/eHQXkBCn386w+7QkDMYvcEuN4aT8RXdnztEbH2mW/CQ2nlOZvgaQcUv8ZfCaWtOwlJlnl7kWGoNBVjdQEcviuRU847oPTw43AoWqij3uwOPsOu6+4NcCj0zJLIrGZrIrcJIxiIpSf2BDx9b4p7hhDJWJ1EwI4PkBwpKQ9d/T6fAlol3EWO9ahjeHB+j6MRw0e16R9NVRjnInFlIbd/ZZlcKOHGUo+7NFUe1Fi+jAOfCK8wFil9AQZdm6rKPcWWSM0vP9/Pirsc8gOaSBREHyV2DfH7bkh/KnyacPBGjDgX6VM6eAUoIU1fkH6Ef3LKskZmJDtwpa2/82ax1ToLx/R2gJVHixVkPgBrenJg=",
        "0f6aafec12d72f2ddc2a9d450797393a15d87d0d",
    );
    const V3: (&[u8; 16], &str, &str, &str) = (
        b"fedcba9876543210",
        r#"{"ToUserName":"gh_0123456789ab","FromUserName":"oTest0000000000000000000001","CreateTime":1767225600,"MsgType":"event","Event":"debug_demo","debug_str":"你好"}"#,
        "tH9LtarXkT5q8AzUVS7iiM1XEe6LChwmdoo2PjuTO5T9LJlo6jMbIQ7KdQefWy+X4x1acyVnB2ORyKK951zxtTMkR5Rj5QB/B/lexIiTvFYk7LuElJUPcpxLpgIlsAqLFcTcwxlMEL2sdP6IH7WN0WfS4FJ6NUlx9UTQeW/Y0oy53jlKMj7bTELE7tixqFN2SnW+JNT3LSBYt5L5kkDefWN5pYrbQS4muEQej3Xo8FOzsorN5BH5g2imxOPOkkUGQNdW3BckbxVNN1HT7yz7n+QZEsA0NsDkkQtIY3BJscs=",
        "b67e4f2233cdbf38c5fa671025caa8a551c71d4d",
    );
    const V4: (&[u8; 16], &str, &str, &str) = (
        b"aaaabbbbccccdddd",
        r#"{"demo_resp":"good luck"}"#,
        "LUqY6rqIwyr/pwxfF4EPX0YD8tOiCKz9rwhrnxFnR8mXYDFCqm8hQz67ChYipWNnSEi2e0rlsXX94Tm8+I4ttg==",
        "1bf95a47b8265e5fdec542d3cba07e595870fd12",
    );

    fn key() -> EncodingAesKey {
        let text = "q1Os1ZMe0nG28KUEx9lg3HjK7V5QyXvi212fzsgDqgz";
        EncodingAesKey::parse(Secret::new(text.to_owned())).unwrap()
    }

    fn token() -> Secret {
        Secret::new("simToken2026".to_owned())
    }

    #[test]
    fn a_plain_push_and_the_url_verification_have_the_documented_signature() {
        let wanted = "a23eaa720a1cbe956de851f8c4cad50cb227a64f";
        assert_eq!(signature(&token(), TIMESTAMP, NONCE, None), wanted);
        assert!(is_signed(wanted, &token(), TIMESTAMP, NONCE, None));
        for wrong in ["", "a23eaa720a1cbe956de851f8c4cad50cb227a64e", &wanted.to_uppercase()] {
            assert!(!is_signed(wrong, &token(), TIMESTAMP, NONCE, None), "{wrong}");
        }
    }

    #[test]
    fn the_vectors_are_sealed_signed_and_opened() {
        // A reply has a timestamp of its own.
        for ((random, message, encrypt, signed), timestamp) in
            [(V2, TIMESTAMP), (V3, TIMESTAMP), (V4, "1767225601")]
        {
            assert_eq!(key().encrypt(*random, message.as_bytes(), APP_ID), encrypt);
            assert_eq!(signature(&token(), timestamp, NONCE, Some(encrypt)), signed);
            assert_eq!(key().decrypt(encrypt, APP_ID).unwrap(), message.as_bytes());
        }
    }

    #[test]
    fn a_key_is_43_letters_and_digits_whatever_its_last_bits() {
        let parse = |text: String| EncodingAesKey::parse(Secret::new(text));
        for last in ('a'..='z').chain('A'..='Z').chain('0'..='9') {
            assert!(parse(format!("{}{last}", "k".repeat(42))).is_ok(), "{last}");
        }
        for bad in ["", "short", &"k".repeat(44), &format!("{}=", "k".repeat(42)), &"钥".repeat(43)]
        {
            assert_eq!(parse(bad.to_owned()).unwrap_err(), PushCryptoError::Key, "{bad}");
        }
        assert!(!format!("{:?}", key()).contains("q1Os"));
    }

    #[test]
    fn every_length_comes_back_and_every_pad_is_used() {
        for length in 0..70 {
            let message = vec![b'x'; length];
            let encrypt = key().encrypt([7; 16], &message, APP_ID);
            assert_eq!(key().decrypt(&encrypt, APP_ID).unwrap(), message);
        }
    }

    #[test]
    fn each_fault_has_its_own_error() {
        let open = |encrypt: &str| key().decrypt(encrypt, APP_ID).unwrap_err();
        assert_eq!(open("%%%"), PushCryptoError::Base64);
        assert_eq!(open(""), PushCryptoError::Blocks);
        assert_eq!(open("QUJD"), PushCryptoError::Blocks);
        assert_eq!(open(&V2.2[..64]), PushCryptoError::Padding);
        assert_eq!(key().decrypt(V2.2, "wx1"), Err(PushCryptoError::OtherApp));
        let other = EncodingAesKey::parse(Secret::new("k".repeat(43))).unwrap();
        assert_eq!(other.decrypt(V2.2, APP_ID), Err(PushCryptoError::Padding));
        assert_eq!(unpadded(&[33; 40]), Err(PushCryptoError::Padding));
        assert_eq!(unpadded(&[0; 32]), Err(PushCryptoError::Padding));
        assert_eq!(opened(&[0xff; 32]), Err(PushCryptoError::Frame));
        assert_eq!(opened(&[0; 19]), Err(PushCryptoError::Frame));
    }
}
