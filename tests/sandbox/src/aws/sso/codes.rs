//! Pages that people sign in on, and the codes that come of it: each is good once, for ten minutes, for the client that
//! opened the page and knows what its challenge was made of.

use std::collections::HashMap;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::random;

/// What a program wants of a person.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) state: Option<String>,
}

/// What a program brings for a code.
pub(super) struct Brought<'a> {
    pub(super) code: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) verifier: &'a str,
}

/// Pages that nobody answered yet, and codes.
#[derive(Debug, Default)]
pub(super) struct Codes {
    pages: HashMap<String, Asked>,
    issued: HashMap<String, Code>,
}

#[derive(Debug)]
struct Code {
    asked: Asked,
    user: String,
    issued: Timestamp,
}

impl Codes {
    /// The id of a page on which that is asked.
    pub(super) fn page(&mut self, asked: Asked) -> String {
        let id = random::uuid();
        self.pages.insert(id.clone(), asked);
        id
    }

    /// What was asked on that page, once.
    pub(super) fn answered(&mut self, page: &str) -> Option<Asked> {
        self.pages.remove(page)
    }

    pub(super) fn issue(&mut self, asked: Asked, user: &str, now: Timestamp) -> String {
        let code = random::base64(300).replace('+', "-").replace('/', "_");
        self.issued.insert(code.clone(), Code { asked, user: user.to_owned(), issued: now });
        code
    }

    /// Who signed in. Whoever brings a code uses it up, however wrong the rest is.
    pub(super) fn redeem(
        &mut self,
        client: &str,
        brought: &Brought<'_>,
        now: Timestamp,
    ) -> Option<String> {
        let Brought { code, redirect_uri, verifier } = brought;
        let Code { asked, user, issued } = self.issued.remove(*code)?;
        let is_fresh = issued.saturating_add(LIFE).unwrap_or(Timestamp::MAX) > now;
        let made = digest::digest(&digest::SHA256, verifier.as_bytes());
        let is_proven = well_formed(verifier) && URL_SAFE_NO_PAD.encode(made) == asked.challenge;
        let is_theirs = asked.client == client && asked.redirect_uri == *redirect_uri;
        (is_fresh && is_proven && is_theirs).then_some(user)
    }
}

/// 43 to 128 unreserved characters (RFC 7636, section 4.1).
fn well_formed(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

const LIFE: SignedDuration = SignedDuration::from_mins(10);
