//! Somebody's browser: opens the page that a program named, picks who to be, and goes where it is sent.

use std::io;

use url::Url;

use super::authorize::pressed;
use crate::aws::accounts::User;
use crate::aws::sso::browser::{follow, landed};
use crate::client::Reply;
use crate::entra::Landed;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// A person opens a page of AWS Sign-In and picks that user; the browser goes where it is sent. Lands on the
    /// program's page, or on one that says what is wrong with the request.
    pub fn console_browse(&self, url: &str, user: &User) -> io::Result<Landed> {
        self.console(url, Some(&user.arn), follow)
    }

    /// The same, but the person says no.
    pub fn console_browse_declines(&self, url: &str) -> io::Result<Landed> {
        self.console(url, None, follow)
    }

    /// The same on another device than the program's: what its page shows, to be typed there.
    pub fn console_code(&self, url: &str, user: &User) -> io::Result<String> {
        let client = self.client()?;
        let landed =
            self.console(url, Some(&user.arn), |from, reply| match reply.header("location") {
                Some(location) => Ok(landed(location, &client.get(location, &[])?)),
                None => Ok(landed(from, reply)),
            })?;
        let code = landed.body.split_once("<code>").and_then(|(_, rest)| rest.split_once('<'));
        code.map(|(code, _)| code.to_owned())
            .ok_or_else(|| io::Error::other(format!("no code is shown: {landed:?}")))
    }

    fn console(
        &self,
        url: &str,
        arn: Option<&str>,
        then: impl Fn(&str, &Reply) -> io::Result<Landed>,
    ) -> io::Result<Landed> {
        let client = self.client()?;
        let page = client.get(url, &[("Accept", "text/html")])?;
        let text = page.text();
        let id =
            text.split_once("name=\"page\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
        let Some((id, _)) = id else { return Ok(landed(url, &page)) };
        let to = Url::parse(url).and_then(|url| url.join("login")).map_err(io::Error::other)?;
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let reply = client.send("POST", to.as_str(), &headers, pressed(id, arn).as_bytes())?;
        then(to.as_str(), &reply)
    }
}
