//! What was understood once: for runs that ask many questions which stand on the same files.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Fingerprint, Result};

/// Things that were made of some input, by their type and the fingerprint of that input. Most runs ask
/// one question: they keep nothing, and hash nothing for it.
#[derive(Default)]
pub struct Parsed(Option<Mutex<Shelf>>);

type Shelf = HashMap<(TypeId, Fingerprint), Arc<dyn Any + Send + Sync>>;

impl Parsed {
    /// For a run that asks many.
    pub fn kept() -> Self {
        Self(Some(Mutex::default()))
    }

    /// What was made of that input, made now if it was not before. Errors are not kept.
    pub fn once<I, T: Any + Send + Sync>(
        &self,
        input: I,
        fingerprint: impl FnOnce(&I) -> Fingerprint,
        parse: impl FnOnce(I) -> Result<T>,
    ) -> Result<Arc<T>> {
        let Some(kept) = &self.0 else { return parse(input).map(Arc::new) };
        let key = (TypeId::of::<T>(), fingerprint(&input));
        let known = || kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(Ok(known)) = known().map(Arc::downcast) {
            return Ok(known);
        }
        let made = Arc::new(parse(input)?);
        let any: Arc<dyn Any + Send + Sync> = Arc::<T>::clone(&made);
        kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key, any);
        Ok(made)
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parsed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn the_same_input_is_understood_once_where_that_is_wanted() {
        for (parsed, times) in [(Parsed::kept(), 2), (Parsed::default(), 4)] {
            let mut made = 0;
            for input in ["a", "a", "b", "a"] {
                let text = parsed.once(
                    input,
                    |input| Fingerprint::of(input.as_bytes()),
                    |input| {
                        made += 1;
                        Ok(input.to_owned())
                    },
                );
                assert_eq!(*text.unwrap(), input);
            }
            assert_eq!(made, times);
        }
    }

    #[test]
    fn an_error_is_no_answer_for_the_next_one() {
        let (parsed, key) = (Parsed::kept(), |input: &&str| Fingerprint::of(input.as_bytes()));
        assert!(parsed.once::<_, u8>("x", key, |_| Err(Error::failed("no"))).is_err());
        assert_eq!(*parsed.once("x", key, |_| Ok(7_u8)).unwrap(), 7);
    }
}
