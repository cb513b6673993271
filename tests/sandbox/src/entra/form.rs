//! A form as it was sent: every name once, and an empty value is none.

use url::form_urlencoded;

use super::errors::{Refusal, Result};
use crate::http::Request;

#[derive(Debug)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The body of a POST; what stands in the query does not count.
    pub(crate) fn posted(request: &Request) -> Result<Self> {
        if request.method != "POST" {
            return Err(Refusal::new(
                900_561,
                format!(
                    "The endpoint only accepts POST requests. Received a {} request.",
                    request.method
                ),
            ));
        }
        let kind = request.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let form = kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        Self::of(if form { &request.body } else { b"" })
    }

    /// The query of a GET.
    pub(crate) fn query(request: &Request) -> Result<Self> {
        Self::of(request.query().as_bytes())
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
        for (index, (name, _)) in pairs.iter().enumerate() {
            if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Refusal::malformed(&format!("parameter '{name}' is duplicated")));
            }
        }
        Ok(Self(pairs))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs.find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(crate) fn need(&self, name: &str) -> Result<&str> {
        self.find(name).ok_or_else(|| Refusal::missing(name))
    }

    /// `claims`, which has to be a JSON object.
    pub(crate) fn claims(&self) -> Result<Option<serde_json::Value>> {
        let Some(text) = self.find("claims") else { return Ok(None) };
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(claims) if claims.is_object() => Ok(Some(claims)),
            _ => Err(Refusal::malformed("claims")),
        }
    }
}
