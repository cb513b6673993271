//! Clouds that misbehave: the run ends in time, in the right exit code, in three lines, and nothing
//! secret leaves.

use std::time::Duration;

use fleetkey_sandbox::{Certificate, Fault, Route, Service};

use crate::support::{ADMIN, Program, Run, Stage, say};

/// What all these end within.
const LIMIT: Duration = Duration::from_secs(35);
/// No cloud answered as it should.
const UNAVAILABLE: i32 = 5;

/// A run as the role, whose `AssumeRole` meets this every time.
fn always(fault: Fault, args: &[&str]) -> (Stage, Run) {
    let stage = Stage::new();
    stage.sandbox.always(Route::AssumeRole, fault);
    let run = stage.admin().args(args.iter().copied()).run();
    (stage, run)
}

/// Three lines for a person in time, and nothing for anybody else.
fn ends(stage: &Stage, run: &Run, code: i32) -> [String; 3] {
    assert!(run.took < LIMIT, "{:?}", run.took);
    run.keeps_secret(&stage.secrets());
    run.failed(code)
}

#[test]
fn sts_that_is_too_busy_for_good_is_unavailable() {
    let (stage, run) = always(Fault::throttling(), &[]);
    let [what, why, _] = ends(&stage, &run, UNAVAILABLE);
    assert_eq!(what, "STS is too busy to assume role eks-admin in 444455556666");
    assert!(why.contains("Throttling"), "{why}");
    assert!(stage.sandbox.count(Route::AssumeRole) > 1, "it was never asked again");
}

#[test]
fn sts_that_is_too_busy_twice_is_asked_a_third_time() {
    let stage = Stage::new();
    stage.sandbox.script(Route::AssumeRole, [Fault::throttling(), Fault::unavailable(1)]);
    let run = stage.admin().run();
    assert_eq!(stage.who(&run).canonical_arn, ADMIN);
    assert_eq!(stage.sandbox.count(Route::AssumeRole), 3);
    assert!(run.took >= Duration::from_secs(1), "the server had asked for a second");
}

#[test]
fn sts_that_is_broken_is_unavailable() {
    let (stage, run) = always(Fault::internal_error(), &[]);
    let [_, why, _] = ends(&stage, &run, UNAVAILABLE);
    assert!(why.contains("answered 500: InternalFailure"), "{why}");
}

#[test]
fn a_server_that_wants_to_be_left_alone_for_an_hour_is_not_waited_for() {
    let (stage, run) = always(Fault::unavailable(3600), &[]);
    ends(&stage, &run, UNAVAILABLE);
    assert_eq!(stage.sandbox.count(Route::AssumeRole), 1);
}

#[test]
fn a_connection_that_is_reset_every_time_is_unavailable() {
    let (stage, run) = always(Fault::Reset, &[]);
    ends(&stage, &run, UNAVAILABLE);
}

#[test]
fn a_connection_that_is_reset_once_is_no_failure() {
    let stage = Stage::new();
    stage.sandbox.script(Route::AssumeRole, [Fault::Reset]);
    assert_eq!(stage.who(&stage.admin().run()).canonical_arn, ADMIN);
}

#[test]
fn an_answer_that_breaks_off_is_unavailable_wherever_it_does() {
    for bytes in [0, 1, 300, 1000] {
        let (stage, run) = always(Fault::Truncate(bytes), &[]);
        ends(&stage, &run, UNAVAILABLE);
        assert_eq!(stage.kept().len(), 0, "something was kept of {bytes} bytes");
    }
}

#[test]
fn an_answer_of_a_gigabyte_is_not_read() {
    let (stage, run) = always(Fault::HugeBody(1 << 30), &[]);
    let [what, ..] = ends(&stage, &run, UNAVAILABLE);
    assert!(what.contains("more than 1 MiB"), "{what}");
}

#[test]
fn no_redirect_is_followed() {
    for code in [301, 302, 303, 307, 308] {
        let stage = Stage::new();
        let canary = stage.sandbox.canary().unwrap();
        for to in [&canary.https, &canary.http] {
            let to = format!("{to}/elsewhere");
            stage.sandbox.always(Route::AssumeRole, Fault::Redirect { code, to });
            ends(&stage, &stage.admin().run(), UNAVAILABLE);
        }
        assert_eq!(canary.connections(), 0, "{code} was followed");
    }
}

#[test]
fn an_answer_in_single_bytes_is_an_answer() {
    let (stage, run) = always(Fault::OneByteAtATime(Duration::from_micros(500)), &[]);
    assert_eq!(stage.who(&run).canonical_arn, ADMIN);
}

#[test]
fn an_answer_in_single_bytes_that_would_take_minutes_is_not_waited_for() {
    let slowly = Fault::OneByteAtATime(Duration::from_millis(100));
    let (stage, run) = always(slowly, &["--timeout", "2"]);
    ends(&stage, &run, UNAVAILABLE);
}

#[test]
fn silence_is_waited_for_as_long_as_somebody_said() {
    let (stage, run) = always(Fault::Silence, &["--timeout", "1"]);
    let [what, ..] = ends(&stage, &run, UNAVAILABLE);
    assert_eq!(what, format!("`{}` did not answer in time", stage.sandbox.sts_url()));
    assert!(run.took > Duration::from_millis(800), "it was hardly waited for: {:?}", run.took);
}

#[test]
fn silence_is_waited_for_half_a_minute_if_nobody_said() {
    let (stage, run) = always(Fault::Silence, &[]);
    ends(&stage, &run, UNAVAILABLE);
    say(&format!("silence of STS was waited for {:?}, of 30 s at most", run.took));
}

#[test]
fn silence_of_the_portal_is_not_waited_for_either() {
    let stage = Stage::new();
    stage.sandbox.always(Route::SsoCredentials, Fault::Silence);
    ends(&stage, &stage.with_profile("sso").args(["--timeout", "1"]).run(), UNAVAILABLE);
}

#[test]
fn a_server_with_a_wrong_certificate_is_told_nothing() {
    for wrong in [Certificate::WrongName, Certificate::UnknownIssuer] {
        let stage = Stage::new();
        stage.sandbox.certificate(Service::Sts, wrong);
        stage.sandbox.certificate(Service::Sso, wrong);
        for profile in ["admin", "sso"] {
            let run = stage.with_profile(profile).run();
            let [what, ..] = ends(&stage, &run, UNAVAILABLE);
            assert!(what.starts_with("the certificate of"), "{what}");
        }
        assert_eq!(stage.asked(), 0, "{wrong:?} was believed");
    }
}

#[test]
fn the_page_of_a_captive_portal_is_no_credential() {
    let stage = Stage::new();
    for route in [Route::AssumeRole, Route::AssumeRoleWithWebIdentity, Route::SsoCredentials] {
        stage.sandbox.always(route, Fault::Garbage);
    }
    let workload = stage.plugin().envs(stage.workload());
    for program in [stage.admin(), stage.with_profile("sso"), workload] {
        let [what, ..] = ends(&stage, &program.run(), UNAVAILABLE);
        assert!(what.ends_with("answer was not understood"), "{what}");
    }
    assert_eq!(stage.kept().len(), 0);
}

#[test]
fn a_host_that_nobody_trusts_is_not_even_connected_to() {
    let stage = Stage::new();
    let canary = stage.sandbox.canary().unwrap();
    // whatever left this machine would go through the proxy, which is the canary
    let through = |program: Program, name: &str| {
        let proxies = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"];
        let program = proxies.into_iter().fold(program, |p, proxy| p.env(proxy, &canary.http));
        program.env(name, "https://sts.us-east-1.amazonaws.com.evil.example/x").run()
    };
    let workload = stage.plugin().envs(stage.workload());
    for (program, name) in [
        (stage.admin(), "AWS_ENDPOINT_URL_STS"),
        (workload, "AWS_ENDPOINT_URL_STS"),
        (stage.with_profile("sso"), "AWS_ENDPOINT_URL_SSO"),
        (stage.admin().without("AWS_ENDPOINT_URL_STS"), "AWS_ENDPOINT_URL"),
    ] {
        let [what, _, next] = ends(&stage, &through(program, name), 2);
        assert!(what.starts_with(&format!("`{name}` names `sts.us-east-1")), "{what}");
        assert_eq!(next, "fleetkey trust add sts.us-east-1.amazonaws.com.evil.example");
    }
    assert_eq!(canary.connections(), 0, "{}", String::from_utf8_lossy(&canary.heard()));
    // and the canary would have heard: with the host trusted, the proxy is asked for it
    let trust = ["trust", "add", "sts.us-east-1.amazonaws.com.evil.example"];
    assert_eq!(stage.bare().args(trust).run().code, Some(0));
    let run = through(stage.admin().args(["--timeout", "3"]), "AWS_ENDPOINT_URL_STS");
    ends(&stage, &run, UNAVAILABLE);
    assert!(canary.heard_of("CONNECT"), "the trusted host was not asked for");
    for secret in stage.secrets() {
        assert!(!canary.heard_of(&secret));
    }
}

#[test]
fn a_server_that_repeats_a_secret_is_not_quoted() {
    let stage = Stage::new();
    let denied = |secret: &str| {
        Fault::sts_error(403, "AccessDenied", &format!("of all things, {secret} is not allowed"))
    };
    stage.sandbox.always(Route::AssumeRole, denied(&stage.alice.secret_access_key));
    stage.sandbox.always(Route::AssumeRoleWithWebIdentity, denied(&stage.web_identity));
    for program in [stage.admin(), stage.plugin().envs(stage.workload())] {
        let [_, why, _] = ends(&stage, &program.run(), 4);
        assert!(why.contains("of all things"), "{why}");
    }
    stage.sandbox.always(Route::SsoCredentials, denied(&stage.sso.access_token));
    stage.with_profile("sso").run().keeps_secret(&stage.secrets());
}

#[test]
fn nothing_secret_is_shown_to_who_asks_for_every_detail() {
    let stage = Stage::new();
    let workload = stage.plugin().envs(stage.workload());
    for program in [stage.admin(), stage.with_profile("sso"), workload, stage.as_alice()] {
        for fault in [Fault::Pass, Fault::Garbage, Fault::Reset, Fault::internal_error()] {
            for route in
                [Route::AssumeRole, Route::AssumeRoleWithWebIdentity, Route::SsoCredentials]
            {
                stage.sandbox.always(route, fault.clone());
            }
            let run = program.clone().args(["-v", "--no-cache", "--timeout", "5"]).run();
            assert!(run.stderr.contains("fleetkey: "), "nothing was told: {run:?}");
            let told = Run { stdout: String::new(), ..run };
            told.keeps_secret(&stage.secrets());
        }
    }
}
