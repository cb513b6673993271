//! What a browser on loopback is shown: one page that ends the visit, and nothing for anybody else.
//!
//! Nothing of the callback is in it, it runs no script, loads nothing, and nothing keeps it.

/// One rule for all: readable, whatever the size of the window.
const STYLE: &str =
    "body{font:1.2rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}";
/// SHA-256 of [`STYLE`], the one style that is allowed.
const STYLE_HASH: &str = "sha256-jcfSy6sQzqQwwkhm/8KOr99bFruUgOad+CgzEr7Y3Xg=";

/// The answer to the right callback, whole.
pub(super) fn finished(purpose: &str, worked: bool) -> Vec<u8> {
    let (title, next) = if worked {
        ("You are signed in", "You can close this tab and go back to the terminal.")
    } else {
        ("That did not work", "The terminal says why. You can close this tab and go back to it.")
    };
    let purpose = escaped(purpose);
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title} - fleetkey</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<p>fleetkey: {purpose}</p>\n<p>{next}</p>\n</body>\n</html>\n"
    );
    answer("200 OK", "text/html; charset=utf-8", &body)
}

/// The answer to everything else.
pub(super) fn not_found() -> Vec<u8> {
    answer("404 Not Found", "text/plain; charset=utf-8", "nothing is here\n")
}

fn answer(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\
         Content-Security-Policy: default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'\r\n\
         Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\r\n{body}"
    )
    .into_bytes()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    #[test]
    fn the_one_style_is_the_one_that_is_allowed() {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, STYLE.as_bytes());
        assert_eq!(STYLE_HASH, format!("sha256-{}", STANDARD.encode(hash)));
    }

    #[test]
    fn what_it_is_for_is_text_and_nothing_runs() {
        let page = finished("sign in to <script>alert('&\"')</script>", true);
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;"));
        assert!(!page.contains("<script"));
        assert!(page.contains("signed in") && page.contains("close this tab"));
        let (head, body) = page.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        for header in [
            "Cache-Control: no-store",
            "Connection: close",
            "Content-Security-Policy: default-src 'none'",
            "Referrer-Policy: no-referrer",
        ] {
            assert!(head.contains(header), "{header}");
        }
    }

    #[test]
    fn a_failure_points_at_the_terminal() {
        let page = String::from_utf8(finished("sign in", false)).unwrap();
        assert!(page.contains("did not work") && page.contains("terminal"));
        assert!(!page.contains("signed in"));
    }
}
