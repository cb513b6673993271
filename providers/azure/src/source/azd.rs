//! Whoever is signed in to the Azure Developer CLI: asked through the program itself.
//!
//! Who that is stands in files of azd's own (`AZD_CONFIG_DIR`, or `~/.azd`), in a form that is not
//! documented. When they were written is part of the key, so that nobody is given the token of whoever
//! was signed in before.

use fleetkey_provider::{BoxFuture, CredentialKey, Error, Host, Result, shown};

use super::{
    Granted, Source, Wanted,
    program::{LIMIT, Question},
};

/// Whoever is signed in to `azd`.
#[derive(Debug)]
pub(crate) struct Azd {
    tenant: Option<String>,
    /// When azd's files were written, as they were found.
    signed_in: String,
}

impl Azd {
    /// Whoever is signed in now; `tenant` is the one the token is to be of.
    pub(crate) fn here(tenant: Option<String>, host: &Host) -> Self {
        let home = || host.path_var("HOME").or_else(|| host.path_var("USERPROFILE"));
        let folder = host.path_var("AZD_CONFIG_DIR").or_else(|| Some(home()?.join(".azd")));
        let stamp = |name| folder.as_ref().and_then(|folder| host.files.stamp(&folder.join(name)));
        let signed_in = format!("{:?}", FILES.map(stamp));
        Self { tenant, signed_in }
    }
}

/// Who is signed in, and the person's settings.
const FILES: [&str; 2] = ["auth.json", "config.json"];

impl Source for Azd {
    fn describe(&self) -> String {
        match &self.tenant {
            Some(tenant) => format!("the account of `azd` in tenant {}", shown(tenant)),
            None => "the account of `azd`".into(),
        }
    }

    fn key(&self, key: &mut CredentialKey) {
        let Self { tenant, signed_in } = self;
        key.field("source", "azd");
        key.field("signed in", signed_in);
        key.maybe("tenant", tenant.as_deref().map(str::to_lowercase).as_deref());
    }

    fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
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
                env: Vec::new(),
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
    use fleetkey_provider::{ExposeSecret, Kind, testing::ScriptedPrograms};

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
        let azd = Azd::here(tenant.map(Into::into), &world.host());
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

    #[test]
    fn who_signs_in_as_somebody_else_is_given_no_token_of_before() {
        let fingerprint = |files: &[(&str, &str)]| {
            let world = World::default().env(&[("HOME", "/h")]);
            let world = files.iter().fold(world, |world, (path, text)| world.file(path, *text));
            let mut key = CredentialKey::new("azure");
            Azd::here(None, &world.host()).key(&mut key);
            key.finish().to_string()
        };
        let nobody = fingerprint(&[]);
        let ann = fingerprint(&[("/h/.azd/auth.json", "ann")]);
        let robert = fingerprint(&[("/h/.azd/auth.json", "robert")]);
        assert!(nobody != ann && ann != robert);
    }
}
