//! As much of BER as keys, certificates and PFX files are made of (X.690).
//!
//! PFX files are BER by definition (RFC 7292): some writers do not say how long a thing is but where it
//! ends, and cut strings into pieces. What is not understood is `None`, and nothing is deeper than
//! [`DEEPEST`].

use std::borrow::Cow;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[0]` around something that has a tag of its own.
pub(super) const CONTEXT_0: u8 = 0xa0;
/// `[0]` in place of a string's own tag.
pub(super) const STRING_0: u8 = 0x80;

const CONSTRUCTED: u8 = 0x20;
/// Files of this kind have about ten.
const DEEPEST: usize = 32;

/// One element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// With its tag, its length and what marks its end.
    pub(super) whole: &'a [u8],
}

/// Elements, one behind the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is in the one element of that tag that these bytes begin with.
    pub(super) fn of(tag: u8, bytes: &'a [u8]) -> Option<Self> {
        Self(bytes).expect(tag)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever it is.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (element, rest) = split(self.0, 0)?;
        self.0 = rest;
        Some(element)
    }

    /// What is in the next element, which has that tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Self> {
        self.next().filter(|element| element.tag == tag).map(|element| Self(element.content))
    }

    /// The same, if it has that tag; else it stays the next.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Self> {
        if self.0.first() == Some(&tag) { self.expect(tag) } else { None }
    }

    /// The bytes of the next element, which has that tag.
    pub(super) fn bytes(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.expect(tag).map(|inner| inner.0)
    }

    /// The next element, a string of octets: whole, or in pieces. `tag` is that of a whole one.
    pub(super) fn octets(&mut self, tag: u8) -> Option<Cow<'a, [u8]>> {
        let element = self.next()?;
        if element.tag == tag {
            return Some(Cow::Borrowed(element.content));
        }
        if element.tag != tag | CONSTRUCTED {
            return None;
        }
        let mut joined = Vec::new();
        join(element.content, &mut joined, 0)?;
        Some(Cow::Owned(joined))
    }

    /// The next element, a number of at most 32 bits. One that is negative is taken for a large one.
    pub(super) fn number(&mut self) -> Option<u32> {
        let digits = self.bytes(INTEGER)?;
        let digits = if let [0, digits @ ..] = digits { digits } else { digits };
        if digits.len() > 4 {
            return None;
        }
        Some(digits.iter().fold(0, |number, digit| number << 8 | u32::from(*digit)))
    }
}

/// The first element and what comes after it.
fn split(bytes: &[u8], depth: usize) -> Option<(Element<'_>, &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
    if tag & 0x1f == 0x1f || depth > DEEPEST {
        return None; // a tag of several bytes, which none of these files has
    }
    if first == 0x80 {
        return without_length(tag, bytes, rest, depth);
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    let (whole, _) = bytes.split_at_checked(bytes.len() - rest.len())?;
    Some((Element { tag, content, whole }, rest))
}

/// An element whose end is marked by two zeros.
fn without_length<'a>(
    tag: u8,
    bytes: &'a [u8],
    inner: &'a [u8],
    depth: usize,
) -> Option<(Element<'a>, &'a [u8])> {
    if tag & CONSTRUCTED == 0 {
        return None;
    }
    let mut rest = inner;
    while !rest.starts_with(&[0, 0]) {
        (_, rest) = split(rest, depth + 1)?;
    }
    let (content, _) = inner.split_at_checked(inner.len() - rest.len())?;
    let (_, rest) = rest.split_at_checked(2)?;
    let (whole, _) = bytes.split_at_checked(bytes.len() - rest.len())?;
    Some((Element { tag, content, whole }, rest))
}

fn join(pieces: &[u8], joined: &mut Vec<u8>, depth: usize) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    let mut pieces = Reader(pieces);
    while !pieces.is_empty() {
        match pieces.next()? {
            Element { tag: OCTET_STRING, content, .. } => joined.extend_from_slice(content),
            Element { tag, content, .. } if tag == OCTET_STRING | CONSTRUCTED => {
                join(content, joined, depth + 1)?;
            }
            _ => return None,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_taken_apart() {
        let mut reader = Reader::new(&[0x30, 3, 2, 1, 7, 4, 2, 8, 9]);
        assert_eq!(reader.expect(SEQUENCE).unwrap().number(), Some(7));
        assert!(reader.optional(INTEGER).is_none());
        assert_eq!(reader.octets(OCTET_STRING).unwrap(), [8, 9].as_slice());
        assert!(reader.is_empty() && reader.next().is_none());
        let long = [&[4, 0x81, 200][..], &[1; 200]].concat();
        assert_eq!(Reader::new(&long).next().unwrap().content.len(), 200);
    }

    #[test]
    fn an_end_may_be_marked_and_a_string_in_pieces() {
        let bytes =
            [0x30, 0x80, 0x24, 0x80, 4, 1, 1, 0x24, 3, 4, 1, 2, 0, 0, 2, 1, 5, 0, 0, 2, 1, 6];
        let mut reader = Reader::new(&bytes);
        let element = reader.next().unwrap();
        assert_eq!((element.content.len(), element.whole.len()), (15, 19));
        let mut inner = Reader::new(element.content);
        assert_eq!(inner.octets(OCTET_STRING).unwrap(), [1, 2].as_slice());
        assert_eq!((inner.number(), inner.is_empty(), reader.number()), (Some(5), true, Some(6)));
        let implicit = [0xa0, 6, 4, 1, 1, 4, 1, 2];
        assert_eq!(Reader::new(&implicit).octets(STRING_0).unwrap(), [1, 2].as_slice());
    }

    #[test]
    fn numbers_are_small() {
        let number = |bytes: &[u8]| Reader::new(bytes).number();
        assert_eq!(number(&[2, 3, 0x0f, 0x42, 0x40]), Some(1_000_000));
        assert_eq!(number(&[2, 5, 0, 0xff, 0xff, 0xff, 0xff]), Some(u32::MAX));
        assert_eq!(number(&[2, 5, 1, 0, 0, 0, 0]), None);
        assert_eq!(number(&[2, 0]), Some(0));
    }

    #[test]
    fn what_is_broken_is_nothing() {
        let deep: Vec<u8> = [0x30, 0x80].repeat(100_000);
        let deep_string = [0x24, 0x80].repeat(100_000);
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 5, 0],
            &[0x30, 0x80],
            &[0x30, 0x80, 0],
            &[4, 0x80, 0, 0],
            &[0x1f, 1, 1],
            &[4, 0x85, 0, 0, 0, 0, 1, 1],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff, 1],
            &[4, 0x82, 1],
            &deep,
            &deep_string,
        ] {
            assert!(Reader::new(bad).next().is_none(), "{:?}", bad.get(..8));
        }
        let mut pieces = vec![4, 1, 1];
        for _ in 0..100 {
            pieces = [&[0x24, u8::try_from(pieces.len()).unwrap_or(3)][..], &pieces].concat();
        }
        assert!(Reader::new(&pieces).octets(OCTET_STRING).is_none());
    }
}
