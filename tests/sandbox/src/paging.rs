//! Lists in pages. A token is good for the list it was given for and for no other, and has in it what does not survive
//! being put into a query as it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Some of a list, and what brings the rest.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// The page of a list that a token brings, or the first; none if the token is not of this list.
pub(crate) fn page<T>(
    items: Vec<T>,
    list: &str,
    token: Option<&str>,
    size: usize,
) -> Option<Page<T>> {
    let start = match token {
        Some(token) => read(token, list)?,
        None => 0,
    };
    let more = items.len() > start + size;
    let items = items.into_iter().skip(start).take(size).collect();
    Some(Page { items, next: more.then(|| write(list, start + size)) })
}

fn write(list: &str, start: usize) -> String {
    format!("+/{}=", STANDARD.encode(format!("{list}\n{start}")))
}

fn read(token: &str, list: &str) -> Option<usize> {
    let token = token.strip_prefix("+/")?.strip_suffix('=')?;
    let token = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    token.strip_prefix(list)?.strip_prefix('\n')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_leads_to_the_next() {
        let (mut token, mut seen) = (None, Vec::new());
        let mut pages = 0;
        loop {
            let Page { items, next } = page((0..7).collect(), "a", token.as_deref(), 3).unwrap();
            seen.extend(items);
            pages += 1;
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!((seen, pages), ((0..7).collect::<Vec<i32>>(), 3));
        assert!(page((0..6).collect(), "a", None, 6).unwrap().next.is_none());
    }

    #[test]
    fn a_token_is_good_for_its_own_list_only() {
        let token = page((0..7).collect(), "a", None, 3).unwrap().next.unwrap();
        assert!(token.contains('+') && token.contains('/') && token.contains('='), "{token}");
        assert!(page((0..7).collect(), "a", Some(&token), 3).is_some());
        assert!(page((0..7).collect(), "b", Some(&token), 3).is_none());
        // what is left of a token that was not encoded
        assert!(page((0..7).collect(), "a", Some(&token.replace('+', " ")), 3).is_none());
    }
}
