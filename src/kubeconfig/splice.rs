//! Bytes of a text, and what comes in their place.

use std::ops::Range;

/// One change of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Splice {
    /// The bytes that go.
    pub(crate) place: Range<usize>,
    /// What comes instead.
    pub(crate) text: String,
}

impl Splice {
    /// That place, and what comes there.
    pub(crate) fn new(place: Range<usize>, text: impl Into<String>) -> Self {
        Self { place, text: text.into() }
    }
}

/// The text with all of them done, once. `None` if two of them are at the same bytes, or one is not
/// within the text.
pub(crate) fn apply<'s>(
    text: &str,
    splices: impl IntoIterator<Item = &'s Splice>,
) -> Option<String> {
    let mut splices: Vec<&Splice> = splices.into_iter().collect();
    // stable: of two insertions at one place the first stays first
    splices.sort_by_key(|splice| (splice.place.start, splice.place.end));
    let more: usize = splices.iter().map(|splice| splice.text.len()).sum();
    let mut out = String::with_capacity(text.len() + more);
    let mut done = 0;
    for Splice { place, text: new } in splices {
        out += text.get(done..place.start)?;
        text.get(place.clone())?;
        out += new;
        done = place.end;
    }
    out += text.get(done..)?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_done_in_the_order_of_their_places() {
        let splices = [
            Splice::new(4..5, "E"),
            Splice::new(0..1, ""),
            Splice::new(2..2, "x"),
            Splice::new(2..2, "y"),
        ];
        assert_eq!(apply("abcde", &splices).as_deref(), Some("bxycdE"));
        assert_eq!(apply("abc", &[]).as_deref(), Some("abc"));
    }

    #[test]
    fn what_overlaps_or_lies_outside_is_not_done() {
        for (one, two) in [(0..2, 1..3), (0..3, 1..2), (2..9, 0..1)] {
            assert_eq!(apply("abcd", &[Splice::new(one, "x"), Splice::new(two, "y")]), None);
        }
        assert_eq!(apply("é", &[Splice::new(1..2, "x")]), None);
    }
}
