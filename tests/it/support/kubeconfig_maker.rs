//! Kubeconfigs as people have them: by hand, by tools, by tools after hands. Each is made from a number, so
//! that one that shows a fault can be made again.

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
    List(Vec<Made>),
    Map(Vec<(String, Made)>),
    /// With an anchor of that name.
    Anchored(String, Box<Made>),
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

/// A user of one of the kinds there are, some of which are nobody's to convert.
fn user(dice: &mut Dice) -> Made {
    let beta = "client.authentication.k8s.io/v1beta1";
    let exec = |command: &str, args: &[&str], env: &[(&str, &str)]| {
        let mut pairs = vec![
            ("apiVersion".to_owned(), text(beta)),
            ("args".to_owned(), texts(args)),
            ("command".to_owned(), text(command)),
        ];
        if !env.is_empty() {
            let pair = |(name, value): &(&str, &str)| {
                map([("name", text(*name)), ("value", text(*value))])
            };
            pairs.push(("env".to_owned(), Made::List(env.iter().map(pair).collect())));
        }
        pairs
    };
    let server = "--server-id=6dae42f8-4368-4678-94ff-3960e28e3630";
    let kubelogin =
        dice.one_of(&["kubelogin", "/usr/local/bin/kubelogin", "C:\\bin\\Kubelogin.exe"]);
    let mut pairs = match dice.below(14) {
        0 => exec(
            "aws",
            &[
                "--region",
                "eu-west-1",
                "eks",
                "get-token",
                "--cluster-name",
                "prod",
                "--output",
                "json",
            ],
            &[],
        ),
        1 => exec(
            "aws",
            &[
                "eks",
                "get-token",
                "--cluster-name=prod",
                "--role",
                "arn:aws:iam::111122223333:role/r",
            ],
            &[("AWS_PROFILE", "prod")],
        ),
        2 => exec(
            "/opt/bin/aws-iam-authenticator",
            &["token", "-i", "prod", "-r", "arn:aws:iam::111122223333:role/r"],
            &[("AWS_REGION", "eu-west-1")],
        ),
        3 => exec(
            kubelogin,
            &[
                "get-token",
                "--environment",
                "AzurePublicCloud",
                server,
                "--client-id",
                "80faf920-1908-4b52-b5ef-a8e7bedfc67a",
                "--tenant-id",
                "contoso.com",
                "--login",
                "devicecode",
            ],
            &[],
        ),
        4 => exec(
            kubelogin,
            &["get-token", "-l", "azurecli", server],
            &[("AZURE_CONFIG_DIR", "/home/x/.azure")],
        ),
        5 => exec(
            kubelogin,
            &[
                "get-token",
                server,
                "-t",
                "contoso.com",
                "--login=spn",
                "--client-id",
                "c",
                "--client-secret",
                "hunter2-hunter2",
            ],
            &[],
        ),
        6 => exec(kubelogin, &["get-token", server], &[]),
        7 => exec(
            "env",
            &[
                "AWS_PROFILE=x",
                "aws",
                "eks",
                "get-token",
                "--cluster-name",
                "prod",
                "--region",
                "eu-west-1",
            ],
            &[],
        ),
        8 => exec("sh", &["-c", "aws eks get-token --cluster-name prod --region eu-west-1"], &[]),
        9 => exec(
            "aws-vault",
            &["exec", "prod", "--", "aws", "eks", "get-token", "--cluster-name", "prod"],
            &[],
        ),
        10 => exec(kubelogin, &["get-token", "--oidc-issuer-url=https://issuer.example"], &[]),
        11 => return map([("token", text("sha256~abcdefgh"))]),
        12 => {
            let config = map([
                ("apiserver-id", text("6dae42f8-4368-4678-94ff-3960e28e3630")),
                ("client-id", text("80faf920-1908-4b52-b5ef-a8e7bedfc67a")),
                ("config-mode", text("1")),
                ("environment", text("AzurePublicCloud")),
                ("refresh-token", text("hunter3-hunter3")),
                ("tenant-id", text("contoso.com")),
            ]);
            return map([("auth-provider", map([("config", config), ("name", text("azure"))]))]);
        }
        _ => exec("my-plugin", &["--anything"], &[("A", "b")]),
    };
    if dice.once_in(3) {
        pairs.push(("installHint".to_owned(), text("ask the platform team\nor read the wiki")));
    }
    if dice.once_in(3) {
        pairs.push(("provideClusterInfo".to_owned(), text("false")));
    }
    if dice.once_in(4) {
        pairs.push(("x-unknown".to_owned(), map([("deep", texts(&["a", "b: c"]))])));
    }
    let at = dice.below(pairs.len());
    pairs.swap(0, at);
    let mut user = vec![("exec".to_owned(), Made::Map(pairs))];
    if dice.once_in(4) {
        user.push(("x-note".to_owned(), text("kept")));
    }
    Made::Map(user)
}

/// Some share what they are by an anchor: the first names it, later ones use it.
fn tied(dice: &mut Dice, made: Made, number: usize, count: usize) -> Made {
    if number == 0 && count > 1 {
        return match (dice.below(3), made) {
            (0, Made::Map(mut pairs)) if pairs[0].0 == "exec" => {
                pairs[0].1 = Made::Anchored("exec".into(), Box::new(pairs[0].1.clone()));
                Made::Map(pairs)
            }
            (_, made) => Made::Anchored("user".into(), Box::new(made)),
        };
    }
    // whether the anchor is there, is seen when it is written
    match dice.below(4) {
        0 => Made::Alias("user".into()),
        1 => map([("exec", Made::Alias("exec".into()))]),
        2 => map([(
            "exec",
            Made::Map(vec![
                ("<<".to_owned(), Made::Alias("exec".into())),
                (
                    "args".to_owned(),
                    texts(&[
                        "eks",
                        "get-token",
                        "--cluster-name",
                        "other",
                        "--region",
                        "eu-west-1",
                    ]),
                ),
            ]),
        )]),
        _ => made,
    }
}

/// Writes values in the manner of one file, with comments between.
struct Writer {
    /// Lists stand further in than their keys.
    wide: bool,
    step: usize,
    line_end: &'static str,
    comments: Vec<String>,
    flow_only: bool,
    dice: Dice,
}

impl Writer {
    fn write(&mut self, made: &Made, column: usize, out: &mut String) {
        if self.flow_only {
            self.flow(made, column, out);
        } else {
            self.block(made, column, out);
        }
    }

    fn block(&mut self, made: &Made, column: usize, out: &mut String) {
        match made {
            Made::Map(pairs) if !pairs.is_empty() => {
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        self.new_line(column, out);
                    }
                    *out += key;
                    out.push(':');
                    self.value(value, column, out);
                }
            }
            Made::List(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.new_line(column, out);
                    }
                    *out += "- ";
                    match item {
                        Made::Map(_) if self.dice.once_in(9) => self.flow(item, column, out),
                        item => self.block(item, column + 2, out),
                    }
                }
            }
            simple => self.simple(simple, column, out),
        }
    }

    /// What follows a key.
    fn value(&mut self, value: &Made, column: usize, out: &mut String) {
        let (anchor, value) = match value {
            Made::Anchored(name, value) => (Some(name), &**value),
            value => (None, value),
        };
        if let Some(anchor) = anchor {
            *out += " &";
            *out += anchor;
        }
        match value {
            Made::Map(pairs) if !pairs.is_empty() && !self.dice.once_in(9) => {
                self.new_line(column + self.step, out);
                self.block(value, column + self.step, out);
            }
            Made::List(items) if !items.is_empty() && !self.dice.once_in(6) => {
                let column = if self.wide { column + self.step } else { column };
                self.new_line(column, out);
                self.block(value, column, out);
            }
            Made::Text(text) if text.contains('\n') => {
                *out += " |-";
                for line in text.split('\n') {
                    *out += self.line_end;
                    *out += &" ".repeat(column + self.step);
                    *out += line;
                }
            }
            value => {
                out.push(' ');
                self.simple(value, column, out);
            }
        }
    }

    /// What stands on one line.
    fn simple(&mut self, made: &Made, column: usize, out: &mut String) {
        match made {
            Made::Text(text) => *out += &self.scalar(text),
            Made::Alias(name) if out.contains(&format!("&{name}")) => {
                out.push('*');
                *out += name;
            }
            // there is none of that name
            Made::Alias(_) => *out += "{}",
            Made::Anchored(_, value) => self.simple(value, column, out),
            other => self.flow(other, column, out),
        }
    }

    fn flow(&mut self, made: &Made, column: usize, out: &mut String) {
        let pretty = self.flow_only;
        let set_off = |out: &mut String, column: usize, line_end: &str| {
            if pretty {
                *out += line_end;
                *out += &" ".repeat(column);
            }
        };
        let deeper = column + 4;
        match made {
            Made::Map(pairs) => {
                out.push('{');
                for (index, (key, value)) in pairs.iter().enumerate() {
                    *out += if index == 0 {
                        ""
                    } else if pretty {
                        ","
                    } else {
                        ", "
                    };
                    set_off(out, deeper, self.line_end);
                    *out += &if pretty { format!("{key:?}: ") } else { format!("{key}: ") };
                    self.flow(value, deeper, out);
                }
                if !pairs.is_empty() {
                    set_off(out, column, self.line_end);
                }
                out.push('}');
            }
            Made::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    *out += if index == 0 {
                        ""
                    } else if pretty {
                        ","
                    } else {
                        ", "
                    };
                    set_off(out, deeper, self.line_end);
                    self.flow(item, deeper, out);
                }
                if !items.is_empty() {
                    set_off(out, column, self.line_end);
                }
                out.push(']');
            }
            Made::Text(text) if pretty && (text == "true" || text == "false") => *out += text,
            Made::Text(text) => *out += &serde_json::Value::from(text.as_str()).to_string(),
            other => self.simple(other, column, out),
        }
    }

    /// Another line, perhaps behind a comment, perhaps after some.
    fn new_line(&mut self, column: usize, out: &mut String) {
        // within a block scalar nothing is a comment
        let is_text = out
            .rsplit('\n')
            .next()
            .is_some_and(|line| !line.contains(": ") && !line.trim_start().starts_with('-'))
            && out.contains("|-");
        if !is_text && self.dice.once_in(8) {
            let comment = self.comment();
            *out += "   ";
            *out += &comment;
        }
        *out += self.line_end;
        while !is_text && self.dice.once_in(9) {
            *out += &" ".repeat(column);
            let comment = self.comment();
            *out += &comment;
            *out += self.line_end;
        }
        if !is_text && self.dice.once_in(30) {
            *out += self.line_end;
        }
        *out += &" ".repeat(column);
    }

    fn comment(&mut self) -> String {
        let kind = self.dice.one_of(&["note", "a: b", "- x", "\"quoted\"", "ünï {", "*a &b"]);
        let comment = format!("# c{:04} {kind}", self.comments.len());
        self.comments.push(comment.clone());
        comment
    }

    fn scalar(&mut self, text: &str) -> String {
        let plain = !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=~".contains(c))
            && !text.starts_with(['-', '~', '='])
            && text != "no"
            && text.parse::<f64>().is_err();
        let flag = text.starts_with("--")
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-=._".contains(c));
        match self.dice.below(4) {
            0 if !text.contains('\n') => format!("'{}'", text.replace('\'', "''")),
            1 => serde_json::Value::from(text).to_string(),
            _ if text == "true" || text == "false" => text.to_owned(),
            _ if plain || flag => text.to_owned(),
            _ => serde_json::Value::from(text).to_string(),
        }
    }
}
