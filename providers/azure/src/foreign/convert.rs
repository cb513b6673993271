//! `kubelogin convert-kubeconfig`, as kubelogin does it: what scripts and `az aks` call to put kubelogin
//! into a kubeconfig.
//!
//! What it writes is what kubelogin would write, its habits included; who wants better converts with
//! `fleetkey`. One thing is otherwise: users of int128's kubelogin are left alone, on which kubelogin
//! itself would fail.

use std::collections::BTreeMap;

use fleetkey_provider::{Conversion, Error, Foreign, Manner, Result, WrittenExec};

use super::{
    auth_provider,
    flags::{self, Values},
    kubelogin_line::{GET_TOKEN, NAME, is_int128s},
    manner::Kubelogin,
    stand_in::{AZURE_CONFIG_DIR, CONTEXT, KUBECONFIG, effective_login},
    variables_win,
};
use crate::{login::Login, variables};

/// What was typed, after the environment had its say.
pub(super) struct Convert {
    login: Login,
    typed: Values,
}

impl Convert {
    /// From the flags. A variable says nothing where no flag is typed, but for the login.
    pub(super) fn new(mut typed: Values, var: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let login = effective_login(&typed, var)?;
        if !flags::is_on(&typed, flags::DISABLE_ENVIRONMENT_OVERRIDE) {
            for flag in variables_win::FLAGS.into_iter().filter_map(flags::named) {
                if typed.contains_key(flag.name)
                    && let Some(winner) = variables_win::over(flag.name, Some(login), &typed, var)
                {
                    typed.insert(flag.name, winner.value);
                }
            }
        }
        Ok(Self { login, typed })
    }
}

impl Conversion for Convert {
    fn kubeconfig(&self) -> Option<&str> {
        flags::filled(&self.typed, KUBECONFIG)
    }

    fn context(&self) -> Option<&str> {
        flags::filled(&self.typed, CONTEXT)
    }

    fn convert(
        &self,
        foreign: &Foreign,
        install_hint: Option<&str>,
    ) -> Option<Result<WrittenExec>> {
        let was = match foreign {
            Foreign::Program { name, args, .. } if name.contains(NAME) && !is_int128s(args) => {
                Was::Exec(args)
            }
            Foreign::AuthProvider { name, config } if name == auth_provider::NAME => {
                Was::Settings(config)
            }
            _ => return None,
        };
        let hint = install_hint.filter(|hint| !hint.is_empty()).unwrap_or(INSTALL_HINT);
        Some(Writing { typed: &self.typed, was, login: self.login, args: Vec::new() }.exec(hint))
    }

    fn manner(&self) -> &dyn Manner {
        &Kubelogin
    }
}

/// What a user was before.
enum Was<'a> {
    Exec(&'a [String]),
    Settings(&'a BTreeMap<String, String>),
}

/// The new arguments, as they grow.
struct Writing<'a> {
    typed: &'a Values,
    was: Was<'a>,
    login: Login,
    args: Vec<String>,
}

impl Writing<'_> {
    fn exec(mut self, hint: &str) -> Result<WrittenExec> {
        self.args.push(GET_TOKEN.to_owned());
        self.push(flags::LOGIN, self.login.name().to_owned());
        self.required(flags::SERVER_ID)?;
        let cache = self.value(flags::CACHE_DIR).or_else(|| self.had("token-cache-dir"));
        if let Some(cache) = cache {
            self.push(flags::CACHE_DIR, cache);
        }
        self.of_the_login()?;
        let config_dir = flags::filled(self.typed, AZURE_CONFIG_DIR);
        let config_dir = config_dir.filter(|_| self.login == Login::AzureCli);
        Ok(WrittenExec {
            api_version: "client.authentication.k8s.io/v1beta1".to_owned(),
            command: NAME.to_owned(),
            args: self.args,
            env: config_dir
                .map(|folder| (variables::AZURE_CONFIG_DIR.to_owned(), folder.to_owned()))
                .into_iter()
                .collect(),
            install_hint: Some(hint.to_owned()),
        })
    }

    fn of_the_login(&mut self) -> Result<()> {
        match self.login {
            Login::DeviceCode => {
                self.of_an_application()?;
                self.legacy();
            }
            Login::Interactive => {
                self.of_an_application()?;
                self.pop()?;
                self.optional("redirect-url");
                self.optional("login-hint");
            }
            Login::Spn => {
                self.of_an_application()?;
                self.typed(&["client-secret", "client-certificate", "client-certificate-password"]);
                self.legacy();
                self.pop()?;
                if self.typed.contains_key(flags::DISABLE_ENVIRONMENT_OVERRIDE) {
                    self.args.push(format!("--{}", flags::DISABLE_ENVIRONMENT_OVERRIDE));
                }
            }
            Login::Ropc => {
                self.of_an_application()?;
                self.typed(&["username", "password"]);
                self.legacy();
                self.pop()?;
            }
            Login::Msi if self.typed.contains_key(flags::CLIENT_ID) => {
                self.typed(&[flags::CLIENT_ID]);
            }
            Login::Msi => self.typed(&[flags::IDENTITY_RESOURCE_ID]),
            Login::AzureCli => self.typed(&["tenant-id", "subscription"]),
            Login::Azd => self.typed(&["tenant-id"]),
            Login::WorkloadIdentity => self.typed(&[
                flags::CLIENT_ID,
                "tenant-id",
                "authority-host",
                "federated-token-file",
            ]),
            Login::AzurePipelines => {
                self.required("tenant-id")?;
                self.typed(&["azure-pipelines-service-connection-id"]);
            }
            // not one of kubelogin's
            Login::Auto => {}
        }
        Ok(())
    }

    fn of_an_application(&mut self) -> Result<()> {
        self.required(flags::CLIENT_ID)?;
        self.required("tenant-id")?;
        self.optional(flags::ENVIRONMENT);
        Ok(())
    }

    fn legacy(&mut self) {
        let is_on = flags::is_on(self.typed, "legacy")
            || match self.was {
                Was::Exec(args) => args.iter().any(|arg| arg == "--legacy"),
                Was::Settings(config) => auth_provider::is_legacy(config),
            };
        if is_on {
            self.args.push("--legacy".to_owned());
        }
    }

    fn pop(&mut self) -> Result<()> {
        let is_enabled = match (self.typed.get(flags::POP_ENABLED), &self.was) {
            (Some(typed), _) => typed == "true",
            (None, Was::Exec(args)) => args.iter().any(|arg| arg == "--pop-enabled"),
            (None, Was::Settings(_)) => false,
        };
        match (is_enabled, self.value(flags::POP_CLAIMS)) {
            (true, Some(claims)) => {
                self.args.push("--pop-enabled".to_owned());
                self.push(flags::POP_CLAIMS, claims);
                Ok(())
            }
            (true, None) => Err(Error::failed("`--pop-enabled` needs `--pop-claims`")),
            (false, Some(_)) => Err(Error::failed("`--pop-claims` needs `--pop-enabled`")),
            (false, None) => Ok(()),
        }
    }

    fn required(&mut self, flag: &'static str) -> Result<()> {
        let value = self.value(flag);
        let value = value.ok_or_else(|| Error::failed(format!("`--{flag}` is required")))?;
        self.push(flag, value);
        Ok(())
    }

    fn optional(&mut self, flag: &'static str) {
        if let Some(value) = self.value(flag) {
            self.push(flag, value);
        }
    }

    /// What only a flag that is typed says.
    fn typed(&mut self, flags: &[&'static str]) {
        for flag in flags {
            if let Some(value) = self.typed.get(flag) {
                self.push(flag, value.clone());
            }
        }
    }

    /// What is typed, else what the user had. An empty value is none.
    fn value(&self, flag: &'static str) -> Option<String> {
        match self.typed.get(flag) {
            Some(typed) => Some(typed.clone()).filter(|value| !value.is_empty()),
            None => self.had(flag),
        }
    }

    /// What the user had: in arguments a long flag and what stands behind it.
    fn had(&self, flag: &str) -> Option<String> {
        let value = match &self.was {
            Was::Exec(args) => {
                let long = format!("--{flag}");
                args.windows(2).find(|pair| pair[0] == long).map(|pair| pair[1].clone())
            }
            Was::Settings(config) => {
                let setting = auth_provider::SETTINGS.iter().find(|(_, name)| *name == flag);
                setting.and_then(|(setting, _)| config.get(*setting).cloned())
            }
        };
        value.filter(|value| !value.is_empty())
    }

    fn push(&mut self, flag: &str, value: String) {
        self.args.extend([format!("--{flag}"), value]);
    }
}

const INSTALL_HINT: &str = "
This cluster wants a sign-in with Entra ID, and the program for it is not installed: `kubelogin`, or
`fleetkey` under that name.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::kubelogin_line;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn entry(line: &str) -> Foreign {
        Foreign::Program { name: NAME.into(), args: words(line), env: Vec::new() }
    }

    fn converted(flags: &str, env: &[(&str, &str)], foreign: &Foreign) -> Result<String> {
        let more = [(AZURE_CONFIG_DIR, None, flags::Takes::Text)];
        let typed = kubelogin_line::line(&words(flags), &more).unwrap().values;
        let var = |name: &str| {
            env.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).into())
        };
        let convert = Convert::new(typed, &var)?;
        let exec = convert.convert(foreign, None).unwrap()?;
        assert_eq!(
            (&*exec.command, &*exec.api_version),
            (NAME, "client.authentication.k8s.io/v1beta1")
        );
        Ok(exec.args.join(" "))
    }

    const ENTRY: &str = "get-token --server-id s --client-id c --tenant-id t --login devicecode";

    #[test]
    fn its_habits_are_kept() {
        for (flags, env, was, expected) in [
            // a variable wins over a typed flag, and says nothing without one
            (
                "-l spn --client-id flag",
                &[("AZURE_CLIENT_ID", "env"), ("AZURE_TENANT_ID", "env")][..],
                ENTRY,
                "get-token --login spn --server-id s --client-id env --tenant-id t",
            ),
            (
                "-l spn --client-id flag --disable-environment-override=false",
                &[("AAD_LOGIN_METHOD", "msi")],
                ENTRY,
                "get-token --login msi --server-id s --client-id flag",
            ),
            // other spellings are not seen
            (
                "-l azd -t x",
                &[],
                "get-token --server-id s --cache-dir=/c --token-cache-dir /d",
                "get-token --login azd --server-id s --cache-dir /d --tenant-id x",
            ),
            (
                "-l azurepipelines --azure-pipelines-service-connection-id a",
                &[],
                ENTRY,
                "get-token --login azurepipelines --server-id s --tenant-id t \
                 --azure-pipelines-service-connection-id a",
            ),
        ] {
            assert_eq!(converted(flags, env, &entry(was)).unwrap(), expected, "{flags}");
        }
    }

    #[test]
    fn the_folder_of_az_goes_into_the_environment() {
        let more = [(AZURE_CONFIG_DIR, None, flags::Takes::Text)];
        for (login, expected) in [("azurecli", 1), ("azd", 0)] {
            let line = format!("-l {login} --azure-config-dir /some/dir");
            let typed = kubelogin_line::line(&words(&line), &more).unwrap().values;
            let convert = Convert::new(typed, &|_| None).unwrap();
            let exec = convert.convert(&entry(ENTRY), None).unwrap().unwrap();
            assert_eq!(exec.env.len(), expected, "{login}");
            assert!(
                exec.env.iter().all(|(name, value)| {
                    (&**name, &**value) == ("AZURE_CONFIG_DIR", "/some/dir")
                })
            );
        }
    }

    #[test]
    fn what_it_needs_is_said() {
        for (flags, was, message) in [
            ("-l msi", "get-token", "`--server-id` is required"),
            ("-l spn", "get-token --server-id=s", "`--server-id` is required"),
            ("", "get-token --server-id s", "`--client-id` is required"),
            ("", "get-token --server-id s --client-id c", "`--tenant-id` is required"),
            ("-l foo", ENTRY, "`--login` names no way to sign in: `foo`"),
        ] {
            let error = converted(flags, &[], &entry(was)).unwrap_err();
            assert_eq!(error.message(), message, "{flags}");
        }
    }

    #[test]
    fn only_users_of_azures_kubelogin_are_touched() {
        let convert = Convert::new(Values::new(), &|_| None).unwrap();
        let program = |name: &str, args: &str| Foreign::Program {
            name: name.into(),
            args: words(args),
            env: Vec::new(),
        };
        assert!(convert.convert(&program("aws", "eks get-token"), None).is_none());
        assert!(convert.convert(&program(NAME, "get-token --oidc-issuer-url=x"), None).is_none());
        let named = program("my-kubelogin.sh", ENTRY);
        let exec = convert.convert(&named, Some("mine")).unwrap().unwrap();
        assert_eq!(exec.install_hint.as_deref(), Some("mine"));
        let exec = convert.convert(&named, Some("")).unwrap().unwrap();
        assert_eq!(exec.install_hint.as_deref(), Some(INSTALL_HINT));
        let other = Foreign::AuthProvider { name: "gcp".into(), config: BTreeMap::new() };
        assert!(convert.convert(&other, None).is_none());
    }
}
