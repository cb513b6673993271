//! A person who said how they want to be asked: with a code for another device, or on a page that they
//! open themselves. And a note of whether they were asked at all.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use fleetkey_provider::{BoxFuture, Landing, Means, Person, Result, SecretString, SignIn, Visit};
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// How somebody wants to be asked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Insists {
    /// As it comes.
    #[default]
    Nothing,
    /// With a code that is typed on a phone or another machine.
    Codes,
    /// On pages whose address is only shown.
    NoBrowser,
}

/// That person.
pub(crate) struct Insisting {
    person: Box<dyn Person>,
    insists: Insists,
    /// Whether a picture would be seen.
    is_seen: bool,
    /// Whether they said that nobody is to be asked.
    is_never: bool,
    asked: Arc<AtomicUsize>,
}

impl Insisting {
    /// Them, and how often they were asked.
    pub(crate) fn on(
        insists: Insists,
        person: Box<dyn Person>,
        is_seen: bool,
        is_never: bool,
    ) -> (Self, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        (Self { person, insists, is_seen, is_never, asked: Arc::clone(&asked) }, asked)
    }

    fn was_shown(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }
}

impl Person for Insisting {
    fn means(&self) -> Means {
        let means = self.person.means();
        match self.insists {
            _ if self.is_never => means,
            Insists::Nothing => means,
            // whoever says so reads it, on a terminal or not
            Insists::Codes => Means { browser: false, terminal: true, ..means },
            Insists::NoBrowser => Means { browser: true, ..means },
        }
    }

    fn tell(&self, text: &str) {
        self.was_shown();
        self.person.tell(text);
    }

    fn wants_code(&self) -> bool {
        self.insists == Insists::Codes
    }

    fn picture(&self, url: &str) {
        if self.insists == Insists::Codes
            && self.is_seen
            && let Some(picture) = picture(url)
        {
            self.person.draw(&picture);
        }
    }

    fn was_asked(&self) -> bool {
        self.person.was_asked()
    }

    fn ask(&self, prompt: &str) -> Result<SecretString> {
        self.was_shown();
        self.person.ask(prompt)
    }

    fn land(&self, port: Option<u16>) -> Result<Box<dyn Landing>> {
        let landing = self.person.land(port)?;
        self.was_shown();
        Ok(match self.insists {
            Insists::NoBrowser => Box::new(Shown(landing)),
            Insists::Nothing | Insists::Codes => landing,
        })
    }
}

/// A landing whose pages nobody opens but the person.
struct Shown(Box<dyn Landing>);

impl Landing for Shown {
    fn port(&self) -> u16 {
        self.0.port()
    }

    fn visit<'a>(&'a self, visit: &'a Visit) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        Box::pin(async move {
            let visit = Visit { how: SignIn::Terminal, ..visit.clone() };
            self.0.visit(&visit).await
        })
    }
}

/// A URL for a phone's camera: blocks are what is light. `None` if it is longer than a picture holds.
fn picture(url: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(url, EcLevel::L).ok()?;
    // the crate's words are about dark letters
    let (letter, ground) = (Dense1x2::Dark, Dense1x2::Light);
    Some(code.render().dark_color(ground).light_color(letter).quiet_zone(true).build())
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::testing::ScriptedPerson;

    use super::*;

    fn insisting(insists: Insists) -> (Insisting, ScriptedPerson) {
        let person = ScriptedPerson::who(|_| Ok(Vec::new()));
        (Insisting::on(insists, Box::new(person.clone()), true, false).0, person)
    }

    #[test]
    fn who_wants_codes_is_sent_to_no_page_and_sees_a_picture() {
        let (one, person) = insisting(Insists::Codes);
        assert!(!one.means().browser && one.means().terminal && one.wants_code());
        one.tell("type ABC");
        one.picture("https://login.example/device");
        let told = person.told();
        assert_eq!(told[0], "type ABC");
        let lines: Vec<&str> = told[1].lines().collect();
        assert!(lines.len() > 10 && lines.iter().all(|line| line.chars().count() < 80), "{told:?}");
        assert!(lines[0].chars().all(|c| c == '█'), "its margin is light: {told:?}");
        let (other, person) = insisting(Insists::Nothing);
        other.picture("https://login.example/device");
        assert!(person.told().is_empty() && !other.wants_code() && other.means().browser);
    }

    #[test]
    fn a_page_is_only_shown_to_who_wants_no_browser() {
        for (insists, how) in
            [(Insists::NoBrowser, SignIn::Terminal), (Insists::Nothing, SignIn::Browser)]
        {
            let (one, person) = insisting(insists);
            assert!(one.means().browser);
            let landing = one.land(None).unwrap();
            let visit = Visit {
                url: "https://login.example".into(),
                path: "/".into(),
                state: "s".into(),
                purpose: "sign in".into(),
                how: SignIn::Browser,
                limit: std::time::Duration::from_secs(1),
            };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            drop(runtime.block_on(landing.visit(&visit)));
            assert_eq!(person.visits()[0].how, how);
        }
    }
}
