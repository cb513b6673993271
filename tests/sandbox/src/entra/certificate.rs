//! Certificates of applications: one to give to the plugin, and those that were registered, as an assertion is checked
//! against them.

use std::io;

use aws_lc_rs::digest;
use jiff::Timestamp;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::der;
use super::jwt::Jwt;

/// A key and its certificate, as somebody would upload one for an application.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The key, PKCS#8.
    pub key_pem: String,
    /// The certificate.
    pub certificate_pem: String,
}

impl ClientCertificate {
    /// A fresh RSA key of 2048 bits, certified by itself from yesterday on for as many days.
    pub fn new(days: i64) -> io::Result<Self> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            .map_err(io::Error::other)?;
        let mut params = CertificateParams::new(Vec::<String>::new()).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, "fleetkey sandbox client");
        let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let day = |offset: i64| {
            let date = today.saturating_add(jiff::Span::new().days(offset));
            rcgen::date_time_ymd(
                date.year().into(),
                date.month().unsigned_abs(),
                date.day().unsigned_abs(),
            )
        };
        (params.not_before, params.not_after) = (day(-1), day(days));
        let certificate = params.self_signed(&key).map_err(io::Error::other)?;
        Ok(Self { key_pem: key.serialize_pem(), certificate_pem: certificate.pem() })
    }

    /// Both in one text, the certificate first.
    pub fn pem(&self) -> String {
        format!("{}{}", self.certificate_pem, self.key_pem)
    }
}

/// A certificate that was registered for an application.
pub(crate) struct Registered(CertificateDer<'static>);

impl Registered {
    /// The first certificate of a PEM text.
    pub(crate) fn from_pem(pem: &str) -> Option<Self> {
        CertificateDer::from_pem_slice(pem.as_bytes()).ok().map(Self)
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn sha1(&self) -> digest::Digest {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.0)
    }

    pub(crate) fn sha256(&self) -> digest::Digest {
        digest::digest(&digest::SHA256, &self.0)
    }

    pub(crate) fn in_time(&self, now: Timestamp) -> bool {
        der::certificate(&self.0)
            .is_some_and(|found| found.not_before <= now && now < found.not_after)
    }

    pub(crate) fn signed(&self, token: &Jwt<'_>) -> bool {
        der::certificate(&self.0).is_some_and(|found| token.signed_by(found.public_key))
    }
}
