//! What a program says, read by a thread of its own: a program that fills one pipe while we wait at
//! the other would wait for ever.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

const LARGEST: usize = 1 << 20;
const AT_ONCE: usize = 1 << 13;

/// One of a program's two outputs, as far as it has come.
pub(super) struct Output(Arc<Mutex<Gathered>>);

#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    over: bool,
    too_long: bool,
}

impl Output {
    /// Starts reading. Where nothing is to be read, it is over at once.
    pub(super) fn of(pipe: Option<impl Read + Send + 'static>) -> io::Result<Self> {
        let gathered = Arc::new(Mutex::new(Gathered::default()));
        match pipe {
            Some(pipe) => {
                let into = Arc::clone(&gathered);
                // it ends with its pipe; if something holds that for good, it ends with us
                thread::Builder::new().spawn(move || gather(pipe, &into))?;
            }
            None => guard(&gathered).over = true,
        }
        Ok(Self(gathered))
    }

    /// Whether no more will come.
    pub(super) fn is_over(&self) -> bool {
        guard(&self.0).over
    }

    /// Whether it was more than 1 MiB.
    pub(super) fn is_too_long(&self) -> bool {
        guard(&self.0).too_long
    }

    /// What has come.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut guard(&self.0).bytes)
    }
}

fn gather(mut pipe: impl Read, into: &Mutex<Gathered>) {
    let mut chunk = [0; AT_ONCE];
    loop {
        let read = match pipe.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.unwrap_or(0),
        };
        let mut into = guard(into);
        into.too_long = into.bytes.len() + read > LARGEST;
        into.over = read == 0 || into.too_long;
        if into.over {
            return;
        }
        into.bytes.extend_from_slice(&chunk[..read]);
    }
}

fn guard(gathered: &Mutex<Gathered>) -> MutexGuard<'_, Gathered> {
    gathered.lock().unwrap_or_else(PoisonError::into_inner)
}
