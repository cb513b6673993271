//! `config` and `clouds.config`: INI, as Python's `configparser` reads it.

use fleetkey_provider::Host;

/// Sections, options and values, in the order they stand there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ini(Vec<(String, String, String)>);

impl Ini {
    /// Whatever can be read; other lines are skipped.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(super::without_marks(bytes));
        let (mut section, mut options) = (String::new(), Vec::new());
        for line in text.lines().map(str::trim) {
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                name.clone_into(&mut section);
            } else if let Some((option, value)) = line.split_once(['=', ':']) {
                let option = option.trim().to_lowercase();
                options.push((section.clone(), option, value.trim().to_owned()));
            }
        }
        Self(options)
    }

    /// The option's value; empty is unset.
    pub(crate) fn get(&self, section: &str, option: &str) -> Option<&str> {
        let found =
            self.0.iter().rev().find(|(s, o, _)| s.eq_ignore_ascii_case(section) && o == option)?;
        Some(found.2.as_str()).filter(|value| !value.is_empty())
    }

    /// The option's value, or that of the variable `AZURE_SECTION_OPTION`, which wins.
    pub(crate) fn setting(&self, section: &str, option: &str, host: &Host) -> Option<String> {
        let variable = format!("AZURE_{section}_{option}").to_uppercase();
        let set = host.text_var(&variable).ok().flatten();
        set.or_else(|| self.get(section, option).map(str::to_owned))
    }

    /// The same for what is on or off.
    pub(crate) fn flag(&self, section: &str, option: &str, host: &Host) -> Option<bool> {
        let value = self.setting(section, option, host)?.to_lowercase();
        match value.as_str() {
            "1" | "yes" | "true" | "on" => Some(true),
            "0" | "no" | "false" | "off" => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    const TEXT: &str = "\u{feff}# az\r\n[cloud]\r\nName = AzureChinaCloud\r\n\n[core]\n; no\n\
        encrypt_token_cache: off\nempty =\n[My Cloud]\nendpoint_active_directory = https://a:1/=b\n";

    #[test]
    fn values_are_what_configparser_reads() {
        let ini = Ini::parse(TEXT.as_bytes());
        assert_eq!(ini.get("cloud", "name"), Some("AzureChinaCloud"));
        assert_eq!(ini.get("core", "encrypt_token_cache"), Some("off"));
        assert_eq!(ini.get("core", "empty"), None);
        assert_eq!(ini.get("core", "name"), None);
        assert_eq!(ini.get("My Cloud", "endpoint_active_directory"), Some("https://a:1/=b"));
    }

    #[test]
    fn variables_win() {
        let ini = Ini::parse(TEXT.as_bytes());
        let host = World::default()
            .env(&[("AZURE_CLOUD_NAME", "AzureCloud"), ("AZURE_CORE_ENCRYPT_TOKEN_CACHE", "maybe")])
            .host();
        assert_eq!(ini.setting("cloud", "name", &host).as_deref(), Some("AzureCloud"));
        assert_eq!(ini.flag("core", "encrypt_token_cache", &host), None);
        let nothing = World::default().host();
        assert_eq!(ini.flag("core", "encrypt_token_cache", &nothing), Some(false));
    }

    #[test]
    fn noise_is_no_option() {
        for noise in ["", "[", "]", "[a\n=\n", "=x", "\u{0}\n[\u{fffd}]", "a\nb"] {
            assert_eq!(Ini::parse(noise.as_bytes()).get("a", "a"), None);
        }
        assert_eq!(Ini::parse(b"\xff\xfe[a]\n\xff=1").get("a", "b"), None);
    }
}
