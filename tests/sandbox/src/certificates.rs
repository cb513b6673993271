//! One authority per sandbox, and the three certificates a service can show: the right one and two that a careful
//! client must refuse.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::route::Service;

/// Which certificate a service shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// Signed by the sandbox's authority, for 127.0.0.1 and localhost.
    #[default]
    Right,
    /// Signed by the sandbox's authority, for another name.
    WrongName,
    /// For 127.0.0.1 and localhost, signed by itself.
    UnknownIssuer,
}

pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    right: Arc<ServerConfig>,
    wrong_name: Arc<ServerConfig>,
    unknown_issuer: Arc<ServerConfig>,
    shown: Mutex<HashMap<Service, Certificate>>,
}

impl Certificates {
    pub(crate) fn new() -> io::Result<Self> {
        let mut params =
            dated(CertificateParams::new(Vec::<String>::new()).map_err(io::Error::other)?);
        params.distinguished_name.push(DnType::CommonName, "fleetkey sandbox authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let ca =
            CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(io::Error::other)?)
                .map_err(io::Error::other)?;
        Ok(Self {
            ca_pem: ca.pem(),
            right: signed(&["127.0.0.1", "localhost"], Some(&ca))?,
            wrong_name: signed(&["sts.example.com"], Some(&ca))?,
            unknown_issuer: signed(&["127.0.0.1", "localhost"], None)?,
            shown: Mutex::default(),
        })
    }

    pub(crate) fn show(&self, service: Service, certificate: Certificate) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).insert(service, certificate);
    }

    pub(crate) fn config(&self, service: Service) -> Arc<ServerConfig> {
        let shown =
            self.shown.lock().unwrap_or_else(PoisonError::into_inner).get(&service).copied();
        Arc::clone(match shown.unwrap_or_default() {
            Certificate::Right => &self.right,
            Certificate::WrongName => &self.wrong_name,
            Certificate::UnknownIssuer => &self.unknown_issuer,
        })
    }
}

fn signed(
    names: &[&str],
    issuer: Option<&CertifiedIssuer<'_, KeyPair>>,
) -> io::Result<Arc<ServerConfig>> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = dated(CertificateParams::new(names).map_err(io::Error::other)?);
    params.distinguished_name.push(DnType::CommonName, "fleetkey sandbox");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    let chain = vec![CertificateDer::from(certificate.map_err(io::Error::other)?.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(io::Error::other)?
    .with_no_client_auth()
    .with_single_cert(chain, key)
    .map_err(io::Error::other)?;
    Ok(Arc::new(config))
}

/// A year and a month around now: some platforms refuse servers with longer-lived certificates.
fn dated(mut params: CertificateParams) -> CertificateParams {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let day = |date: jiff::civil::Date| {
        rcgen::date_time_ymd(
            date.year().into(),
            date.month().unsigned_abs(),
            date.day().unsigned_abs(),
        )
    };
    params.not_before = day(today.saturating_sub(30.days()));
    params.not_after = day(today.saturating_add(365.days()));
    params
}
