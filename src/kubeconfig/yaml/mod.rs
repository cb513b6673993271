//! YAML as far as a kubeconfig needs it, with the place of every byte.
//!
//! Nothing is ever written back from a tree: what changes is spliced into the text that was read, so
//! comments, order, quotes, anchors and line ends are as they were wherever nothing was meant.

mod parse;
mod read;
mod tree;
mod write;

pub(crate) use self::{
    parse::parse,
    read::TooMuch,
    tree::{Id, Kind, Style, Tree},
    write::{block, flow, scalar},
};
