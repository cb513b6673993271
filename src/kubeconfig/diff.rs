//! A change of a text as a unified diff, made of the splices that make the change: nothing is searched
//! for, so it costs what has changed. Secrets are not shown.

use std::{fmt::Write, ops::Range};

use super::{document::Document, hidden::Hidden, splice::Splice};

/// How many lines around a change are shown.
const CONTEXT: usize = 3;

/// The diff of a file, coloured or not. `after` is what `before` is once the splices, which are in
/// order, are done.
pub(crate) fn unified(
    path: &str,
    (before, after): (&Document<'_>, &Document<'_>),
    splices: &[&Splice],
    coloured: bool,
) -> String {
    let (old, new) = (Side::new(before), Side::new(after));
    let mut out = String::new();
    let colour = |code: &str, line: &str| {
        if coloured { format!("\u{1b}[{code}m{line}\u{1b}[0m\n") } else { format!("{line}\n") }
    };
    out += &colour(BOLD, &format!("--- {path}"));
    out += &colour(BOLD, &format!("+++ {path}"));
    for hunk in hunks(changed(&old, &new, splices), old.lines.len()) {
        let Hunk { old: from, new: to, changes } = &hunk;
        let range = |lines: &Range<usize>| {
            // a part without lines is named by the line before it
            let first = if lines.is_empty() { lines.start } else { lines.start + 1 };
            format!("{first},{}", lines.len())
        };
        out += &colour(CYAN, &format!("@@ -{} +{} @@", range(from), range(to)));
        let mut line = from.start;
        let same = |out: &mut String, lines: Range<usize>| {
            for line in lines {
                // a pipe into a file has to get the bytes of the line
                let _infallible = writeln!(out, " {}", old.line(line));
            }
        };
        for change in changes {
            same(&mut out, line..change.old.start);
            for line in change.old.clone() {
                out += &colour(RED, &format!("-{}", old.line(line)));
            }
            for line in change.new.clone() {
                out += &colour(GREEN, &format!("+{}", new.line(line)));
            }
            line = change.old.end;
        }
        same(&mut out, line..from.end);
    }
    out
}

const BOLD: &str = "1";
const CYAN: &str = "36";
const RED: &str = "31";
const GREEN: &str = "32";

/// One of the texts, by lines.
struct Side<'d> {
    text: &'d str,
    lines: Vec<Range<usize>>,
    hidden: Hidden,
}

impl<'d> Side<'d> {
    fn new(document: &'d Document<'_>) -> Self {
        let text = document.tree.text;
        let mut at = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            at += line.len();
            at - line.len()..at
        });
        Self { text, lines: lines.collect(), hidden: Hidden::of(document) }
    }

    /// A line as it may be shown.
    fn line(&self, number: usize) -> String {
        let line = self.hidden.mask(self.text, self.lines[number].clone());
        fleetkey_provider::one_line(line.trim_end_matches(['\n', '\r']))
    }

    /// The line of that byte; behind the last one, if the text ends before it.
    fn at(&self, byte: usize) -> usize {
        self.lines.partition_point(|line| line.end <= byte)
    }

    fn raw(&self, number: usize) -> &str {
        &self.text[self.lines[number].clone()]
    }
}

/// Lines that go, and lines that come.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Change {
    old: Range<usize>,
    new: Range<usize>,
}

/// Changes with the lines around them.
struct Hunk {
    old: Range<usize>,
    new: Range<usize>,
    changes: Vec<Change>,
}

/// The changes that the splices make, without lines that stay the same at their ends.
fn changed(old: &Side<'_>, new: &Side<'_>, splices: &[&Splice]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let (mut more, mut less) = (0, 0);
    for Splice { place, text } in splices.iter().copied() {
        let end = |side: &Side<'_>, start: usize, end: usize| {
            // a splice that ends a line takes nothing of the next one
            if end > start && side.text[..end].ends_with('\n') {
                side.at(end - 1) + 1
            } else {
                (side.at(end) + 1).min(side.lines.len())
            }
        };
        let start = place.start + more - less;
        let takes_lines = text.is_empty()
            && old.text[..place.start].ends_with('\n')
            && old.text[..place.end].ends_with('\n');
        let change = Change {
            old: old.at(place.start)..end(old, place.start, place.end),
            new: if takes_lines {
                new.at(start)..new.at(start)
            } else {
                new.at(start)..end(new, start, start + text.len())
            },
        };
        more += text.len();
        less += place.len();
        match changes.last_mut() {
            Some(last) if change.old.start < last.old.end || change.new.start < last.new.end => {
                last.old.end = last.old.end.max(change.old.end);
                last.new.end = last.new.end.max(change.new.end);
            }
            _ => changes.push(change),
        }
    }
    for Change { old: from, new: to } in &mut changes {
        let both = |from: &Range<usize>, to: &Range<usize>| !from.is_empty() && !to.is_empty();
        while both(from, to) && old.raw(from.start) == new.raw(to.start) {
            (from.start, to.start) = (from.start + 1, to.start + 1);
        }
        while both(from, to) && old.raw(from.end - 1) == new.raw(to.end - 1) {
            (from.end, to.end) = (from.end - 1, to.end - 1);
        }
    }
    changes.retain(|change| !change.old.is_empty() || !change.new.is_empty());
    changes
}

fn hunks(changes: Vec<Change>, lines: usize) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for change in changes {
        let (before, after) =
            (change.old.start.min(CONTEXT), (lines - change.old.end).min(CONTEXT));
        let old = change.old.start - before..change.old.end + after;
        let new = change.new.start - before..change.new.end + after;
        match hunks.last_mut() {
            Some(last) if old.start <= last.old.end => {
                (last.old.end, last.new.end) = (old.end, new.end);
                last.changes.push(change);
            }
            _ => hunks.push(Hunk { old, new, changes: vec![change] }),
        }
    }
    hunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubeconfig::splice::apply;

    fn diff(old: &str, splices: &[Splice]) -> String {
        let new = apply(old, splices).unwrap();
        let (before, after) =
            (Document::read(old, "f").unwrap(), Document::read(&new, "f").unwrap());
        unified("f", (&before, &after), &splices.iter().collect::<Vec<_>>(), false)
    }

    #[test]
    fn a_change_is_shown_with_what_is_around_it() {
        let old = "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\nh: 8\ni: 9\nj: 10\nk: 11\nl: 12\n";
        let at = |text: &str| old.find(text).unwrap();
        let b = at("b: 2");
        let d = Splice::new(at("d: 4")..at("d: 4") + 4, "d: x\ne: y");
        assert_eq!(
            diff(old, &[Splice::new(b..b + 4, "b: x")]),
            "--- f\n+++ f\n@@ -1,5 +1,5 @@\n a: 1\n-b: 2\n+b: x\n c: 3\n d: 4\n e: 5\n"
        );
        let end = old.len();
        let both = diff(old, &[d, Splice::new(end..end, "m: 13\n")]);
        assert_eq!(
            both,
            "--- f\n+++ f\n@@ -1,7 +1,8 @@\n a: 1\n b: 2\n c: 3\n-d: 4\n+d: x\n+e: y\n e: 5\n f: 6\n g: 7\n\
             @@ -10,3 +11,4 @@\n j: 10\n k: 11\n l: 12\n+m: 13\n"
        );
    }

    #[test]
    fn two_changes_of_one_line_are_one_and_lines_that_stay_are_not_shown_as_new() {
        let old = "{a: 1, b: 2}\n";
        let two = [Splice::new(4..5, "x"), Splice::new(10..11, "y")];
        assert_eq!(
            diff(old, &two),
            "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-{a: 1, b: 2}\n+{a: x, b: y}\n"
        );
        let old = "a:\n- x\n- y\n";
        let same = [Splice::new(3..10, "- x\n- z\n- y")];
        assert_eq!(diff(old, &same), "--- f\n+++ f\n@@ -1,3 +1,4 @@\n a:\n - x\n+- z\n - y\n");
    }

    #[test]
    fn lines_that_go_leave_nothing_that_comes() {
        let old = "a:\n- x\n- y\n- z\n";
        let y = old.find("- y").unwrap();
        let gone = [Splice::new(y..y + 4, "")];
        assert_eq!(diff(old, &gone), "--- f\n+++ f\n@@ -1,4 +1,3 @@\n a:\n - x\n-- y\n - z\n");
    }

    #[test]
    fn secrets_and_control_characters_are_not_shown() {
        let old = "users:\n- user:\n    token: hunter2\n    x: \"a\\e\"\n    y: 1\n";
        let y = old.find("y: 1").unwrap();
        let shown = diff(old, &[Splice::new(y + 3..y + 4, "2")]);
        assert!(shown.contains("token: REDACTED") && !shown.contains("hunter2"), "{shown}");
    }
}
