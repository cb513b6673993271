//! A sign-in on any device: the page shows a code, which is typed here.
//!
//! Unlike a code that is typed on a page, nobody else can start it: what is typed has to fit the page
//! that was shown here, and is worth something only to whoever made that.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use fleetkey_provider::{Error, ExposeSecret, Host, Result, SecretString, shown};
use url::form_urlencoded;

use super::{
    oauth::OAuth,
    page::{Brought, Page},
    session::Session,
};

/// Shows where the page is, and has its code typed.
pub(super) fn ask(session: &Session, oauth: &OAuth<'_>, host: &Host) -> Result<Brought> {
    // a page of the service itself, which shows the code
    let redirect = oauth.target.endpoint.at("/v1/sessions/confirmation", &[]).as_str().to_owned();
    let page = Page::new("arn:aws:signin:::devtools/cross-device", redirect, oauth, host)?;
    host.person.tell(&format!(
        "To sign in to AWS as {}, open\n{}\nand type here the code that the page shows.\n\n\
         It lets fleetkey on this machine act for you in AWS.\n\
         The code is for this terminal alone: give it to nobody else.",
        session.told(),
        // it is made here, and is of no use if it is cut
        page.url,
    ));
    host.person.picture(&page.url);
    let line = host.person.ask(PROMPT).map_err(|error| oauth.with_line(error))?;
    match fields(&line) {
        Some(fields) => page.code(&fields, oauth),
        None => Err(oauth.with_line(
            Error::sign_in_needed("what was typed is not the code of the page").because(format!(
                "the page of {} shows a long word, to be typed whole",
                shown(&oauth.target.endpoint.origin())
            )),
        )),
    }
}

/// What a page shows: a query in Base64.
fn fields(line: &SecretString) -> Option<Vec<(String, String)>> {
    let word: String = line.expose_secret().split_whitespace().collect();
    let query = BASE64.decode(word.replace('-', "+").replace('_', "/")).ok()?;
    let fields: Vec<_> = form_urlencoded::parse(&query).into_owned().collect();
    fields.iter().any(|(name, _)| name == "state").then_some(fields)
}

/// With its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const PROMPT: &str = "Code of the page: ";
