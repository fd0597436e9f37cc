//! Verifies what a client shows against the CAs of a bundle.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{TlsError, server_config::provider};
use crate::base::client_ca::ClientCa;

/// A certificate is welcome and never demanded: who shows none may still have a key.
///
/// Each CA has a verifier of its own, because rustls takes its roots without a look at their
/// end: a CA that has ended is left out at the moment of each handshake.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    authorities: Vec<(ClientCa, Arc<dyn ClientCertVerifier>)>,
    hints: Vec<DistinguishedName>,
    provider: Arc<CryptoProvider>,
}

impl ClientVerifier {
    pub(super) fn new(authorities: Vec<ClientCa>) -> Result<Self, TlsError> {
        let provider = provider();
        let hints = authorities.iter().flat_map(|ca| ca.roots.subjects()).collect();
        let authorities = authorities
            .into_iter()
            .map(|ca| {
                let roots = Arc::clone(&ca.roots);
                let built =
                    WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
                        .allow_unauthenticated()
                        .build();
                let failed = |error: rustls::server::VerifierBuilderError| {
                    TlsError::Setup(Error::General(error.to_string()))
                };
                Ok((ca, built.map_err(failed)?))
            })
            .collect::<Result<_, TlsError>>()?;
        Ok(Self { authorities, hints, provider })
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // "Of an unknown issuer" is what every CA but the right one says.
        let mut reason = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        for (_, verifier) in self.authorities.iter().filter(|(ca, _)| ca.is_valid_at(now)) {
            match verifier.verify_client_cert(end_entity, intermediates, now) {
                Ok(verified) => return Ok(verified),
                Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {}
                Err(error) => reason = error,
            }
        }
        Err(reason)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

    use super::*;
    use crate::base::client_ca::authorities_of;

    #[test]
    fn a_ca_that_has_ended_vouches_for_nobody() {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.not_after = date_time_ymd(2030, 1, 1);
        let pem = ca.self_signed(&ca_key).unwrap().pem();
        let mut leaf = CertificateParams::default();
        leaf.not_after = date_time_ymd(2040, 1, 1);
        let issuer = Issuer::new(ca, ca_key);
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let verifier = ClientVerifier::new(authorities_of(pem.as_bytes()).unwrap()).unwrap();
        let at = |s| {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(s));
            verifier.verify_client_cert(leaf.der(), &[], now)
        };
        assert!(at(1_800_000_000).is_ok());
        let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        assert_eq!(at(1_900_000_000).unwrap_err(), unknown);
        assert_eq!(verifier.root_hint_subjects().len(), 1);
        assert!(!verifier.client_auth_mandatory() && verifier.offer_client_auth());
    }
}
