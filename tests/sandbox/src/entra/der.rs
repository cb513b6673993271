//! As much DER as it takes to find the key and the dates in a certificate, and the numbers in an RSA key.

use jiff::Timestamp;

/// What a certificate says that matters here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Certificate<'a> {
    /// `SubjectPublicKeyInfo`, whole.
    pub(crate) public_key: &'a [u8],
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

/// Reads a certificate (RFC 5280, section 4.1).
pub(crate) fn certificate(der: &[u8]) -> Option<Certificate<'_>> {
    let (_, certificate, _) = element(der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    if element(rest)?.0 == VERSION {
        rest = element(rest)?.2;
    }
    rest = element(rest)?.2; // serial number
    rest = element(rest)?.2; // signature algorithm
    rest = element(rest)?.2; // issuer
    let (_, dates, rest) = element(rest)?;
    let (from_tag, from, until) = element(dates)?;
    let (until_tag, until, _) = element(until)?;
    let rest = element(rest)?.2; // subject
    let after = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?.2;
    Some(Certificate {
        public_key: &rest[..rest.len() - after.len()],
        not_before: moment(from_tag, from)?,
        not_after: moment(until_tag, until)?,
    })
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017, appendix A.1.1), as JWK wants them: without leading zeros.
pub(crate) fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, numbers, _) = element(der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, modulus, rest) = element(numbers)?;
    let (_, exponent, _) = element(rest)?;
    let bare = |number: &[u8]| number.iter().position(|&byte| byte != 0).unwrap_or(number.len());
    Some((&modulus[bare(modulus)..], &exponent[bare(exponent)..]))
}

/// Tag, content, and what comes after.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (digits, rest) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
        (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `UTCTime` with its two digits for the year, or `GeneralizedTime`.
fn moment(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        0x17 if *text.as_bytes().first()? < b'5' => format!("20{text}"),
        0x17 => format!("19{text}"),
        _ => text.to_owned(),
    };
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

#[cfg(test)]
mod tests {
    #[test]
    fn dates_and_key_of_a_certificate() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["a".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2024, 2, 29);
        params.not_after = rcgen::date_time_ymd(2051, 1, 2);
        let certificate = params.self_signed(&key).unwrap();
        let found = super::certificate(certificate.der()).unwrap();
        assert_eq!(found.not_before, "2024-02-29T00:00:00Z".parse().unwrap());
        assert_eq!(found.not_after, "2051-01-02T00:00:00Z".parse().unwrap());
        assert_eq!(found.public_key, rcgen::PublicKeyData::subject_public_key_info(&key));
        for length in [0, 1, 2, 50, certificate.der().len() - 1] {
            assert_eq!(super::certificate(&certificate.der()[..length]), None, "{length}");
        }
    }
}
