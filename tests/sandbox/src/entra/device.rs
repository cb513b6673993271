//! Device codes: what a program shows, what a person types elsewhere, and what the program hears meanwhile.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::errors::{Refusal, Result};
use super::scope::{Endpoint, Wanted};
use super::tenancy::Tenancy;
use crate::random;

/// A device code that waits for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What the person types.
    pub user_code: String,
    /// The program that asks.
    pub client_id: String,
    /// Where it asked: a tenant's GUID, `organizations` or `common`.
    pub tenant: String,
}

/// All that were ever handed out, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    /// Seconds between two polls, if not one.
    pub(crate) interval: Option<u32>,
    codes: Vec<Waiting>,
}

#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) device: Device,
    pub(crate) tenancy: Tenancy,
    pub(crate) wanted: Wanted,
    pub(crate) claims: Option<Value>,
    device_code: String,
    expires: Timestamp,
    interval: u32,
    polled: Option<Timestamp>,
    slow_down: bool,
    answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    None,
    Approved(String),
    Declined,
    Expired,
    Redeemed,
}

impl Devices {
    /// A new code, and the answer that names it.
    pub(crate) fn issue(
        &mut self,
        client_id: &str,
        tenancy: &Tenancy,
        wanted: Wanted,
        claims: Option<Value>,
        now: Timestamp,
    ) -> Value {
        let user_code = random::letters(9);
        let device_code =
            format!("{}{}", user_code, random::base64(150).replace(['+', '/', '='], "-"));
        let interval = self.interval.unwrap_or(1);
        let v1 = wanted.endpoint == Endpoint::V1;
        let mut body = json!({
            "device_code": device_code,
            "message": format!(
                "To sign in, use a web browser to open the page {PAGE} and enter the code {user_code} to authenticate."
            ),
            "user_code": user_code,
        });
        // The older endpoint writes numbers as strings and has its own name for the page.
        body[if v1 { "verification_url" } else { "verification_uri" }] = PAGE.into();
        for (name, number) in [("expires_in", LIFE.as_secs()), ("interval", interval.into())] {
            body[name] = if v1 { number.to_string().into() } else { number.into() };
        }
        self.codes.push(Waiting {
            device: Device {
                user_code,
                client_id: client_id.to_owned(),
                tenant: tenancy.name().to_owned(),
            },
            tenancy: tenancy.clone(),
            wanted,
            claims,
            device_code,
            expires: now.saturating_add(LIFE).unwrap_or(Timestamp::MAX),
            interval,
            polled: None,
            slow_down: false,
            answer: Answer::None,
        });
        body
    }

    /// Those that nobody has answered yet.
    pub(crate) fn waiting(&self, now: Timestamp) -> Vec<Device> {
        let waiting =
            self.codes.iter().filter(|code| code.answer == Answer::None && code.expires > now);
        waiting.map(|code| code.device.clone()).collect()
    }

    /// A code that waits, by what a person typed.
    pub(crate) fn find(&self, user_code: &str, now: Timestamp) -> Option<Waiting> {
        let mut codes = self.codes.iter();
        codes.find(|code| code.device.user_code == user_code && code.open(now)).cloned()
    }

    pub(crate) fn approve(&mut self, user_code: &str, username: &str) {
        self.answer(user_code, &Answer::Approved(username.to_owned()));
    }

    pub(crate) fn decline(&mut self, user_code: &str) {
        self.answer(user_code, &Answer::Declined);
    }

    pub(crate) fn expire(&mut self, user_code: &str) {
        self.answer(user_code, &Answer::Expired);
    }

    pub(crate) fn slow_down(&mut self, user_code: &str) {
        for code in self.codes.iter_mut().filter(|code| code.device.user_code == user_code) {
            code.slow_down = true;
        }
    }

    /// What a poll is told: who signed in, once, or why there is no answer yet.
    pub(crate) fn poll(
        &mut self,
        device_code: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<(Waiting, String)> {
        let found = self.codes.iter_mut().find(|code| code.device_code == device_code);
        let Some(code) = found.filter(|code| code.answer != Answer::Redeemed) else {
            return Err(Refusal::new(
                70018,
                "Invalid verification code: the device code is unknown or was already used.",
            ));
        };
        if !code.device.client_id.eq_ignore_ascii_case(client_id) {
            return Err(Refusal::new(700_007, "The grant was issued for a different client id."));
        }
        if code.answer == Answer::Expired || code.expires <= now {
            return Err(Refusal::new(70020, "The device code has expired."));
        }
        match &code.answer {
            Answer::Approved(username) => {
                let username = username.clone();
                code.answer = Answer::Redeemed;
                Ok((code.clone(), username))
            }
            Answer::Declined => {
                Err(Refusal::new(70018, "The person declined to sign in on this device.")
                    .with_error("authorization_declined"))
            }
            _ => Err(code.not_yet(now)),
        }
    }

    fn answer(&mut self, user_code: &str, answer: &Answer) {
        for code in self.codes.iter_mut().filter(|code| code.device.user_code == user_code) {
            if code.answer == Answer::None {
                code.answer = answer.clone();
            }
        }
    }
}

impl Waiting {
    fn open(&self, now: Timestamp) -> bool {
        self.answer == Answer::None && self.expires > now
    }

    /// Whoever asks too soon waits five seconds more each time (RFC 8628, section 3.5).
    fn not_yet(&mut self, now: Timestamp) -> Refusal {
        let pause = SignedDuration::from_secs(self.interval.into()) - SLACK;
        let last = self.polled.replace(now);
        let early = last.is_some_and(|last| now.duration_since(last) < pause);
        if std::mem::take(&mut self.slow_down) || early {
            self.interval += 5;
            return Refusal::new(70016, "OAuth 2.0 device flow error. Polling too fast.")
                .with_error("slow_down");
        }
        Refusal::new(
            70016,
            "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        )
    }
}

const PAGE: &str = "https://microsoft.com/devicelogin";
const LIFE: SignedDuration = SignedDuration::from_mins(15);
/// A request may overtake the one before it by a little.
const SLACK: SignedDuration = SignedDuration::from_millis(200);
