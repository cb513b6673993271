//! Renewal ahead over SSO: the session is renewed for one role, and the others do not notice.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use fleetkey_sandbox::{Fault, Gate, Route};
use jiff::SignedDuration;

use crate::{
    renewal::{DUE, age, renewing},
    support::{PATIENCE, Program, Stage, say, until},
};

const AUDITOR: &str = "\n[profile auditor]\nsso_session = corp\nsso_account_id = 444455556666\n\
                       sso_role_name = Auditor\n";

/// Two roles of one session, whose every token has to be renewed for whatever is lent next.
struct Roles {
    stage: Stage,
    /// The profile of each, and what is kept of it.
    roles: [(&'static str, PathBuf); 2],
}

impl Roles {
    fn new() -> Self {
        let stage = Stage::new();
        stage.sandbox.grant_sso("alice@example.com", "444455556666", "Auditor");
        let mut config =
            OpenOptions::new().append(true).open(stage.home.join(".aws/config")).unwrap();
        config.write_all(AUDITOR.as_bytes()).unwrap();
        let minutes = SignedDuration::from_mins(4);
        let session = stage.sandbox.sso_sign_in("alice@example.com").access_token_for(minutes);
        stage.home.sso_token("corp", &session.done()).unwrap();
        stage.sandbox.sso_token_lifetime(Some(minutes.unsigned_abs()));
        let mut known = Vec::new();
        let roles = ["sso", "auditor"].map(|profile| {
            stage.who(&stage.with_profile(profile).run());
            let kept = stage.kept().into_iter().find(|path| !known.contains(path)).unwrap();
            known.push(kept.clone());
            (profile, kept)
        });
        Self { stage, roles }
    }

    fn get(&self, role: usize) -> Program {
        self.stage.with_profile(self.roles[role].0)
    }

    /// What was kept of that role is nearly over; what was left for `aws` would serve for longer.
    fn age(&self, role: usize) {
        drop(fs::remove_dir_all(self.stage.home.join(".aws/cli/cache")));
        age(&self.roles[role].1, DUE);
    }

    fn asked(&self) -> [usize; 2] {
        [Route::SsoToken, Route::SsoCredentials].map(|route| self.stage.sandbox.count(route))
    }

    fn settled(&self) {
        let home: &Path = self.stage.home.path();
        until("nobody renews any more", PATIENCE, || renewing(home).is_empty());
    }
}

#[test]
fn across_twenty_expiries_of_a_session_and_its_roles_no_call_asks_or_waits() {
    let roles = Roles::new();
    let names = ["Developer", "Auditor"];
    for round in 0..20 {
        let (due, other) = (round % 2, (round + 1) % 2);
        let before = roles.asked();
        let gate = Gate::new();
        roles.stage.sandbox.script(Route::SsoCredentials, [Fault::Hold(gate.clone())]);
        roles.age(due);
        let crowd = (0..10).map(|n| if n < 8 { due } else { other });
        let crowd: Vec<_> = crowd.map(|role| (role, roles.get(role).spawn())).collect();
        let answers = |role: usize, arn: &str| arn.contains(names[role]);
        for (role, running) in crowd {
            let who = roles.stage.who(&running.finish());
            assert!(answers(role, &who.canonical_arn), "round {round}: {who:?}");
        }
        assert!(gate.wait_for(1, PATIENCE), "round {round}: nobody renews");
        // the session is renewed already, and the role is not: both are answered with what is kept
        for role in [due, other] {
            roles.stage.who(&roles.get(role).run());
        }
        assert_eq!((renewing(roles.stage.home.path()).len(), gate.waiting()), (1, 1));
        gate.release();
        roles.settled();
        for role in [due, other] {
            let who = roles.stage.who(&roles.get(role).run());
            assert!(answers(role, &who.canonical_arn), "round {round}: {who:?}");
        }
        let asked = roles.asked();
        assert_eq!([asked[0] - before[0], asked[1] - before[1]], [1, 1], "round {round}");
    }
    assert_eq!(roles.stage.sandbox.sso_reuses(), 0);
    say("20 expiries of an SSO session with two roles: 20 renewals, no call sent a request");
}

#[test]
fn a_role_that_was_lent_before_somebody_else_signed_in_is_not_theirs() {
    let roles = Roles::new();
    roles.age(0);
    roles.stage.who(&roles.get(0).run());
    until("it is renewed", PATIENCE, || roles.asked()[1] == 3);
    roles.settled();
    // the session was renewed, and what the other role was lent before it still serves
    let before = roles.asked();
    roles.stage.who(&roles.get(1).run());
    assert_eq!(roles.asked(), before);
    let bob = roles.stage.sandbox.sso_sign_in("bob@example.com").done();
    roles.stage.home.sso_token("corp", &bob).unwrap();
    for role in [0, 1] {
        // nothing was granted to bob, and nothing of alice's is his
        roles.get(role).run().failed(4);
    }
}
