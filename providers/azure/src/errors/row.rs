//! A row of the table, and which one a refusal stands in.
//!
//! Microsoft warns that codes may change, so the words come first: where `suberror` or `error` is
//! decisive it says who has to act and what is dead, and a code says it in better words as long as it
//! does not say another thing. Words that Entra uses for anything (`invalid_grant`) decide nothing:
//! there the code does.

use fleetkey_provider::Kind;

use super::{
    Call, Said,
    next::Next,
    table::{LATER, TABLE, UNKNOWN},
};

/// Refusals that mean the same to a person.
pub(super) struct Row {
    /// The numbers behind `AADSTS`.
    pub(super) codes: &'static [u32],
    /// The same in words: a `suberror`, or an `error`.
    pub(super) words: &'static [&'static str],
    /// Who has to act.
    pub(super) who: Who,
    /// Whether asking the same again would do harm.
    pub(super) once: bool,
    /// Whether a refresh token that was sent is of no more use, to anybody, for anything.
    pub(super) dead: bool,
    /// Whether a page to sign in on would say the same.
    pub(super) is_firm: bool,
    /// What happened.
    pub(super) message: fn(&Call<'_>, &Said) -> String,
    /// What to do beside what is typed next, if that is not all.
    pub(super) advice: fn(&Call<'_>) -> Option<String>,
    /// What to type next.
    pub(super) next: Next,
}

/// Who has to act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Who {
    /// A person, by signing in, if there is one; else it is a refusal.
    Person,
    /// Whoever that kind says.
    Is(Kind),
}

impl Who {
    /// The kind of the error.
    pub(super) fn kind(self, is_person: bool) -> Kind {
        match self {
            Self::Is(kind) => kind,
            Self::Person if is_person => Kind::SignInNeeded,
            Self::Person => Kind::Refused,
        }
    }
}

/// Words that stand for anything, and leave it to the code.
const OPEN: [&str; 5] = [
    "access_denied",
    "invalid_grant",
    "invalid_request",
    "unsupported_grant_type",
    "unsupported_response_type",
];

/// What Entra says where it would like to show a page, even where that page would only say no: it
/// does so of policies (azure-cli#32809).
const PAGE: [&str; 2] = ["interaction_required", "login_required"];

/// "Error validating credentials."
const GENERAL: u32 = 70002;

impl Row {
    /// The row of a refusal of a person or of somebody else.
    pub(super) fn of(said: &Said, is_person: bool) -> &'static Self {
        if said.is_transient() {
            return &LATER;
        }
        match (Self::decided(said), Self::coded(said)) {
            (Some(word), Some(code)) if word.who.kind(is_person) == code.who.kind(is_person) => {
                code
            }
            (Some(word), _) => word,
            (None, Some(code)) => code,
            (None, None) => by_word(&said.error).unwrap_or(&UNKNOWN),
        }
    }

    /// Whether it says that a refresh token is of no more use.
    pub(super) fn is_dead(said: &Said) -> bool {
        Self::of(said, true).dead || Self::decided(said).is_some_and(|word| word.dead)
    }

    /// Whether asking again would do harm. No word outweighs a code that says so.
    pub(super) fn is_once(&self, said: &Said) -> bool {
        self.once || Self::coded(said).is_some_and(|code| code.once)
    }

    /// The row of the code that says most: v1 puts a general one before the one that is meant.
    fn coded(said: &Said) -> Option<&'static Self> {
        let by_code = |code: &u32| TABLE.iter().find(|row| row.codes.contains(code));
        let said_more = said.codes.iter().filter(|code| **code != GENERAL);
        let general = [&GENERAL].into_iter().filter(|code| said.codes.contains(code));
        said_more.chain(general).find_map(by_code)
    }

    /// The row of the word that decides, if one does.
    fn decided(said: &Said) -> Option<&'static Self> {
        let decisive = |word: &str| by_word(word).filter(|_| !OPEN.contains(&word));
        said.suberror.as_deref().and_then(decisive).or_else(|| {
            let is_firm = Self::coded(said).is_some_and(|code| code.is_firm);
            let gives_way = is_firm && PAGE.contains(&said.error.as_str());
            decisive(&said.error).filter(|_| !gives_way)
        })
    }
}

fn by_word(word: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.words.contains(&word))
}

/// A row that says nothing yet.
pub(super) const fn row(codes: &'static [u32], words: &'static [&'static str], who: Who) -> Row {
    Row {
        codes,
        words,
        who,
        once: false,
        dead: false,
        is_firm: false,
        message: |_, _| String::new(),
        advice: |_| None,
        next: Next::Log,
    }
}

impl Row {
    pub(super) const fn once(self) -> Self {
        Self { once: true, ..self }
    }

    pub(super) const fn dead(self) -> Self {
        Self { dead: true, ..self }
    }

    pub(super) const fn firm(self) -> Self {
        Self { is_firm: true, ..self }
    }

    pub(super) const fn says(self, message: fn(&Call<'_>, &Said) -> String, next: Next) -> Self {
        Self { message, next, ..self }
    }

    pub(super) const fn advises(self, advice: fn(&Call<'_>) -> Option<String>) -> Self {
        Self { advice, ..self }
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::HttpResponse;
    use serde_json::{Value, json};

    use super::*;

    fn said(body: &Value) -> Said {
        let body = body.to_string().into();
        Said::read(&HttpResponse { status: 400, headers: Vec::new(), body }).unwrap()
    }

    /// The first code of the row, or its first word.
    fn row_of(body: &Value) -> String {
        let row = Row::of(&said(body), true);
        let code = row.codes.first().map(u32::to_string);
        code.or_else(|| row.words.first().map(|word| (*word).to_owned())).unwrap_or_default()
    }

    #[test]
    fn a_word_decides_and_a_code_that_agrees_lends_its_text() {
        for (error, suberror, code, row) in [
            // they agree
            ("interaction_required", "", 50076, "50074"),
            ("invalid_client", "", 7_000_222, "7000222"),
            ("unauthorized_client", "", 700_016, "70001"),
            ("invalid_grant", "bad_token", 50076, "50074"),
            // they do not
            ("unauthorized_client", "", 7_000_222, "unauthorized_client"),
            ("invalid_client", "", 50076, "invalid_client"),
            ("interaction_required", "", 65001, "50058"),
            ("invalid_grant", "basic_action", 53003, "50074"),
            ("invalid_grant", "consent_required", 50076, "65001"),
            ("invalid_client", "bad_token", 7_000_222, "50089"),
            // a page that would say the same
            ("interaction_required", "", 53003, "53003"),
            ("login_required", "", 530_084, "530084"),
            // nothing is decided
            ("invalid_grant", "", 50126, "50126"),
            ("invalid_request", "", 90002, "50059"),
            ("access_denied", "", 53003, "53003"),
            ("novelty", "novelty", 50076, "50074"),
            ("invalid_grant", "", 1, "50058"),
            ("novelty", "", 1, ""),
        ] {
            let body = json!({ "error": error, "suberror": suberror, "error_codes": [code] });
            assert_eq!(row_of(&body), row, "{body}");
        }
    }

    #[test]
    fn a_word_buries_a_session_and_keeps_one_and_no_word_allows_harm() {
        for (error, suberror, code, dead) in [
            ("invalid_grant", "bad_token", 50076, true),
            ("unauthorized_client", "token_expired", 1, true),
            ("interaction_required", "", 70043, true),
            ("invalid_client", "", 50173, false),
            ("invalid_grant", "consent_required", 50173, false),
        ] {
            let body = json!({ "error": error, "suberror": suberror, "error_codes": [code] });
            assert_eq!(Row::is_dead(&said(&body)), dead, "{body}");
        }
        for (error, code, once) in [
            ("interaction_required", 50126, true),
            ("unauthorized_client", 50053, true),
            ("unauthorized_client", 700_016, false),
        ] {
            let said = said(&json!({ "error": error, "error_codes": [code] }));
            assert_eq!(Row::of(&said, true).is_once(&said), once, "{error} {code}");
        }
    }
}
