//! The person at the desk: whether there is one, what they are told, and the page their browser
//! opens and comes back from.

mod browser;
mod callback;
mod desk;
mod keyboard;
mod landing;
mod page;
mod voice;

pub(crate) use desk::Desk;
