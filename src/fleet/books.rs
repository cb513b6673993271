//! What is there already, looked up once: credentials that are kept, and how sessions stand. From that,
//! what the next call of a context will do.
//!
//! Nothing is asked and nothing is written. A session that several contexts share is one file, and a
//! credential is one, too: a thousand contexts cost no more than what they share.

use std::{collections::HashMap, path::PathBuf};

use fleetkey_provider::{
    Credential, Error, Fingerprint, Means, Request, Result, SessionState, SignIn,
};
use jiff::Timestamp;

use super::Question;
use crate::{
    World,
    broker::{Foresight, Obstacle, serves_on},
    cache::Cache,
    options::CacheUse,
};

/// What was looked up so far.
pub(crate) struct Books<'a> {
    world: &'a World,
    now: Timestamp,
    /// How a person may be asked: the same for all, and looked for once.
    means: Means,
    credentials: HashMap<(Option<PathBuf>, Fingerprint), Option<Kept>>,
    sessions: HashMap<Fingerprint, SessionState>,
    /// What is remembered about asking, where it counts.
    memory: Option<Foresight<'a>>,
}

/// How a context stands.
#[derive(Clone, Debug)]
pub(crate) struct Outlook {
    /// The session it stands on, if it does on one.
    pub(crate) session: SessionState,
    /// Until when the credential serves that is there.
    pub(crate) credential: Option<Timestamp>,
    /// What the next call will do.
    pub(crate) next: Next,
}

/// What a call will do.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// Use what is kept.
    Kept,
    /// Use keys that lie about, which need no keeping.
    AtHand,
    /// Ask the cloud, for a session that stands.
    Renew,
    /// Have a person sign in, in that way.
    Ask(SignIn),
    /// Ask the cloud, for a machine.
    Machine,
    /// Fail.
    Cannot(Obstacle),
}

/// A credential that may be used.
#[derive(Clone, Copy, Debug)]
struct Kept {
    until: Option<Timestamp>,
    /// Whether a call answers with it, and asks for no other.
    is_enough: bool,
}

impl Next {
    /// The word for programs.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::AtHand => "at-hand",
            Self::Renew => "renew",
            Self::Ask(_) => "ask",
            Self::Machine => "machine",
            Self::Cannot(_) => "cannot",
        }
    }

    /// Whether nobody has to be asked, and nothing fails as far as it can be told.
    pub(crate) fn is_silent(&self) -> bool {
        !matches!(self, Self::Ask(_) | Self::Cannot(_))
    }
}

impl<'a> Books<'a> {
    /// Nothing is looked up yet. Whoever signs in by hand is held up by no memory, and none is looked at.
    pub(crate) fn new(world: &'a World) -> Self {
        let (now, means) = (world.host.clock.now(), world.host.person.means());
        let (credentials, sessions) = (HashMap::new(), HashMap::new());
        Self { world, now, means, credentials, sessions, memory: None }
    }

    /// The same for a call that nobody makes by hand: what people did not do of late holds it up.
    pub(crate) fn with_memory(self) -> Self {
        Self { memory: Some(Foresight::new(self.world)), ..self }
    }

    /// How a context stands.
    pub(crate) fn outlook(&mut self, question: &Question) -> Outlook {
        let request = &*question.request;
        let session = self.standing(request, question);
        let (credential, next) = match self.credential(request, question) {
            Err(error) => (None, Next::Cannot(error.into())),
            Ok(Some(kept)) if kept.is_enough && is_at_hand(request) => (kept.until, Next::AtHand),
            Ok(Some(kept)) if kept.is_enough => (kept.until, Next::Kept),
            Ok(found) => {
                let ease = self.ease(request, question);
                let until = found.and_then(|kept| kept.until);
                match found {
                    // what still works is used where it cannot be renewed
                    Some(_) if !ease.is_silent() => (until, Next::Kept),
                    _ => (until, ease),
                }
            }
        };
        Outlook { session, credential, next }
    }

    /// How somebody would sign in whose session is over, whatever still serves that was lent for it.
    pub(crate) fn signs_in_anew(&mut self, question: &Question) -> Option<SignIn> {
        let request = &*question.request;
        if !matches!(self.standing(request, question), SessionState::SignedOut(_)) {
            return None;
        }
        let is_over = |step: &&dyn Request| matches!(self.state(*step), SessionState::SignedOut(_));
        let over: Vec<_> = super::steps(request).filter(is_over).collect();
        over.into_iter().find_map(|step| step.how(self.means))
    }

    /// How the session stands that the question's credential is lent for: the first of its chain.
    fn standing(&mut self, request: &dyn Request, question: &Question) -> SessionState {
        for step in super::steps(request) {
            let state = self.state(step);
            if state == SessionState::None {
                continue;
            }
            // a code that was typed is kept as the credential it brought
            if let (SessionState::SignedOut(_), Ok(Some(Kept { until, .. }))) =
                (&state, self.credential(step, question))
                && step.source().is_some()
            {
                let standing = fleetkey_provider::Standing { until, ..Default::default() };
                return SessionState::SignedIn(standing);
            }
            return state;
        }
        SessionState::None
    }

    /// What it takes to obtain a credential that is not there.
    fn ease(&mut self, step: &dyn Request, question: &Question) -> Next {
        let state = self.state(step);
        if !matches!(state, SessionState::SignedIn(_))
            && let Some(source) = step.source()
        {
            // what a role stands on, and keys that a code is added to
            let below = self.source_ease(source, question);
            if !below.is_silent() {
                return below;
            }
        }
        let memory = self.memory.as_mut();
        let held = memory.and_then(|all| all.in_place_of_the_cloud(step, &question.folders));
        let stands = match &state {
            SessionState::SignedIn(standing) => {
                standing.renews || standing.until.is_none_or(|end| end > self.now)
            }
            SessionState::SignedOut(_) => false,
            SessionState::None => true,
        };
        if let Some(obstacle) = held {
            match step.how(self.means) {
                Some(how) if obstacle.is_for_a_person() => {
                    return self.unless_asked(how, step, question);
                }
                // where nobody can be asked, it does not help to wait
                None if obstacle.is_for_a_person() && !stands => {}
                _ => return Next::Cannot(obstacle),
            }
        }
        match state {
            SessionState::None if step.session().is_none() => Next::Machine,
            _ if stands => Next::Renew,
            SessionState::SignedOut(why) => self.ask(step, question, &why),
            _ => self.ask(step, question, "the session is over"),
        }
    }

    /// The same for a source, whose credential may be there.
    fn source_ease(&mut self, source: &dyn Request, question: &Question) -> Next {
        match self.credential(source, question) {
            Err(error) => Next::Cannot(error.into()),
            Ok(Some(_)) => Next::Kept,
            Ok(None) => self.ease(source, question),
        }
    }

    fn ask(&mut self, step: &dyn Request, question: &Question, why: &str) -> Next {
        if let Some(flaw) = step.session_flaw(&self.world.host) {
            return Next::Cannot(flaw.into());
        }
        if let Some(how) = step.how(self.means) {
            return self.unless_asked(how, step, question);
        }
        let error = Error::sign_in_needed(why).because("nobody can be asked here");
        let error = match step.sign_in_line() {
            Some(line) => error.next(line),
            None => error,
        };
        Next::Cannot(error.into())
    }

    /// Whoever did not sign in a moment ago is not asked again.
    fn unless_asked(&mut self, how: SignIn, step: &dyn Request, question: &Question) -> Next {
        let memory = self.memory.as_mut();
        let asked = memory.and_then(|all| all.in_place_of_asking(step, &question.folders));
        asked.map_or(Next::Ask(how), Next::Cannot)
    }

    fn state(&mut self, step: &dyn Request) -> SessionState {
        let host = &self.world.host;
        match step.session() {
            // steps of one chain have one session, and it is the own of one of them: told apart by what
            // they call themselves, where that is who signs in
            Some(session) if step.source().is_none() => self
                .sessions
                .entry(session.fingerprint())
                .or_insert_with(|| step.session_state(host))
                .clone(),
            _ => step.session_state(host),
        }
    }

    /// The credential of a step, if it may be used.
    fn credential(&mut self, step: &dyn Request, question: &Question) -> Result<Option<Kept>> {
        let cache = question.options.cache;
        let folder = question.folders.cache.clone().filter(|_| cache != CacheUse::None);
        let key = (folder, step.fingerprint());
        if let Some(known) = self.credentials.get(&key) {
            return Ok(*known);
        }
        let (host, now) = (&self.world.host, self.now);
        let at_hand = match cache {
            CacheUse::None if step.session().is_some() => None,
            _ => step.at_hand(host)?,
        };
        let found = at_hand.or_else(|| {
            let store = self.world.store(&key.0.as_ref()?.join(step.provider()));
            let cache = Cache { store: &*store, notes: &*host.notes };
            cache.read(key.1).filter(|kept| kept.is_alive(now) && step.still_ours(kept, host))
        });
        let serves = |step: &dyn Request, found: &Credential| {
            let Question { ours, options, .. } = question;
            serves_on(&ours.args, options, step, found, self.world)
        };
        let kept = found.map(|found| Kept {
            until: found.expires(),
            // who does something by hand waits for what is new
            is_enough: found.is_fresh(now) || self.memory.is_some() && serves(step, &found),
        });
        self.credentials.insert(key, kept);
        Ok(kept)
    }
}

/// Whether what is there are keys that stand on nobody's session and were lent by nobody.
fn is_at_hand(request: &dyn Request) -> bool {
    request.session().is_none() && request.source().is_none()
}
