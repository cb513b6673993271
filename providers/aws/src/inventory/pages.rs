//! From one page of an answer to the next, and not for ever.

/// Which page comes next.
#[derive(Debug, Default)]
pub(super) struct Pages {
    next: Option<String>,
    turned: usize,
}

impl Pages {
    /// What to ask for the page with; nothing for the first.
    pub(super) fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Turns to the page that an answer names; whether there is one. Errors with what is wrong with
    /// the answer.
    pub(super) fn turn(&mut self, next: Option<String>) -> Result<bool, &'static str> {
        let next = next.filter(|next| !next.is_empty());
        if let Some(next) = &next {
            if next.len() > LONGEST || !next.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err("a next page that cannot be asked for");
            }
            if self.next.as_ref() == Some(next) || self.turned >= MOST {
                return Err("pages without end");
            }
        }
        self.turned += 1;
        self.next = next;
        Ok(self.next.is_some())
    }
}

/// It goes into a URL.
const LONGEST: usize = 4096;
/// A hundred things stand on a page: more than anybody has.
const MOST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_names_none() {
        let mut pages = Pages::default();
        assert_eq!(pages.next(), None);
        assert_eq!(pages.turn(Some("a+/=".into())), Ok(true));
        assert_eq!(pages.next(), Some("a+/="));
        assert_eq!(pages.turn(Some(String::new())), Ok(false));
    }

    #[test]
    fn pages_without_end_end() {
        let mut pages = Pages::default();
        assert_eq!(pages.turn(Some("a".into())), Ok(true));
        assert!(pages.turn(Some("a".into())).is_err());
        let mut pages = Pages::default();
        assert!((0..MOST).all(|n| pages.turn(Some(n.to_string())).is_ok()));
        assert!(pages.turn(Some("one more".into())).is_err());
        for bad in ["a b", "a\n", "é", &"x".repeat(LONGEST + 1)] {
            assert!(Pages::default().turn(Some(bad.to_owned())).is_err(), "{bad}");
        }
    }
}
