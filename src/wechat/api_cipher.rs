//! The cipher of API encryption: a symmetric key with its number.

use std::{fmt, str::FromStr};

use aes_gcm::{
    AesGcm, KeyInit as _,
    aead::{Aead as _, Payload},
    aes::cipher::consts::U12,
};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::api_signing::SigningError;
use crate::base::permission::{UnknownWord, words};

words! {
    /// The ciphers that the platform offers, by its own words.
    CipherKind {
        /// 32-byte key.
        Aes256Gcm = "AES256_GCM",
        /// 16-byte key.
        Sm4Gcm = "SM4_GCM",
    }
}

/// Why a key was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not Base64.
    #[error("the symmetric key is not Base64")]
    NotBase64,
    /// Another length than the cipher's.
    #[error("the key of {kind} has {wanted} bytes, this one {given}")]
    Length {
        /// The cipher.
        kind: CipherKind,
        /// Bytes that its keys have.
        wanted: usize,
        /// Bytes of this one.
        given: usize,
    },
    /// Not a key in PEM.
    #[error("this is no {0} in PEM")]
    NotPem(&'static str),
    /// A key of another algorithm, or a broken one.
    #[error("the key is neither RSA (2048 bits and more) nor SM2")]
    Algorithm,
    /// A key number that cannot be a part of what is signed.
    #[error("a key number has 1 to 64 letters and digits")]
    Number,
}

/// A symmetric key with its number ("Sn").
pub struct SymmetricKey {
    sn: String,
    cipher: Cipher,
}

enum Cipher {
    Aes(Box<LessSafeKey>),
    Sm4(Box<Sm4Gcm>),
}

type Sm4Gcm = AesGcm<sm4::Sm4, U12>;

/// A body of API encryption: all three parts in standard Base64, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedBody {
    /// 12 bytes.
    pub iv: String,
    /// What was the inner JSON.
    pub data: String,
    /// 16 bytes.
    pub authtag: String,
}

impl SymmetricKey {
    /// The key numbered `sn`, from the Base64 that the platform's console shows.
    ///
    /// # Errors
    /// [`KeyError`] when it is no key of that cipher.
    pub fn new(kind: CipherKind, sn: &str, key: &str) -> Result<Self, KeyError> {
        check_number(sn)?;
        let key = STANDARD.decode(key.trim()).map_err(|_| KeyError::NotBase64)?;
        let wanted = match kind {
            CipherKind::Aes256Gcm => 32,
            CipherKind::Sm4Gcm => 16,
        };
        let bad_length = KeyError::Length { kind, wanted, given: key.len() };
        let cipher = match kind {
            CipherKind::Aes256Gcm => {
                let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| bad_length)?;
                Cipher::Aes(Box::new(LessSafeKey::new(key)))
            }
            CipherKind::Sm4Gcm => {
                Cipher::Sm4(Box::new(Sm4Gcm::new_from_slice(&key).map_err(|_| bad_length)?))
            }
        };
        Ok(Self { sn: sn.to_owned(), cipher })
    }

    /// Its number.
    #[must_use]
    pub fn sn(&self) -> &str {
        &self.sn
    }

    /// Encrypts `text`. An `iv` must never be used twice with one key.
    ///
    /// # Errors
    /// [`SigningError::WrongEncryption`] when `text` is longer than the cipher takes (64 GiB).
    pub fn seal(&self, iv: [u8; 12], aad: &str, text: &[u8]) -> Result<SealedBody, SigningError> {
        let wrong = SigningError::WrongEncryption;
        let mut data = match &self.cipher {
            Cipher::Aes(key) => {
                let mut data = text.to_vec();
                let nonce = Nonce::assume_unique_for_key(iv);
                key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut data)
                    .map_err(|_| wrong)?;
                data
            }
            Cipher::Sm4(key) => {
                let payload = Payload { msg: text, aad: aad.as_bytes() };
                key.encrypt(&iv.into(), payload).map_err(|_| wrong)?
            }
        };
        let tag = data.split_off(data.len().saturating_sub(TAG_BYTES));
        let [iv, data, authtag] =
            [iv.as_slice(), data.as_slice(), tag.as_slice()].map(|part| STANDARD.encode(part));
        Ok(SealedBody { iv, data, authtag })
    }

    /// Decrypts `sealed`.
    ///
    /// # Errors
    /// [`SigningError::WrongEncryption`] for anything but what this key encrypted with this AAD.
    pub fn open(&self, aad: &str, sealed: &SealedBody) -> Result<Vec<u8>, SigningError> {
        let wrong = SigningError::WrongEncryption;
        let decoded = |text: &str| STANDARD.decode(text).map_err(|_| wrong);
        let iv: [u8; 12] = decoded(&sealed.iv)?.try_into().map_err(|_| wrong)?;
        let tag = decoded(&sealed.authtag)?;
        if tag.len() != TAG_BYTES {
            return Err(wrong);
        }
        let mut data = decoded(&sealed.data)?;
        data.extend_from_slice(&tag);
        match &self.cipher {
            Cipher::Aes(key) => {
                let nonce = Nonce::assume_unique_for_key(iv);
                let text = key.open_in_place(nonce, Aad::from(aad), &mut data);
                let length = text.map_err(|_| wrong)?.len();
                data.truncate(length);
                Ok(data)
            }
            Cipher::Sm4(key) => {
                let payload = Payload { msg: &data, aad: aad.as_bytes() };
                key.decrypt(&iv.into(), payload).map_err(|_| wrong)
            }
        }
    }
}

/// Without the key.
impl fmt::Debug for SymmetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SymmetricKey").field("sn", &self.sn).finish_non_exhaustive()
    }
}

/// Numbers stand between `|` in the AAD and are SM2's signer ids.
pub(super) fn check_number(sn: &str) -> Result<(), KeyError> {
    let is_good =
        (1..=64).contains(&sn.len()) && sn.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_good { Ok(()) } else { Err(KeyError::Number) }
}

/// Of both ciphers.
const TAG_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ciphers_open_what_they_sealed_and_nothing_else() {
        for (kind, bytes) in [(CipherKind::Aes256Gcm, 32), (CipherKind::Sm4Gcm, 16)] {
            let key = SymmetricKey::new(kind, "abc1", &STANDARD.encode(vec![7; bytes])).unwrap();
            let sealed = key.seal([1; 12], "aad", b"text").unwrap();
            assert_eq!(key.open("aad", &sealed).unwrap(), b"text");
            let other = SealedBody { iv: STANDARD.encode([2; 12]), ..sealed.clone() };
            let short = SealedBody { authtag: STANDARD.encode([2; 4]), ..sealed.clone() };
            let broken = SealedBody { data: "?".to_owned(), ..sealed.clone() };
            for (aad, sealed) in
                [("a", &sealed), ("aad", &other), ("aad", &short), ("aad", &broken)]
            {
                assert_eq!(key.open(aad, sealed), Err(SigningError::WrongEncryption));
            }
        }
    }

    #[test]
    fn sm4_in_gcm_gives_the_standards_sample() {
        // RFC 8998, appendix A.1.
        let key = STANDARD.encode(hex("0123456789abcdeffedcba9876543210"));
        let key = SymmetricKey::new(CipherKind::Sm4Gcm, "1", &key).unwrap();
        let text = ["aa", "bb", "cc", "dd", "ee", "ff", "ee", "aa"].map(|byte| byte.repeat(8));
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let Cipher::Sm4(cipher) = &key.cipher else { panic!("another cipher") };
        let iv: [u8; 12] = hex("00001234567800000000abcd").try_into().unwrap();
        let payload = Payload { msg: &hex(&text.concat()), aad: &aad };
        let sealed = cipher.encrypt(&iv.into(), payload).unwrap();
        let wanted = "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
                      d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d\
                      83de3541e4c2b58177e065a9bf7b62ec";
        assert_eq!(sealed, hex(wanted));
    }

    #[test]
    fn a_key_of_another_length_or_number_is_refused() {
        let new = |kind, sn: &str, key: &str| SymmetricKey::new(kind, sn, key).unwrap_err();
        let short = STANDARD.encode([0; 16]);
        let refused = new(CipherKind::Aes256Gcm, "1", &short);
        assert_eq!(refused.to_string(), "the key of AES256_GCM has 32 bytes, this one 16");
        assert_eq!(new(CipherKind::Sm4Gcm, "1", "?"), KeyError::NotBase64);
        for sn in ["", "a|b", "a\nb"] {
            assert_eq!(new(CipherKind::Sm4Gcm, sn, &short), KeyError::Number);
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(pair).collect()
    }
}
