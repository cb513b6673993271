//! Kubeconfigs as people have them: by hand, by tools, by tools after hands. Each is made from a number, so
//! that one that shows a fault can be made again.

mod users;
mod writer;

use self::{
    users::{tied, user},
    writer::Writer,
};

/// Chance that is the same every time (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below that number.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A value to be written.
#[derive(Clone)]
enum Made {
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    /// With an anchor of that name.
    Anchored(String, Box<Self>),
    /// An alias.
    Alias(String),
}

fn text(text: impl Into<String>) -> Made {
    Made::Text(text.into())
}

fn texts(words: &[&str]) -> Made {
    Made::List(words.iter().map(|word| text(*word)).collect())
}

fn map<const N: usize>(pairs: [(&str, Made); N]) -> Made {
    Made::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// One kubeconfig.
pub(crate) struct Kubeconfig {
    pub(crate) text: String,
    /// Every comment in it, each once.
    pub(crate) comments: Vec<String>,
}

/// The kubeconfig of a number.
pub(crate) fn kubeconfig(seed: u64) -> Kubeconfig {
    let mut dice = Dice::new(seed);
    let json = dice.once_in(6);
    let mut writer = Writer {
        wide: dice.once_in(2),
        step: dice.one_of(&[2, 2, 2, 4]),
        line_end: dice.one_of(&["\n", "\n", "\n", "\r\n"]),
        comments: Vec::new(),
        flow_only: json,
        dice,
    };
    let anchors = !json && writer.dice.once_in(3);
    let count = 1 + writer.dice.below(6);
    let (mut users, mut contexts, mut clusters) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..count {
        let name = format!("{}{number}", writer.dice.one_of(NAMES));
        let made = user(&mut writer.dice);
        let made = if anchors { tied(&mut writer.dice, made, number, count) } else { made };
        let mut entry = vec![("name".to_owned(), text(&name)), ("user".to_owned(), made)];
        if writer.dice.once_in(4) {
            entry.swap(0, 1);
        }
        users.push(Made::Map(entry));
        clusters.push(map([
            ("name", text(&name)),
            (
                "cluster",
                map([
                    ("server", text(format!("https://host-{number}.example:6443"))),
                    ("certificate-authority-data", text("TFMwdExTMUNSVWRKVGlC")),
                ]),
            ),
        ]));
        contexts.push(map([
            (
                "context",
                map([("cluster", text(&name)), ("user", text(&name)), ("namespace", text("é ns"))]),
            ),
            ("name", text(&name)),
        ]));
    }
    let mut pairs = vec![
        ("apiVersion".to_owned(), text("v1")),
        ("clusters".to_owned(), Made::List(clusters)),
        ("contexts".to_owned(), Made::List(contexts)),
        ("current-context".to_owned(), text("")),
        ("kind".to_owned(), text("Config")),
        ("preferences".to_owned(), Made::Map(Vec::new())),
        ("users".to_owned(), Made::List(users)),
    ];
    if writer.dice.once_in(3) {
        let at = writer.dice.below(pairs.len());
        pairs.swap(0, at);
    }
    let mut out = String::new();
    if !json && writer.dice.once_in(5) {
        out += "---";
        out += writer.line_end;
    }
    writer.write(&Made::Map(pairs), 0, &mut out);
    if !writer.dice.once_in(6) {
        out += writer.line_end;
    }
    Kubeconfig { text: out, comments: writer.comments }
}

const NAMES: &[&str] = &[
    "arn:aws:eks:eu-west-1:111122223333:cluster/prod-",
    "clusterUser_rg_aks-",
    "plain-",
    "it's ",
    "quo\"te ",
    "hash # ",
    "colon: ",
    "ünïcode-",
    "- dash ",
    "*star",
    "no",
    "{brace",
];
