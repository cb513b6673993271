//! Whoever is signed in to the Azure Developer CLI: asked through the program itself.
//!
//! Who that is stands in files of azd's own (`AZD_CONFIG_DIR`, or `~/.azd`), in a form that is not
//! documented. When they were written is part of the key, so that nobody is given the token of whoever
//! was signed in before. The same goes for those whom azd asks in turn, if it keeps nobody itself:
//! az (`auth.useAzCliAuth` in its `config.json`), or the editor that started it
//! (`AZD_AUTH_ENDPOINT`).

use std::{ffi::OsString, path::Path, time::Duration};

use fleetkey_provider::{
    BoxFuture, CredentialKey, Error, Fingerprint, Host, Result, SessionState, SignedOut, Standing,
    shown,
};
use serde_json::Value;

use super::{
    Granted, Source, Wanted,
    program::{LIMIT, Question},
};
use crate::{arguments::boolean, az::Folder, variables::AZURE_CONFIG_DIR};

/// Whoever is signed in to `azd`.
#[derive(Debug)]
pub(crate) struct Azd {
    tenant: Option<String>,
    /// When azd's files were written, as they were found.
    signed_in: String,
    /// When az's were, if azd asks az.
    az: Option<String>,
    /// Whom else it asks, in `VARIABLES`.
    outside: Option<Fingerprint>,
    /// The folders whose files were looked at, whatever the environment says.
    folders: Vec<(String, OsString)>,
}

impl Azd {
    /// Whoever is signed in now; `tenant` is the one the token is to be of.
    pub(crate) fn here(tenant: Option<String>, host: &Host) -> Result<Self> {
        let mut folders = Vec::new();
        let home = || {
            let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
            Some(host.path_var(name)?.join(".azd"))
        };
        let folder = match host.path_var(AZD_CONFIG_DIR) {
            Some(_) if host.trust.is_strict()? => {
                host.notes.note(&format!("`{AZD_CONFIG_DIR}` is ignored: strict"));
                home()
            }
            Some(path) => Some(path),
            None => home(),
        };
        if let Some(folder) = &folder {
            folders.push((AZD_CONFIG_DIR.to_owned(), folder.into()));
        }
        let stamp = |name| folder.as_ref().and_then(|folder| host.files.stamp(&folder.join(name)));
        let signed_in = format!("{:?}", [AUTH, CONFIG].map(stamp));
        let mut az = None;
        if folder.as_ref().is_some_and(|folder| asks_az(&folder.join(CONFIG), host)) {
            let of_az = Folder::find(None, host)?;
            if let Some(folder) = &of_az {
                folders.push((AZURE_CONFIG_DIR.to_owned(), folder.path().into()));
            }
            az = Some(format!(
                "{:?}",
                of_az.map(|folder| (folder.profile_stamp(host), folder.token_stamps(host)))
            ));
        }
        let values = VARIABLES.map(|name| host.env.var(name).filter(|value| !value.is_empty()));
        let outside = values
            .iter()
            .any(Option::is_some)
            .then(|| Fingerprint::of(format!("{values:?}").as_bytes()));
        Ok(Self { tenant, signed_in, az, outside, folders })
    }
}

/// Whether azd asks az. What cannot be read may say so.
fn asks_az(config: &Path, host: &Host) -> bool {
    let config = match host.files.read(config) {
        Ok(None) => return false,
        Ok(Some(bytes)) => serde_json::from_slice::<Value>(&bytes).ok(),
        Err(_) => None,
    };
    let Some(config) = config else { return true };
    match config.pointer("/auth/useAzCliAuth") {
        None => false,
        // azd writes a string, of Go's words for it
        Some(Value::String(text)) => boolean(text).unwrap_or(false),
        Some(Value::Bool(is_on)) => *is_on,
        Some(_) => true,
    }
}

/// Where azd keeps its files, if not in `~/.azd`.
const AZD_CONFIG_DIR: &str = "AZD_CONFIG_DIR";
/// Who is signed in.
const AUTH: &str = "auth.json";
/// The person's settings.
const CONFIG: &str = "config.json";
/// Whom azd asks in place of its own files, and what it shows them.
const VARIABLES: [&str; 2] = ["AZD_AUTH_ENDPOINT", "AZD_AUTH_KEY"];

impl Source for Azd {
    fn describe(&self) -> String {
        match &self.tenant {
            Some(tenant) => format!("the account of `azd` in tenant {}", shown(tenant)),
            None => "the account of `azd`".into(),
        }
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { tenant, signed_in, az, outside, folders: _ } = self;
        key.field("source", "azd");
        key.field("signed in", signed_in);
        key.maybe("az", az.as_deref());
        key.maybe("outside", outside.map(|value| value.to_string()).as_deref());
        key.maybe("tenant", tenant.as_deref().map(str::to_lowercase).as_deref());
    }

    fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    fn patience(&self) -> Option<Duration> {
        Some(LIMIT)
    }

    /// Whatever azd has, it is asked; only it knows whether somebody is signed in.
    fn session_state(&self, _host: &Host) -> SessionState {
        let is_az = self.az.is_some() && self.outside.is_none();
        let keeper = Some(if is_az { "az" } else { "azd" });
        SessionState::SignedIn(Standing { renews: true, keeper, ..Standing::default() })
    }

    fn sign_out(&self, _host: &Host) -> Result<SignedOut> {
        let who = self.describe();
        let left = match (&self.az, self.outside) {
            (_, Some(_)) => {
                format!("{who}: azd asks the editor that started it, which keeps its own session")
            }
            (Some(_), _) => {
                format!("{who}: azd asks az, which keeps its own session until `az logout`")
            }
            (None, None) => format!("{who}: azd keeps its own session until `azd auth logout`"),
        };
        Ok(SignedOut { left: vec![left], ..SignedOut::default() })
    }

    fn obtain<'a>(&'a self, wanted: &'a Wanted, host: &'a Host) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            if wanted.req_cnf.is_some() {
                return Err(Error::config("a token of `azd` is bound to no key")
                    .because("`--pop-enabled` is for people and applications"));
            }
            let scope = wanted.server.scope();
            let mut args = ["auth", "token", "-o", "json", "--no-prompt", "--scope", &scope]
                .map(str::to_owned)
                .to_vec();
            if let Some(tenant) = &self.tenant {
                args.extend(["--tenant-id".to_owned(), tenant.clone()]);
            }
            let question = Question {
                name: "azd",
                args,
                env: self.folders.clone(),
                limit: LIMIT,
                field: "token",
                sign_in: "azd auth login".into(),
                why: "`--login azd` asks it for every token".into(),
            };
            question.ask(host).await.map(|access_token| Granted { access_token })
        })
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{
        ExposeSecret, Kind,
        testing::{ScriptedPrograms, StaticTrust},
    };

    use super::*;
    use crate::{
        server_id::AKS,
        testing::{World, now, wanted},
    };

    fn world(code: i32, stdout: &str, stderr: &str) -> World {
        let programs = ScriptedPrograms::default().with("azd", code, stdout, stderr);
        World { programs, ..World::default() }
    }

    fn obtain(world: &World, tenant: Option<&str>) -> Result<Granted> {
        let azd = Azd::here(tenant.map(Into::into), &world.host())?;
        now(azd.obtain(&wanted(), &world.host()))
    }

    #[test]
    fn it_is_asked_without_a_prompt() {
        let answer = r#"{"token":"t","expiresOn":"2026-01-02T04:00:00Z"}"#;
        for tenant in [None, Some("contoso.com")] {
            let world = world(0, answer, "");
            assert_eq!(obtain(&world, tenant).unwrap().access_token.expose_secret(), "t");
            let [run] = &world.programs.started()[..] else { panic!("one run") };
            let scope = format!("{AKS}/.default");
            let mut args = vec!["auth", "token", "-o", "json", "--no-prompt", "--scope", &scope];
            args.extend(tenant.iter().flat_map(|tenant| ["--tenant-id", tenant]));
            assert_eq!(
                (run.name.as_str(), &run.args),
                ("azd", &args.iter().map(|a| (*a).to_owned()).collect())
            );
            assert_eq!(run.limit.as_secs(), 60);
        }
    }

    #[test]
    fn its_failures_are_told_apart() {
        for (code, stdout, stderr, kind, next) in [
            (
                1,
                "",
                "ERROR: fetching token: not logged in, run `azd auth login` to login\n",
                Kind::SignInNeeded,
                Some("azd auth login"),
            ),
            (1, "", "ERROR: dial tcp: lookup x: no such host", Kind::Unavailable, None),
            (2, "", "", Kind::Failed, None),
            (0, "", "", Kind::Failed, None),
            (0, "{}", "", Kind::Failed, None),
            (0, "[\"t\"]", "", Kind::Failed, None),
        ] {
            let error = obtain(&world(code, stdout, stderr), None).unwrap_err();
            assert_eq!((error.kind(), error.next_line()), (kind, next), "{error}");
        }
        let error = obtain(&World::default(), None).unwrap_err();
        assert_eq!((error.kind(), error.next_line()), (Kind::Config, Some("command -v azd")));
    }

    const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

    fn key_of(host: &Host) -> String {
        let mut key = CredentialKey::new("azure");
        Azd::here(None, host).unwrap().key(&mut key);
        key.finish().to_string()
    }

    fn at_home(files: &[(&str, &str)]) -> World {
        let world = World::default().env(&[(HOME, "/h")]);
        files.iter().fold(world, |world, (path, text)| world.file(path, *text))
    }

    #[test]
    fn who_signs_in_as_somebody_else_is_given_no_token_of_before() {
        let fingerprint = |files: &[(&str, &str)]| key_of(&at_home(files).host());
        let nobody = fingerprint(&[]);
        let ann = fingerprint(&[("/h/.azd/auth.json", "ann")]);
        let robert = fingerprint(&[("/h/.azd/auth.json", "robert")]);
        assert!(nobody != ann && ann != robert);
    }

    #[test]
    fn whom_azd_asks_in_turn_is_part_of_the_key() {
        let profile = |config: &str, text: &str| {
            key_of(
                &at_home(&[("/h/.azd/config.json", config), ("/h/.azure/azureProfile.json", text)])
                    .host(),
            )
        };
        for (config, asks) in [
            (r#"{"auth":{"useAzCliAuth":"true"}}"#, true),
            (r#"{"auth":{"useAzCliAuth":"1"}}"#, true),
            (r#"{"auth":{"useAzCliAuth":true}}"#, true),
            ("{", true),
            (r#"{"auth":{"useAzCliAuth":"false"}}"#, false),
            (r#"{"auth":{}}"#, false),
            ("{}", false),
        ] {
            assert_eq!(profile(config, "ann") != profile(config, "robert"), asks, "{config}");
        }
        let on = r#"{"auth":{"useAzCliAuth":"true"}}"#;
        let with_tokens = |tokens: &str| {
            let world = at_home(&[("/h/.azd/config.json", on), ("/az/azureProfile.json", "ann")]);
            let world = world.env(&[("AZURE_CONFIG_DIR", "/az")]);
            key_of(&world.file("/az/msal_token_cache.json", tokens).host())
        };
        assert_ne!(with_tokens("a"), with_tokens("ab"));

        let outside = |env: &[(&str, &str)]| key_of(&at_home(&[]).env(env).host());
        let one = outside(&[("AZD_AUTH_ENDPOINT", "http://127.0.0.1:1")]);
        assert_ne!(one, outside(&[]));
        assert_ne!(one, outside(&[("AZD_AUTH_ENDPOINT", "http://127.0.0.1:2")]));
        assert_ne!(
            one,
            outside(&[("AZD_AUTH_ENDPOINT", "http://127.0.0.1:1"), ("AZD_AUTH_KEY", "k")])
        );
        assert_eq!(outside(&[("AZD_AUTH_ENDPOINT", "")]), outside(&[]));
    }

    #[test]
    fn a_sign_out_names_whose_session_is_left() {
        let on = r#"{"auth":{"useAzCliAuth":"true"}}"#;
        let outside = ("AZD_AUTH_ENDPOINT", "http://127.0.0.1:1");
        for (config, env, keeper, ends) in [
            ("{}", None, "azd", "azd keeps its own session until `azd auth logout`"),
            (on, None, "az", "azd asks az, which keeps its own session until `az logout`"),
            (on, Some(outside), "azd", "the editor that started it, which keeps its own session"),
        ] {
            let world = at_home(&[("/h/.azd/config.json", config)]);
            let world = env.iter().fold(world, |world, pair| world.env(&[*pair]));
            let azd = Azd::here(None, &world.host()).unwrap();
            let SessionState::SignedIn(standing) = azd.session_state(&world.host()) else {
                panic!("{config}")
            };
            assert_eq!(standing.keeper, Some(keeper), "{config}");
            let out = azd.sign_out(&world.host()).unwrap();
            assert!(out.done.is_empty() && out.left[0].ends_with(ends), "{:?}", out.left);
            assert!(world.programs.started().is_empty());
        }
    }

    #[test]
    fn a_strict_machine_lets_no_variable_move_azds_files() {
        let programs = ScriptedPrograms::default().with("azd", 0, r#"{"token":"t"}"#, "");
        let world = World { programs, ..at_home(&[]) }.env(&[(AZD_CONFIG_DIR, "/elsewhere")]);
        let mut strict = world.host();
        strict.trust = Box::new(StaticTrust { strict: true, ..StaticTrust::default() });
        for (host, folder) in [(world.host(), "/elsewhere".into()), (strict, home_folder())] {
            let azd = Azd::here(None, &host).unwrap();
            now(azd.obtain(&wanted(), &host)).unwrap();
            let run = world.programs.started().pop().unwrap();
            assert_eq!(run.env, [(AZD_CONFIG_DIR.to_owned(), folder)]);
        }
    }

    fn home_folder() -> OsString {
        Path::new("/h").join(".azd").into()
    }
}
