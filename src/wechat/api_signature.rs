//! The signatures of API signing: RSA-PSS or SM2, by the kind of key.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer, pem::PemObject as _};
use sm2::{
    dsa::signature::{Signer as _, Verifier as _},
    pkcs8::{DecodePrivateKey as _, DecodePublicKey as _},
};

use super::{
    api_cipher::{KeyError, check_number},
    api_signing::SigningError,
};

/// A private key with its number: the application's at a client, the platform's at the platform.
pub struct SignatureKey {
    sn: String,
    private: Private,
}

enum Private {
    /// RSA-PSS with SHA-256 and a salt of 32 bytes; PKCS#1 v1.5 does not verify.
    Rsa(Box<KeyPair>),
    /// SM2 with SM3; the key's number is the signer's id.
    Sm2(Box<sm2::dsa::SigningKey>),
}

impl SignatureKey {
    /// The key numbered `sn`, from PKCS#8 in PEM.
    ///
    /// # Errors
    /// [`KeyError`] when it is no private key of RSA or SM2.
    pub fn from_pem(sn: &str, pem: &str) -> Result<Self, KeyError> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes());
        let der = der.map_err(|_| KeyError::NotPem("private key"))?;
        Self::from_pkcs8(sn, der.secret_der())
    }

    /// The same from DER.
    ///
    /// # Errors
    /// [`KeyError`] when it is no private key of RSA or SM2.
    pub fn from_pkcs8(sn: &str, der: &[u8]) -> Result<Self, KeyError> {
        check_number(sn)?;
        let private = match KeyPair::from_pkcs8(der) {
            Ok(key) => Private::Rsa(Box::new(key)),
            Err(_) => {
                let key = sm2::SecretKey::from_pkcs8_der(der).map_err(|_| KeyError::Algorithm)?;
                let key = sm2::dsa::SigningKey::new(sn, &key).map_err(|_| KeyError::Algorithm)?;
                Private::Sm2(Box::new(key))
            }
        };
        Ok(Self { sn: sn.to_owned(), private })
    }

    /// Its number.
    #[must_use]
    pub fn sn(&self) -> &str {
        &self.sn
    }

    /// The signature of `payload` in Base64.
    ///
    /// # Errors
    /// [`SigningError::WrongSignature`] when the system has no randomness.
    pub fn sign(&self, payload: &[u8]) -> Result<String, SigningError> {
        let wrong = SigningError::WrongSignature;
        match &self.private {
            Private::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let random = SystemRandom::new();
                key.sign(&RSA_PSS_SHA256, &random, payload, &mut signature).map_err(|_| wrong)?;
                Ok(STANDARD.encode(signature))
            }
            Private::Sm2(key) => {
                let signature = key.try_sign(payload).map_err(|_| wrong)?;
                Ok(STANDARD.encode(signature.to_der().as_bytes()))
            }
        }
    }
}

/// A public key with its number.
#[derive(Clone)]
pub struct VerifyingKey {
    sn: String,
    public: Public,
}

#[derive(Clone)]
enum Public {
    Rsa(Vec<u8>),
    Sm2(Box<sm2::dsa::VerifyingKey>),
}

impl VerifyingKey {
    /// The key numbered `sn`, from `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    /// [`KeyError`] when it is no public key of RSA or SM2.
    pub fn from_pem(sn: &str, pem: &str) -> Result<Self, KeyError> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes());
        Self::from_der(sn, der.map_err(|_| KeyError::NotPem("public key"))?.as_ref())
    }

    /// The public key of a certificate in PEM, as the platform's console gives it.
    ///
    /// # Errors
    /// [`KeyError`] when it is no certificate with a key of RSA or SM2.
    pub fn from_certificate(sn: &str, pem: &str) -> Result<Self, KeyError> {
        let not_pem = || KeyError::NotPem("certificate");
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(|_| not_pem())?;
        let certificate = pem.parse_x509().map_err(|_| not_pem())?;
        Self::from_der(sn, certificate.public_key().raw)
    }

    fn from_der(sn: &str, der: &[u8]) -> Result<Self, KeyError> {
        check_number(sn)?;
        let public = match sm2::PublicKey::from_public_key_der(der) {
            Ok(key) => {
                let key = sm2::dsa::VerifyingKey::new(sn, key).map_err(|_| KeyError::Algorithm)?;
                Public::Sm2(Box::new(key))
            }
            Err(_) if is_rsa(der) => Public::Rsa(der.to_vec()),
            Err(_) => return Err(KeyError::Algorithm),
        };
        Ok(Self { sn: sn.to_owned(), public })
    }

    /// Its number.
    #[must_use]
    pub fn sn(&self) -> &str {
        &self.sn
    }

    /// Holds `signature`, in Base64, against `payload`.
    ///
    /// # Errors
    /// [`SigningError::WrongSignature`] when it is not that key's signature.
    pub fn verify(&self, payload: &[u8], signature: &str) -> Result<(), SigningError> {
        let wrong = SigningError::WrongSignature;
        let signature = STANDARD.decode(signature.trim()).map_err(|_| wrong)?;
        match &self.public {
            Public::Rsa(der) => UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, der)
                .verify(payload, &signature)
                .map_err(|_| wrong),
            Public::Sm2(key) => {
                // DER as Java writes it; the bare pair of numbers as other libraries do.
                let signature = sm2::dsa::Signature::from_der(&signature)
                    .or_else(|_| sm2::dsa::Signature::from_slice(&signature));
                key.verify(payload, &signature.map_err(|_| wrong)?).map_err(|_| wrong)
            }
        }
    }
}

/// Parses the key as a verification would.
fn is_rsa(der: &[u8]) -> bool {
    aws_lc_rs::signature::ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, der).is_ok()
}

/// Without the key.
impl fmt::Debug for SignatureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureKey").field("sn", &self.sn).finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("sn", &self.sn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sm2::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};

    /// The same key at both ends: numbered `sn` at the signer, `other_sn` at the verifier.
    fn sm2_pair(sn: &str, other_sn: &str) -> (SignatureKey, VerifyingKey) {
        let secret = sm2::SecretKey::from_slice(&[0x42; 32]).unwrap();
        let private = secret.to_pkcs8_der().unwrap();
        let public = secret.public_key().to_public_key_pem(sm2::pkcs8::LineEnding::LF).unwrap();
        let own = SignatureKey::from_pkcs8(sn, private.as_bytes()).unwrap();
        (own, VerifyingKey::from_pem(other_sn, &public).unwrap())
    }

    #[test]
    fn sm2_signs_with_the_number_of_the_key_as_the_signers_id() {
        let (own, public) = sm2_pair("a1", "a1");
        let signature = own.sign(b"payload").unwrap();
        assert_eq!(public.verify(b"payload", &signature), Ok(()));
        assert_eq!(public.verify(b"other", &signature), Err(SigningError::WrongSignature));
        let (_, renamed) = sm2_pair("a1", "a2");
        assert_eq!(renamed.verify(b"payload", &signature), Err(SigningError::WrongSignature));
        assert_eq!(public.verify(b"payload", "?"), Err(SigningError::WrongSignature));
    }

    #[test]
    fn what_is_no_key_is_refused_by_name() {
        let not_pem = VerifyingKey::from_pem("1", "x").unwrap_err();
        assert_eq!(not_pem.to_string(), "this is no public key in PEM");
        assert_eq!(SignatureKey::from_pkcs8("1", b"x").unwrap_err(), KeyError::Algorithm);
        let ecdsa = rcgen::KeyPair::generate().unwrap();
        let pem = ecdsa.public_key_pem();
        assert_eq!(VerifyingKey::from_pem("1", &pem).unwrap_err(), KeyError::Algorithm);
        assert!(SignatureKey::from_pem("1", &ecdsa.serialize_pem()).is_err());
    }
}
