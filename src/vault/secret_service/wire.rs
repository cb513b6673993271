//! D-Bus values as bytes (D-Bus specification, "Marshaling"): the few types that are needed here,
//! little-endian. Everything stands at a multiple of its own size.

/// Values on their way out.
#[derive(Default)]
pub(super) struct Out(pub(super) Vec<u8>);

impl Out {
    pub(super) fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    pub(super) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.align(4);
        self.0.extend(value.to_le_bytes());
    }

    /// A length; nothing here comes near its end.
    fn length(&mut self, value: usize) {
        self.u32(u32::try_from(value).unwrap_or(u32::MAX));
    }

    /// A text, or the path of an object.
    pub(super) fn text(&mut self, value: &str) {
        self.length(value.len());
        self.0.extend(value.as_bytes());
        self.0.push(0);
    }

    /// The types of what follows, at most 255 of them.
    pub(super) fn signature(&mut self, value: &str) {
        self.0.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
        self.0.extend(value.as_bytes());
        self.0.push(0);
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.length(value.len());
        self.0.extend(value);
    }

    /// An array; its length does not count what stands before the first element.
    pub(super) fn array(&mut self, element: usize, fill: impl FnOnce(&mut Self)) {
        self.u32(0);
        let length_at = self.0.len() - 4;
        self.align(element);
        let start = self.0.len();
        fill(self);
        let length = u32::try_from(self.0.len() - start).unwrap_or(u32::MAX);
        self.0[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// A dictionary of texts.
    pub(super) fn texts(&mut self, pairs: &[(&str, &str)]) {
        self.array(8, |out| {
            for (name, value) in pairs {
                out.align(8);
                out.text(name);
                out.text(value);
            }
        });
    }
}

/// Values that came. `None` is what they do not hold.
#[derive(Clone, Copy)]
pub(super) struct In<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> In<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self::from(bytes, 0)
    }

    /// The values of a message from there on.
    pub(super) fn from(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.align(4);
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?.try_into().ok()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let text = self.bytes()?;
        self.take(1)?;
        std::str::from_utf8(text).ok()
    }

    pub(super) fn signature(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        let text = self.take(length.into())?;
        self.take(1)?;
        std::str::from_utf8(text).ok()
    }

    /// The elements of an array, to be read from what this returns.
    pub(super) fn array(&mut self, element: usize) -> Option<Self> {
        let length: usize = self.u32()?.try_into().ok()?;
        self.align(element);
        let at = self.at;
        self.take(length)?;
        // positions stay those of the message, since alignment is counted from there
        Some(Self { bytes: &self.bytes[..self.at], at })
    }

    /// Objects.
    pub(super) fn paths(&mut self) -> Option<Vec<&'a str>> {
        let mut elements = self.array(4)?;
        let mut paths = Vec::new();
        while !elements.is_empty() {
            paths.push(elements.text()?);
        }
        Some(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_specification_puts_them() {
        let mut out = Out::default();
        out.byte(1);
        out.text("ab"); // three bytes of padding first
        out.signature("s");
        out.texts(&[("k", "v")]);
        let wanted = [
            &[1, 0, 0, 0, 2, 0, 0, 0, b'a', b'b', 0, 1, b's', 0][..],
            // up to a multiple of 4, the length without the padding to a multiple of 8, the entry
            &[0, 0, 14, 0, 0, 0, 0, 0, 0, 0][..],
            &[1, 0, 0, 0, b'k', 0, 0, 0, 1, 0, 0, 0, b'v', 0][..],
        ]
        .concat();
        assert_eq!(out.0, wanted);
    }

    #[test]
    fn what_was_written_is_read_and_what_was_cut_is_nothing() {
        let mut out = Out::default();
        out.byte(7);
        out.array(4, |out| {
            out.text("/a");
            out.text("/bc");
        });
        out.bytes(b"x");
        let read = |bytes: &[u8]| -> Option<(u8, Vec<String>, Vec<u8>)> {
            let mut values = In::new(bytes);
            let first = values.byte()?;
            let paths = values.paths()?.into_iter().map(str::to_owned).collect();
            Some((first, paths, values.bytes()?.to_vec()))
        };
        let all = (7, vec!["/a".to_owned(), "/bc".to_owned()], b"x".to_vec());
        assert_eq!(read(&out.0), Some(all));
        for end in 0..out.0.len() {
            assert_eq!(read(&out.0[..end]), None, "{end}");
        }
    }

    #[test]
    fn lengths_that_lie_read_nothing() {
        let mut lie = In::new(&[255, 255, 255, 255, 0, 0]);
        assert!(lie.array(8).is_none());
        assert!(In::new(&[255, 255, 255, 255]).bytes().is_none());
    }
}
