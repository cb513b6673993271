//! A code that a person types on any device (RFC 8628).

use fleetkey_provider::{Error, Host, Result, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::{AGAIN, Client, Endpoints, Failure, Form, Purpose, Tokens, Version};
use fleetkey_provider::{ExposeSecret, Retry};
use std::time::Duration;

/// A code, and where it is typed.
#[derive(Clone, Debug)]
pub(crate) struct DeviceCode {
    secret: SecretString,
    /// What the person types.
    pub(crate) user_code: String,
    /// Where they type it: https.
    pub(crate) page: Url,
    /// How long to wait between two questions.
    pub(crate) interval: Duration,
    /// How long the code is good.
    pub(crate) life: Duration,
}

impl Client {
    /// Asks for a code. `claims` is what the person has to be asked beside the usual.
    pub(crate) async fn device_code(
        &self,
        endpoints: &Endpoints,
        claims: Option<&str>,
        purpose: Purpose<'_>,
        host: &Host,
    ) -> Result<DeviceCode> {
        let Some(endpoint) = &endpoints.device else {
            return Err(Error::config("this authority has no codes for other devices")
                .because("it names no `device_authorization_endpoint`"));
        };
        let form = self.scoped(Form::default(), purpose).maybe("claims", claims);
        let here = self.authority.endpoint.is_loopback();
        let read = |body: &[u8]| DeviceCode::parse(body, here);
        Ok(self.ask(endpoint, &form, purpose, AGAIN, read, host).await?)
    }

    /// Asks whether the code was typed.
    pub(crate) async fn redeem_device_code(
        &self,
        endpoints: &Endpoints,
        code: &DeviceCode,
        claims: Option<&str>,
        purpose: Purpose<'_>,
        host: &Host,
    ) -> Result<Tokens, Failure> {
        let secret = code.secret.expose_secret();
        let form = match self.version {
            Version::V1 => Form::grant("device_code").with("code", secret),
            Version::V2 => Form::grant("urn:ietf:params:oauth:grant-type:device_code")
                .with("device_code", secret),
        };
        let form = form.maybe("claims", claims);
        self.redeem(endpoints, form, purpose, Retry::Never, host).await
    }
}

impl DeviceCode {
    /// From an answer of either version; `here` if the authority is this machine.
    fn parse(body: &[u8], here: bool) -> Option<Self> {
        let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let text = |name: &str| body.get(name)?.as_str().filter(|text| !text.is_empty());
        // v1 writes numbers as strings
        let seconds = |name: &str| match body.get(name)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let page =
            Url::parse(text("verification_uri").or_else(|| text("verification_url"))?).ok()?;
        let user_code = text("user_code")?;
        let is_code = user_code.len() <= 32
            && user_code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let is_page = page.scheme() == "https"
            || (here
                && page.scheme() == "http"
                && matches!(page.host_str(), Some("localhost" | "127.0.0.1")));
        let is_plain = page.username().is_empty() && page.password().is_none();
        (is_code && is_page && is_plain).then_some(())?;
        Some(Self {
            secret: text("device_code")?.into(),
            user_code: user_code.to_owned(),
            page,
            interval: Duration::from_secs(seconds("interval").unwrap_or(5).clamp(1, 60)),
            life: Duration::from_secs(seconds("expires_in").unwrap_or(900).clamp(1, 900)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Option<DeviceCode> {
        DeviceCode::parse(body.as_bytes(), false)
    }

    #[test]
    fn both_versions_are_read() {
        let code = parse(
            r#"{"device_code":"d","user_code":"AB-1","verification_uri":"https://microsoft.com/devicelogin",
                "interval":3,"expires_in":600,"message":"x"}"#,
        )
        .unwrap();
        assert_eq!(
            (code.user_code.as_str(), code.interval.as_secs(), code.life.as_secs()),
            ("AB-1", 3, 600)
        );
        assert_eq!(code.page.as_str(), "https://microsoft.com/devicelogin");
        let code = parse(
            r#"{"device_code":"d","user_code":"AB","verification_url":"https://aka.ms/devicelogin",
                "interval":"0","expires_in":"9999999"}"#,
        )
        .unwrap();
        assert_eq!((code.interval.as_secs(), code.life.as_secs()), (1, 900));
        let code = parse(
            r#"{"device_code":"d","user_code":"A","verification_uri":"https://x","interval":-5}"#,
        );
        assert_eq!(code.unwrap().interval.as_secs(), 5);
    }

    #[test]
    fn what_would_mislead_a_person_is_no_code() {
        for (code, page) in [
            ("AB", "http://microsoft.com/devicelogin"),
            ("AB", "javascript:alert(1)"),
            ("AB", "file:///etc/passwd"),
            ("AB", "https://microsoft.com@evil.example/"),
            ("AB", "http://localhost/"),
            ("AB", "microsoft.com"),
            ("", "https://microsoft.com"),
            ("A\u{1b}[2J", "https://microsoft.com"),
            ("A\nenter it at evil.example", "https://microsoft.com"),
            (&"A".repeat(33), "https://microsoft.com"),
        ] {
            let body = serde_json::json!({ "device_code": "d", "user_code": code, "verification_uri": page });
            assert!(parse(&body.to_string()).is_none(), "{body}");
        }
        let deep = "[".repeat(10_000);
        for body in [
            "",
            "{}",
            "[]",
            &deep,
            r#"{"device_code":1,"user_code":"A","verification_uri":"https://x"}"#,
        ] {
            assert!(parse(body).is_none());
        }
        let here =
            r#"{"device_code":"d","user_code":"A","verification_uri":"http://127.0.0.1:1/d"}"#;
        assert!(DeviceCode::parse(here.as_bytes(), true).is_some());
    }
}
