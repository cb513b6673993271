//! A person who does as a test says.

use std::sync::{Arc, Mutex};

use secrecy::SecretString;

use super::guard;
use crate::{BoxFuture, Error, Landing, Means, Person, Result, Visit};

/// What the person's browser brings back for a visit.
pub type Answer = fn(&Visit) -> Result<Vec<(String, String)>>;

/// A person with every means, whose browser comes back with what a test says.
#[derive(Clone, Default)]
pub struct ScriptedPerson {
    answer: Option<Answer>,
    line: Option<&'static str>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    told: Vec<String>,
    prompts: Vec<String>,
    visits: Vec<Visit>,
    ports: Vec<Option<u16>>,
}

impl ScriptedPerson {
    /// One whose browser brings that back.
    pub fn who(answer: Answer) -> Self {
        Self { answer: Some(answer), ..Self::default() }
    }

    /// One who types that line whenever they are asked for one.
    pub fn who_types(line: &'static str) -> Self {
        Self { line: Some(line), ..Self::default() }
    }

    /// What the person was asked to type.
    pub fn prompts(&self) -> Vec<String> {
        guard(&self.seen).prompts.clone()
    }

    /// What the person was told.
    pub fn told(&self) -> Vec<String> {
        guard(&self.seen).told.clone()
    }

    /// The pages that were opened.
    pub fn visits(&self) -> Vec<Visit> {
        guard(&self.seen).visits.clone()
    }

    /// The ports that were asked for.
    pub fn ports(&self) -> Vec<Option<u16>> {
        guard(&self.seen).ports.clone()
    }
}

impl Person for ScriptedPerson {
    fn means(&self) -> Means {
        Means { browser: true, terminal: true, keyboard: true }
    }
    fn tell(&self, text: &str) {
        guard(&self.seen).told.push(text.to_owned());
    }
    fn was_asked(&self) -> bool {
        let seen = guard(&self.seen);
        !seen.told.is_empty() || !seen.visits.is_empty() || !seen.prompts.is_empty()
    }
    fn ask(&self, prompt: &str) -> Result<SecretString> {
        guard(&self.seen).prompts.push(prompt.to_owned());
        self.line.map(SecretString::from).ok_or_else(|| Error::sign_in_needed("nothing was typed"))
    }
    fn land(&self, port: Option<u16>) -> Result<Box<dyn Landing>> {
        guard(&self.seen).ports.push(port);
        Ok(Box::new(self.clone()))
    }
}

impl Landing for ScriptedPerson {
    fn port(&self) -> u16 {
        guard(&self.seen).ports.last().copied().flatten().unwrap_or(49152)
    }
    fn visit<'a>(&'a self, visit: &'a Visit) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        guard(&self.seen).visits.push(visit.clone());
        let answer = self.answer;
        Box::pin(async move {
            answer.map_or_else(|| Err(Error::failed("nobody was scripted")), |say| say(visit))
        })
    }
}
