//! Files that OpenSSL and Java's keytool wrote, and files that nobody should have written. How they
//! were made stands in `tests/data/README.md`.

use std::path::Path;

use super::*;

const RC2: &[u8] = include_bytes!("../../tests/data/rc2.pfx");
const TRIPLE_DES: &[u8] = include_bytes!("../../tests/data/3des.pfx");
const AES: &[u8] = include_bytes!("../../tests/data/aes.pfx");
const JAVA: &[u8] = include_bytes!("../../tests/data/java.pfx");
const NO_PASSWORD: &[u8] = include_bytes!("../../tests/data/no-password.pfx");
const PLAIN: &[u8] = include_bytes!("../../tests/data/plain.pfx");
const UMLAUT: &[u8] = include_bytes!("../../tests/data/umlaut.pfx");
const EC_PFX: &[u8] = include_bytes!("../../tests/data/ec.pfx");
const PKCS1: &str = include_str!("../../tests/data/pkcs1.pem");
const PKCS8: &str = include_str!("../../tests/data/pkcs8.pem");
const BAGS: &str = include_str!("../../tests/data/bags.pem");
const ENCRYPTED_1: &str = include_str!("../../tests/data/encrypted-pkcs1.pem");
const ENCRYPTED_8: &str = include_str!("../../tests/data/encrypted-pkcs8.pem");
const EC: &str = include_str!("../../tests/data/ec.pem");
const EC_SEC1: &str = include_str!("../../tests/data/ec-sec1.pem");
const STRANGER: &str = include_str!("../../tests/data/stranger.pem");
const CER: &[u8] = include_bytes!("../../tests/data/leaf.cer");

fn read(file: &[u8], password: Option<&str>) -> Result<Certificate> {
    let password = password.map(SecretString::from);
    Certificate::read(file, password.as_ref(), Path::new("app.pem"))
}

#[test]
fn every_kind_of_file_gives_the_same_certificate_key_and_chain() {
    let first = read(PKCS1.as_bytes(), None).unwrap();
    assert_eq!(first.chain().len(), 3);
    assert_eq!(first.chain()[0], CER);
    // as `openssl x509 -fingerprint` says
    let thumbprint = "20F5C874A0191C8E8B24154403096007CA774BC9";
    assert_eq!(first.to_string(), format!("the certificate with thumbprint {thumbprint}"));
    let password = Some("hunter2");
    for (name, file, password, chain) in [
        ("PKCS#8, from the root down", PKCS8.as_bytes(), None, 3),
        ("what openssl pkcs12 -nodes says", BAGS.as_bytes(), None, 3),
        ("a password that nobody asks for", PKCS8.as_bytes(), password, 3),
        ("RC2", RC2, password, 3),
        ("3DES", TRIPLE_DES, password, 3),
        ("AES", AES, password, 3),
        ("keytool", JAVA, password, 3),
        ("the empty password", NO_PASSWORD, None, 1),
        ("the empty password, said", NO_PASSWORD, Some(""), 1),
        ("neither encryption nor MAC", PLAIN, None, 1),
        ("letters beyond ASCII", UMLAUT, Some("pässwörd"), 1),
    ] {
        let one = read(file, password).expect(name);
        assert_eq!(one.chain(), &first.chain()[..chain], "{name}");
        assert_eq!(one.key().as_bytes(), first.key().as_bytes(), "{name}");
    }
}

#[test]
fn a_pfx_file_may_mark_its_ends_and_come_in_pieces() {
    for file in [RC2, AES] {
        let written = indefinite(file);
        assert!(written.windows(2).any(|pair| pair == [0x24, 0x80]) && written != file);
        let one = read(&written, Some("hunter2")).unwrap();
        assert_eq!(one.chain(), read(file, Some("hunter2")).unwrap().chain());
    }
}

/// The same, as writers of BER may put it: no lengths but for what cannot be taken apart, and strings
/// in two pieces. What is in strings stays: the MAC is about that.
fn indefinite(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reader = der::Reader::new(der);
    while let Some(der::Element { tag, content, whole }) = reader.next() {
        if tag & 0x20 != 0 {
            out.extend([tag, 0x80]);
            out.extend(indefinite(content));
            out.extend([0, 0]);
        } else if tag == der::OCTET_STRING && content.len() > 2 {
            let (first, second) = content.split_at(2);
            out.extend([0x24, 0x80, 4, 2]);
            out.extend(first);
            out.extend([4, 0x82]);
            out.extend(u16::try_from(second.len()).unwrap().to_be_bytes());
            out.extend(second);
            out.extend([0, 0]);
        } else {
            out.extend(whole);
        }
    }
    out
}

#[test]
fn lines_may_end_as_they_do_on_windows() {
    let file = format!("\u{feff}{}", PKCS8.replace('\n', "\r\n"));
    assert_eq!(read(file.as_bytes(), None).unwrap().chain().len(), 3);
}

#[test]
fn a_certificate_that_vouches_for_nobody_here_is_left_out() {
    let (_, others) = EC.split_once("-----END PRIVATE KEY-----").unwrap();
    let file = format!("{others}{PKCS8}{PKCS8}");
    assert_eq!(read(file.as_bytes(), None).unwrap().chain().len(), 3);
}

#[test]
fn a_wrong_password_is_told_from_a_missing_one() {
    for file in [RC2, TRIPLE_DES, AES, JAVA] {
        let error = read(file, Some("hunter3")).unwrap_err();
        assert_eq!(error.cause(), Some("it is a PFX file with another password"));
        assert_eq!(error.next_line(), Some("openssl pkcs12 -noout -in app.pem"));
        assert!(error.is_once());
        let error = read(file, None).unwrap_err();
        assert!(error.cause().unwrap().contains("`--client-certificate-password`"), "{error}");
        assert!(!error.is_once());
    }
}

#[test]
fn what_cannot_sign_says_why() {
    let key_alone = &PKCS8[PKCS8.find("-----BEGIN PRIVATE").unwrap()..];
    let no_key = &PKCS8[..PKCS8.find("-----BEGIN PRIVATE").unwrap()];
    let short = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
    let damaged =
        format!("{key_alone}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    for (file, password, cause) in [
        (EC.as_bytes(), None, "its key is not an RSA key, and Entra takes no other"),
        (EC_SEC1.as_bytes(), None, "its key is not an RSA key, and Entra takes no other"),
        (EC_PFX, Some("hunter2"), "its key is not an RSA key, and Entra takes no other"),
        (STRANGER.as_bytes(), None, "its private key belongs to none of its certificates"),
        (key_alone.as_bytes(), None, "it holds a private key without its certificate"),
        (no_key.as_bytes(), None, "it holds a certificate without its private key"),
        (CER, None, "it holds a certificate without its private key"),
        (damaged.as_bytes(), None, "a certificate in it is damaged"),
        (
            format!("{no_key}{short}").as_bytes(),
            None,
            "its key is damaged, or not an RSA key of 2048 to 8192 bits",
        ),
        (b"-----BEGIN ", None, "its PEM text is cut off or damaged"),
        (&PKCS8.as_bytes()[..PKCS8.len() - 30], None, "its PEM text is cut off or damaged"),
        (&PKCS8.as_bytes()[..2000], None, "its PEM text is cut off or damaged"),
        (b"", None, "it is neither PEM text nor a whole PFX file"),
        (b"hunter2", None, "it is neither PEM text nor a whole PFX file"),
    ] {
        let error = read(file, password).unwrap_err();
        assert_eq!(error.message(), "`app.pem` is no certificate to sign in with");
        assert_eq!(error.cause(), Some(cause));
        assert_eq!(error.kind(), fleetkey_provider::Kind::Config);
    }
}

#[test]
fn an_encrypted_key_is_refused_with_the_line_that_makes_a_pfx_of_it() {
    for file in [ENCRYPTED_1, ENCRYPTED_8] {
        let error = read(file.as_bytes(), Some("hunter2")).unwrap_err();
        assert!(error.cause().unwrap().contains("its key is encrypted"), "{error}");
        assert_eq!(error.next_line(), Some("openssl pkcs12 -export -in app.pem -out app.pfx"));
    }
}

#[test]
fn no_file_is_a_panic_and_no_error_shows_what_is_in_it() {
    let check = |file: &[u8]| {
        if let Err(error) = read(file, Some("hunter2")) {
            let text = format!("{error} {:?}", error.next_line());
            assert!(!text.contains("hunter2") && !text.contains("MII"), "{text}");
        }
    };
    for file in [RC2, AES, PLAIN, PKCS1.as_bytes(), PKCS8.as_bytes(), CER] {
        for length in (0..file.len()).step_by(7) {
            check(&file[..length]);
        }
        // every byte of the frame, and some of what it holds
        for at in (0..file.len()).filter(|at| *at < 120 || at % 41 == 0) {
            for bit in [1, 0x80] {
                let mut bent = file.to_vec();
                bent[at] ^= bit;
                check(&bent);
            }
        }
    }
    let huge = [PKCS8.as_bytes(), &vec![b'x'; 1 << 20]].concat();
    assert!(read(&huge, None).is_ok());
    check(&vec![0x30; 1 << 20]);
    check(&[0x30, 0x80].repeat(1 << 19));
    check(&vec![0xff; 1 << 20]);
    check("-----BEGIN PRIVATE KEY-----\n".repeat(10_000).as_bytes());
    check("-----BEGIN ".repeat(50_000).as_bytes());
}
