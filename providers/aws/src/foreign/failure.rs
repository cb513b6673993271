//! What a stand-in says before it fails: the words are fleetkey's own, whatever the original's are,
//! since only they say what to do about it. The word before them and the exit codes are the original's.

use fleetkey_provider::{Error, Manner, Result, StandIn, Token, one_line};

/// What happened, why, and what to type next; the last line can be pasted.
pub(super) fn lines(word: &str, error: &Error) -> String {
    let message = one_line(error.message());
    let more = match (error.cause().map(one_line), error.next_line().map(one_line)) {
        (Some(why), Some(next)) => format!("  why: {why}; next, type:\n{next}\n"),
        (Some(why), None) => format!("  why: {why}\n"),
        (None, Some(next)) => format!("  next, type:\n{next}\n"),
        (None, None) => String::new(),
    };
    format!("{word}: {message}\n{more}")
}

/// The manner of a command line that is wrong: whatever is asked of it fails, with that error.
struct Wrong {
    error: Error,
    word: &'static str,
    code: u8,
}

/// The stand-in for a command line that is wrong. Its arguments ask for nothing, so there is no way
/// to a token, and it ends with the exit code that the original has for usage.
pub(super) fn wrong(error: Error, word: &'static str, code: u8) -> StandIn {
    StandIn::Token { args: Vec::new(), manner: Box::new(Wrong { error, word, code }) }
}

impl Manner for Wrong {
    fn version(&self, _exec_info: Option<&str>) -> Result<(String, Option<String>)> {
        Err(self.error.clone())
    }

    fn answer(&self, _token: &Token, _version: &str) -> Result<String> {
        Err(self.error.clone())
    }

    fn failure(&self, _error: &Error) -> (String, u8) {
        (lines(self.word, &self.error), self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_fails_whatever_is_asked_of_it() {
        let StandIn::Token { args, manner } =
            wrong(Error::config("no\nway").next("x"), "Error", 252)
        else {
            panic!("no token")
        };
        let token = Token { secret: "t".into(), expires: jiff::Timestamp::UNIX_EPOCH };
        assert!(args.is_empty());
        assert!(manner.version(None).is_err() && manner.answer(&token, "v").is_err());
        let (text, code) = manner.failure(&Error::failed("something else"));
        assert_eq!((text.as_str(), code), ("Error: no way\n  next, type:\nx\n", 252));
    }

    #[test]
    fn causes_and_next_lines_are_said_once_each() {
        assert_eq!(lines("error", &Error::config("a")), "error: a\n");
        assert_eq!(lines("error", &Error::config("a").because("b")), "error: a\n  why: b\n");
        assert_eq!(
            lines("error", &Error::config("a").because("b").next("c")),
            "error: a\n  why: b; next, type:\nc\n"
        );
    }
}
