//! A server or a proxy, without the user name and the password that may stand in its URL.

use std::borrow::Cow;

/// What of a URL may be written into a file that is shared.
pub(super) struct Address<'a> {
    /// The URL; nothing of one whose password could not be told from the rest.
    pub(super) text: Cow<'a, str>,
    is_whole: bool,
}

impl<'a> Address<'a> {
    /// That of a URL, which may have no scheme, as clients take it.
    pub(super) fn of(url: &'a str) -> Self {
        let (scheme, rest) = match url.find("//") {
            Some(at) if at == 0 || url[..at].ends_with(':') => url.split_at(at + 2),
            _ => ("", url),
        };
        let (authority, path) =
            rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        let text = match authority.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}{host}{path}").into(),
            // a password with one of those characters in it
            None if path.contains('@') && !is_host(authority) => "".into(),
            None => return Self { text: url.into(), is_whole: true },
        };
        Self { text, is_whole: false }
    }

    /// What a person should know, if that is not all of it.
    pub(super) fn note(&self, attribute: &str, variable: &str) -> Option<String> {
        (!self.is_whole).then(|| {
            format!(
                "a user name and password are secrets, and left out of `{attribute}`: set \
                 `{variable}` where Terraform runs, in place of this line"
            )
        })
    }
}

/// Whether that is a host, with or without a port.
fn is_host(authority: &str) -> bool {
    authority.ends_with(']')
        || authority
            .rsplit_once(':')
            .is_none_or(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_password_is_written() {
        for (url, text) in [
            ("https://u:hunter2@h:6443/p?q", "https://h:6443/p?q"),
            ("http://hunter2@h", "http://h"),
            ("https://u:hunter2@hunter2@h/@", "https://h/@"),
            ("u:hunter2@h:6443", "h:6443"),
            ("//u:hunter2@h", "//h"),
            ("socks5://u:hunter2@[::1]:1", "socks5://[::1]:1"),
            ("https://u:hun/ter2@h", ""),
            ("u:#hunter2@h", ""),
        ] {
            let address = Address::of(url);
            assert_eq!(address.text, text, "{url}");
            assert!(address.note("host", "KUBE_HOST").unwrap().contains("`KUBE_HOST`"));
        }
        for url in ["https://h:6443", "https://h/a@b", "h:6443/a@b", "h", "https://[::1]/a@b", ""] {
            let address = Address::of(url);
            assert_eq!((&*address.text, address.note("host", "X")), (url, None));
        }
    }
}
