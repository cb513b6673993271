//! What a container's credential service wants to see.

use std::path::PathBuf;

use fleetkey_provider::{Error, ExposeSecret, Host, Result, SecretString, quoted, shown};

use crate::variables::{AWS_CONTAINER_AUTHORIZATION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE};

/// What the service wants to see.
#[derive(Clone)]
pub(super) enum Proof {
    Nothing,
    Text(SecretString),
    File(PathBuf),
}

impl Proof {
    /// What the variables say.
    pub(super) fn here(host: &Host) -> Result<Self> {
        Ok(match host.path_var(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE) {
            Some(path) => Self::File(path),
            None => match host.text_var(AWS_CONTAINER_AUTHORIZATION_TOKEN)? {
                Some(text) => Self::Text(text.into()),
                None => Self::Nothing,
            },
        })
    }

    /// What is shown. It goes into a header, and a variable can point the file anywhere: what is
    /// more than a line is neither sent nor shown.
    pub(super) fn read(&self, host: &Host) -> Result<Option<SecretString>> {
        let (text, from) = match self {
            Self::Nothing => return Ok(None),
            Self::Text(text) => {
                (text.expose_secret().to_owned(), format!("`{AWS_CONTAINER_AUTHORIZATION_TOKEN}`"))
            }
            Self::File(path) => {
                let path = path.to_string_lossy();
                let from = format!("`{}`", shown(&path));
                let Some(bytes) = host.files.read(path.as_ref().as_ref())? else {
                    return Err(Error::config(format!("there is no token file {from}"))
                        .because(format!("`{AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE}` names it"))
                        .next(format!("ls -l {}", quoted(&path))));
                };
                // what is not text fails below, as what is no line does
                (String::from_utf8(bytes).unwrap_or_else(|_| "\n".into()), from)
            }
        };
        let is_line = |text: &str| {
            (1..=LONGEST).contains(&text.len())
                && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        if is_line(&text) {
            return Ok(Some(text.into()));
        }
        let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let is_ended = line.is_some_and(is_line);
        let error = Error::config(format!("{from} holds no authorization token")).because(
            "it has to be one line of ASCII, without a line break even at its end; not sent",
        );
        Err(match self {
            // the usual case: an editor, or `echo`, ended the line
            Self::File(path) if is_ended => {
                let path = quoted(&path.to_string_lossy());
                error
                    .because("it ends in a line break, which no header can hold; not sent")
                    .next(format!(r#"printf %s "$(tr -d '\r\n' <{path})" >{path}"#))
            }
            _ => error,
        })
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof")
    }
}

/// The longest token that is sent.
const LONGEST: usize = 20_000;
