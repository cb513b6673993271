//! Looking for clusters in every cloud at once.
//!
//! Providers say what to ask, as errands; here they are run, so many at a time and no more, and what
//! they found is put in order. One that fails is a line among what failed, and the rest goes on.
//! Nothing here knows what is asked, or of whom.

mod choice;
mod details;
mod found;
mod names;
mod progress;
mod queue;
mod report;
mod search;
mod table;

pub(crate) use self::{
    choice::{Choice, Pattern},
    details::{beside, described, settled},
    found::{Found, Kubeconfigs, gathered},
    names::{DEFAULT as DEFAULT_TEMPLATE, Template},
    queue::{Failure, Find, Outcome},
    report::{failed, for_programs, json, nothing, overview},
    search::Search,
};
