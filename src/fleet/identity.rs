//! Contexts put together by who signs in.

use std::collections::HashMap;

use fleetkey_provider::{Fingerprint, Request, SessionKey};

use super::Question;

/// Everything that one sign-in serves.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Who signs in; `None` for keys and machines, where nobody does.
    pub(crate) session: Option<SessionKey>,
    /// As a person would say it.
    pub(crate) name: String,
    /// The cloud.
    pub(crate) provider: &'static str,
    /// All contexts, in the order of the kubeconfig, those that are not meant too.
    pub(crate) questions: Vec<Question>,
}

impl Identity {
    /// Those that are meant.
    pub(crate) fn meant(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter().filter(|question| question.ours.is_meant)
    }

    /// The first question for each credential of those that are meant, and how many contexts it serves.
    pub(crate) fn credentials(&self) -> Vec<(&Question, usize)> {
        let mut places = HashMap::new();
        let mut all: Vec<(&Question, usize)> = Vec::new();
        for question in self.meant() {
            let key = (&question.folders.cache, question.request.fingerprint());
            let place = *places.entry(key).or_insert_with(|| {
                all.push((question, 0));
                all.len() - 1
            });
            if let Some((_, contexts)) = all.get_mut(place) {
                *contexts += 1;
            }
        }
        all
    }
}

/// Who signs in for these, in the order of the kubeconfig.
pub(super) fn identities(questions: Vec<Question>) -> Vec<Identity> {
    let mut places: HashMap<Fingerprint, usize> = HashMap::new();
    let mut all: Vec<Identity> = Vec::new();
    for question in questions {
        let request = &*question.request;
        let session = request.session();
        let base =
            || steps(request).last().map_or_else(|| request.fingerprint(), Request::fingerprint);
        let key = session.map_or_else(base, |session| session.fingerprint());
        let place = *places.entry(key).or_insert_with(|| {
            let (name, provider) = (signer(request), request.provider());
            all.push(Identity { session, name, provider, questions: Vec::new() });
            all.len() - 1
        });
        if let Some(identity) = all.get_mut(place) {
            identity.questions.push(question);
        }
    }
    all
}

/// Who signs in for a request, or whose keys it begins with.
fn signer(request: &dyn Request) -> String {
    if request.session().is_some() {
        return request.signer();
    }
    steps(request).last().map_or_else(|| request.signer(), Request::describe)
}

/// The steps of a chain, from its end to its base.
pub(crate) fn steps(request: &dyn Request) -> impl Iterator<Item = &dyn Request> {
    std::iter::successors(Some(request), |step| step.source())
}
