//! Signature version 4, written from its specification for the judge's side alone.
//!
//! The plugin signs with Amazon's crate. If this file used it too, a wrong setting would be wrong on both sides and no
//! test would see it.

use aws_lc_rs::{digest, hmac};
use url::form_urlencoded;

use crate::http::Request;
use crate::random::hex;

/// Where and for what a key may be used: `DATE/REGION/SERVICE/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) terminator: String,
}

impl Scope {
    /// `KEY/DATE/REGION/SERVICE/TERMINATOR`; a key id has no slash.
    pub(crate) fn parse(credential: &str) -> Option<(String, Self)> {
        let parts: Vec<&str> = credential.split('/').collect();
        let &[key, date, region, service, terminator] = parts.as_slice() else { return None };
        let [date, region, service, terminator] =
            [date, region, service, terminator].map(str::to_owned);
        Some((key.to_owned(), Self { date, region, service, terminator }))
    }
}

/// The signature this request should carry.
pub(crate) fn signature(
    secret: &str,
    scope: &Scope,
    date: &str,
    signed_headers: &[String],
    request: &Request,
) -> String {
    let Scope { date: day, region, service, terminator } = scope;
    let canonical = digest(canonical_request(signed_headers, request).as_bytes());
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{date}\n{day}/{region}/{service}/{terminator}\n{canonical}");
    let key = [day, region, service, terminator]
        .into_iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| sign(&key, part.as_bytes()));
    hex(&sign(&key, to_sign.as_bytes()))
}

/// RFC 3986: all but `A-Z a-z 0-9 - _ . ~`, in upper-case hexadecimal.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
        encoded
    })
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn canonical_request(signed_headers: &[String], request: &Request) -> String {
    let mut query: Vec<(String, String)> = form_urlencoded::parse(request.query().as_bytes())
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encode(&name), encode(&value)))
        .collect();
    query.sort();
    let query: Vec<String> =
        query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut lines = vec![request.method.clone(), canonical_path(request.path()), query.join("&")];
    for name in signed_headers {
        let values = request.headers.iter().filter(|(key, _)| key == name);
        let values: Vec<String> = values.map(|(_, value)| single_spaced(value)).collect();
        lines.push(format!("{name}:{}", values.join(",")));
    }
    lines.extend([String::new(), signed_headers.join(";"), digest(&request.body)]);
    lines.join("\n")
}

/// The path without dots and doubled slashes, encoded once more than it came: only S3 signs it as it is.
fn canonical_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    let parts: Vec<String> = parts.into_iter().map(encode).collect();
    format!("/{}{end}", parts.join("/"))
}

fn single_spaced(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the specification (`GET /?Param1=value1&Param2=value2`, known as get-vanilla-query-order).
    #[test]
    fn the_published_example() {
        let request = Request {
            method: "GET".into(),
            target: "/?Param2=value2&Param1=value1".into(),
            headers: vec![
                ("host".into(), "example.amazonaws.com".into()),
                ("x-amz-date".into(), "20150830T123600Z".into()),
            ],
            body: Vec::new(),
        };
        let (key, scope) =
            Scope::parse("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request").unwrap();
        assert_eq!(key, "AKIDEXAMPLE");
        let signed = ["host".to_owned(), "x-amz-date".to_owned()];
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let signature = signature(secret, &scope, "20150830T123600Z", &signed, &request);
        assert_eq!(signature, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    }

    #[test]
    fn percent_encoding_is_rfc_3986() {
        assert_eq!(encode("a-_.~/+ =é"), "a-_.~%2F%2B%20%3D%C3%A9");
    }

    /// The cases of the published test suite for paths.
    #[test]
    fn a_path_is_tidied_and_encoded_once_more() {
        for (path, canonical) in [
            ("/", "/"),
            ("/clusters/a-b_c", "/clusters/a-b_c"),
            ("/example/..", "/"),
            ("/example1/example2/../..", "/"),
            ("/./", "/"),
            ("/./example", "/example"),
            ("//", "/"),
            ("//example//", "/example/"),
            ("/example%20space/", "/example%2520space/"),
        ] {
            assert_eq!(canonical_path(path), canonical, "{path}");
        }
    }

    #[test]
    fn a_scope_has_five_parts() {
        assert!(Scope::parse("AK/20150830/us-east-1/sts").is_none());
        assert!(Scope::parse("AK/20150830/us-east-1/sts/aws4_request/more").is_none());
    }
}
