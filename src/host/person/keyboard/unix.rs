//! `/dev/tty`: the terminal that controls the process, whatever its standard streams are.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
};

use rustix::{
    fs::OFlags,
    process::getpgrp,
    termios::{LocalModes, QueueSelector, tcflush, tcgetattr, tcgetpgrp},
};

/// The terminal, if it waits for lines and we are in front of it. A job in the background that reads
/// from it is stopped by the system (termios(3), `SIGTTIN`), and a program that draws the whole screen
/// has it in a mode without lines: whoever sits there could not tell our question from its picture.
pub(super) fn open() -> Option<(File, File)> {
    let no_controller = i32::try_from(OFlags::NOCTTY.bits()).ok()?;
    let mut options = OpenOptions::new();
    let terminal =
        options.read(true).write(true).custom_flags(no_controller).open("/dev/tty").ok()?;
    if tcgetpgrp(&terminal).ok()? != getpgrp() {
        return None;
    }
    if !tcgetattr(&terminal).ok()?.local_modes.contains(LocalModes::ICANON) {
        return None;
    }
    Some((terminal.try_clone().ok()?, terminal))
}

/// Forgets what was typed before anybody asked: it answered something else.
pub(super) fn forget_typed(terminal: &File) {
    // what cannot be forgotten is at worst an answer of the wrong form
    let _forgotten = tcflush(terminal, QueueSelector::IFlush);
}
