//! The keys of an account.

use std::{collections::VecDeque, fmt};

use aws_lc_rs::{encoding::AsDer as _, rsa};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::wechat::{
    api_cipher::{CipherKind, KeyError, SymmetricKey},
    api_signature::{SignatureKey, VerifyingKey},
    api_signing::SigningError,
};

/// What the console holds: the account's two keys, and the platform's own for this account.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Signing {
    symmetric: Option<Symmetric>,
    application: Option<Application>,
    platform: Option<PlatformKey>,
    /// The one before, while certificates change.
    deprecated: Option<PlatformKey>,
    /// `_n` of the latest requests.
    nonces: VecDeque<String>,
}

/// As control gives it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Symmetric {
    sn: String,
    /// Base64.
    key: String,
    kind: CipherKind,
}

/// As control gives it: the public key with which requests are verified.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    sn: String,
    public_key_pem: String,
}

/// The key that signs answers.
#[derive(Clone, Serialize, Deserialize)]
struct PlatformKey {
    sn: String,
    certificate_pem: String,
    /// PKCS#8 in Base64.
    private: String,
}

impl Signing {
    /// Takes the account's key for encryption.
    pub(super) fn set_symmetric(&mut self, symmetric: Symmetric) -> Result<(), KeyError> {
        SymmetricKey::new(symmetric.kind, &symmetric.sn, &symmetric.key)?;
        self.symmetric = Some(symmetric);
        Ok(())
    }

    /// Takes the account's key for signatures.
    pub(super) fn set_application(&mut self, application: Application) -> Result<(), KeyError> {
        VerifyingKey::from_pem(&application.sn, &application.public_key_pem)?;
        self.application = Some(application);
        Ok(())
    }

    /// Whether answers can be signed.
    pub(super) fn has_platform_key(&self) -> bool {
        self.platform.is_some()
    }

    /// Makes a key with its certificate; the one before goes on signing beside it.
    pub(super) fn renew_platform_key(&mut self, sn: String) -> Result<(), String> {
        let fresh = PlatformKey::generate(sn)?;
        self.deprecated = self.platform.replace(fresh);
        Ok(())
    }

    /// The key before signs no more.
    pub(super) fn retire_deprecated(&mut self) {
        self.deprecated = None;
    }

    /// For encryption, both ways: 40238.
    pub(super) fn symmetric(&self) -> Result<SymmetricKey, SigningError> {
        let own = self.symmetric.as_ref().ok_or(SigningError::NoSymmetricKey)?;
        let key = SymmetricKey::new(own.kind, &own.sn, &own.key);
        key.map_err(|_| SigningError::NoSymmetricKey)
    }

    /// For requests: 40239.
    pub(super) fn application(&self) -> Result<VerifyingKey, SigningError> {
        let own = self.application.as_ref().ok_or(SigningError::NoPublicKey)?;
        let key = VerifyingKey::from_pem(&own.sn, &own.public_key_pem);
        key.map_err(|_| SigningError::NoPublicKey)
    }

    /// For answers: the current key, and the one before while it still signs.
    pub(super) fn platform(&self) -> (Option<SignatureKey>, Option<SignatureKey>) {
        let key = |key: &Option<PlatformKey>| key.as_ref().and_then(PlatformKey::signature_key);
        (key(&self.platform), key(&self.deprecated))
    }

    /// Remembers `_n` of a request; false if it came before.
    pub(super) fn note_nonce(&mut self, nonce: &str) -> bool {
        if self.nonces.iter().any(|known| known == nonce) {
            return false;
        }
        if self.nonces.len() == MOST_NONCES {
            self.nonces.pop_front();
        }
        self.nonces.push_back(nonce.chars().take(MOST_NONCE_CHARACTERS).collect());
        true
    }

    /// Without anything that is secret.
    pub(in crate::sandbox) fn to_json(&self) -> Value {
        let symmetric = |own: &Symmetric| json!({ "sn": own.sn, "kind": own.kind });
        json!({
            "symmetric": self.symmetric.as_ref().map(symmetric),
            "application": self.application.as_ref().map(|own| {
                json!({ "sn": own.sn, "public_key_pem": own.public_key_pem })
            }),
            "platform": self.platform.as_ref().map(PlatformKey::to_json),
            "deprecated": self.deprecated.as_ref().map(PlatformKey::to_json),
        })
    }
}

impl PlatformKey {
    fn generate(sn: String) -> Result<Self, String> {
        let no_key = || "the system cannot make an RSA key".to_owned();
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(|_| no_key())?;
        let private = key.as_der().map_err(|_| no_key())?;
        let pair = KeyPair::try_from(private.as_ref()).map_err(|error| error.to_string())?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "wxgate sandbox platform");
        let certificate = params.self_signed(&pair).map_err(|error| error.to_string())?;
        let certificate_pem = certificate.pem();
        Ok(Self { sn, certificate_pem, private: STANDARD.encode(private.as_ref()) })
    }

    fn signature_key(&self) -> Option<SignatureKey> {
        let private = STANDARD.decode(&self.private).ok()?;
        SignatureKey::from_pkcs8(&self.sn, &private).ok()
    }

    fn to_json(&self) -> Value {
        json!({ "sn": self.sn, "certificate_pem": self.certificate_pem })
    }
}

/// Without the keys.
impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").finish_non_exhaustive()
    }
}

/// Enough for every request of five busy minutes in a test.
const MOST_NONCES: usize = 10_000;
const MOST_NONCE_CHARACTERS: usize = 128;
