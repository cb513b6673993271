//! The console tells it through calls alone that this crate forbids itself, so lines are as long as they
//! must be.

pub(super) fn width<S>(_stream: &S) -> Option<usize> {
    None
}
