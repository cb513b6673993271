//! A crowd at one SSO session that is over: 20 real `aws` and 50 of ours, who stand at a door until all
//! are there and pass it at once. What as many `aws` make of it without us is measured beside it.
//!
//! Who signed in did it by `fleetkey login`, so the file that all of them share is one of ours.

use std::{
    fs::{self, File, OpenOptions},
    path::PathBuf,
    time::Duration,
};

use fleetkey_sandbox::{Fault, Gate, Recorded, Route};
use jiff::{SignedDuration, Timestamp};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use crate::{
    aws_cli::installed,
    support::{PATIENCE, Program, Run, Running, Stage, browser, say, until},
};

const ALICE: &str = "alice@example.com";
const WHO: &str = "arn:aws:iam::444455556666:role/AWSReservedSSO_Developer_";
const SESSION: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// What the service makes of a refresh token that comes twice.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Reuse {
    /// It is refused, and no more.
    IsRefused,
    /// It ends the session.
    EndsTheSession,
}

impl Reuse {
    fn told(self) -> &'static str {
        match self {
            Self::IsRefused => "a token that comes twice is refused",
            Self::EndsTheSession => "a token that comes twice ends the session",
        }
    }
}

/// A stage where somebody signed in by `fleetkey login`, and the token that came of it is over.
fn over(reuse: Reuse) -> Stage {
    let stage = Stage::new();
    fs::remove_dir_all(stage.home.join(".aws/sso/cache")).unwrap();
    let browser = browser(&stage.home);

    let login = stage.bare().args(["login", "aws", "--sso-session", "corp"]);
    let login = login.env("BROWSER", browser).spawn();
    let opened = stage.home.join("opened");
    let page = || fs::read_to_string(&opened).unwrap_or_default();
    until("the browser is opened", PATIENCE, || page().ends_with('\n'));
    assert_eq!(stage.sandbox.sso_browse(page().trim_end(), ALICE).unwrap().status, 200);
    let run = login.finish();
    assert_eq!(run.code, Some(0), "{}", run.stderr);

    // as an hour later: here and there
    stage.sandbox.sso_end_access_tokens();
    let end = token_file(&stage)["expiresAt"].as_str().unwrap().to_owned();
    let text = fs::read_to_string(stage.home.join(SESSION)).unwrap();
    assert_eq!(text.matches(&end).count(), 1);
    let ended = (Timestamp::now() - SignedDuration::from_secs(1)).strftime("%Y-%m-%dT%H:%M:%SZ");
    fs::write(stage.home.join(SESSION), text.replace(&end, &ended.to_string())).unwrap();
    stage.sandbox.sso_end_at_reuse(reuse == Reuse::EndsTheSession);
    stage
}

/// The file that all of them share, which is whole at any time.
fn token_file(stage: &Stage) -> Value {
    let bytes = fs::read(stage.home.join(SESSION)).unwrap();
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("half a file: {error}"))
}

/// By which nobody can be asked.
fn fleetkey(stage: &Stage) -> Program {
    stage.with_profile("sso").args(["--ask", "never"])
}

/// The real `aws`, where there is one, as it is used for the same cluster.
fn aws(stage: &Stage) -> Option<Program> {
    let aws = installed(stage)?
        .envs(stage.home.environment())
        .envs(stage.sandbox.environment())
        .without("AWS_ENDPOINT_URL_STS") // it would stand in the token
        .args(["eks", "get-token", "--cluster-name", "prod", "--region", "us-east-1"])
        .args(["--profile", "sso", "--output", "json"]);
    Some(aws)
}

/// Where a crowd waits until all of it is there.
struct Door {
    pipe: PathBuf,
    there: PathBuf,
}

impl Door {
    fn new(stage: &Stage) -> Self {
        let (pipe, there) = (stage.home.join("door"), stage.home.join("there"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        Self { pipe, there }
    }

    /// Starts so many that stand before the door.
    fn before(&self, program: &Program, count: usize) -> Vec<Running> {
        // a pipe is not open for who reads before it is for somebody who writes
        let script = r#"printf x >> "$1"; : < "$0"; shift; exec "$@""#;
        let [pipe, there] = [&self.pipe, &self.there].map(|path| path.display().to_string());
        let program = program.clone().under(["/bin/sh", "-c", script, &pipe, &there]);
        (0..count).map(|_| program.spawn()).collect()
    }

    /// Lets so many through, once they are there. It closes with what is returned.
    fn opens(&self, count: usize) -> File {
        let count = u64::try_from(count).unwrap();
        let there = || self.there.metadata().map_or(0, |there| there.len());
        until("all stand before the door", PATIENCE, || there() == count);
        OpenOptions::new().write(true).open(&self.pipe).unwrap()
    }
}

/// What became of a crowd.
struct Outcome {
    ours: Vec<Run>,
    theirs: Vec<Run>,
    /// How often one of ours sent a refresh token, and how often it was one that had been used.
    sent_by_us: usize,
    reused_by_us: usize,
    /// How many were redeemed, and how many came that had been.
    refreshes: usize,
    reuses: usize,
}

impl Outcome {
    /// Lets a crowd of ours and theirs at the session.
    fn of(stage: &Stage, crowd: [usize; 2], meanwhile: impl FnOnce()) -> Self {
        let before = stage.sandbox.count(Route::SsoToken);
        let door = Door::new(stage);
        let theirs = aws(stage).map_or_else(Vec::new, |aws| door.before(&aws, crowd[1]));
        let ours = door.before(&fleetkey(stage), crowd[0]);
        let open = door.opens(ours.len() + theirs.len());
        meanwhile();
        let [ours, theirs] =
            [ours, theirs].map(|crowd| crowd.into_iter().map(Running::finish).collect());
        drop(open);
        let requests = stage.sandbox.requests().into_iter();
        let sent = requests.filter(|request| request.route == Route::SsoToken).skip(before);
        let ours_sent: Vec<_> = sent.filter(|request| !is_of_aws(request)).collect();
        Self {
            ours,
            theirs,
            sent_by_us: ours_sent.len(),
            // one that had been is all that is refused here
            reused_by_us: ours_sent.iter().filter(|request| request.status != Some(200)).count(),
            refreshes: stage.sandbox.sso_refreshes(),
            reuses: stage.sandbox.sso_reuses(),
        }
    }
}

fn is_of_aws(request: &Recorded) -> bool {
    request.header("user-agent").is_some_and(|agent| agent.starts_with("aws-cli"))
}

/// How many of them the cluster lets in, as who signed in.
fn let_in(stage: &Stage, runs: &[Run]) -> usize {
    let is_let_in = |run: &&Run| {
        let Ok(answer) = serde_json::from_str::<Value>(&run.stdout) else { return false };
        let token = answer["status"]["token"].as_str().unwrap_or_default();
        let guest = stage.cluster.verify(token);
        run.code == Some(0)
            && guest.is_ok_and(|guest| guest.identity.canonical_arn.starts_with(WHO))
    };
    runs.iter().filter(is_let_in).count()
}

#[test]
fn twenty_aws_and_fifty_of_ours_share_what_we_signed_in_to() {
    for reuse in [Reuse::IsRefused, Reuse::EndsTheSession] {
        let stage = over(reuse);
        let Outcome { ours, theirs, sent_by_us, reused_by_us, refreshes, reuses } =
            Outcome::of(&stage, [50, 20], || {});
        let served = [&ours, &theirs].map(|runs| let_in(&stage, runs));
        say(&format!(
            "sso, a crowd, {}: {} of {} of ours and {} of {} real aws got a token; {refreshes} renewals, \
             {reuses} reuses",
            reuse.told(),
            served[0],
            ours.len(),
            served[1],
            theirs.len(),
        ));
        assert!(sent_by_us <= 1, "sent {sent_by_us} times by us");
        assert_eq!(reused_by_us, 0, "one of ours sent what had been used");
        assert!(token_file(&stage)["refreshToken"].is_string());
        assert_eq!(ours.len(), 50);
        if reuses == 0 {
            assert_eq!(served, [50, theirs.len()]);
        }
        if reuse == Reuse::EndsTheSession && reuses > 0 {
            // it was `aws` that sent one again, and nobody is signed in any more
            let failed: Vec<_> = ours.into_iter().filter(|run| run.code != Some(0)).collect();
            assert_eq!(served[0] + failed.len(), 50, "one answered what no cluster takes");
            are_told_what_to_type(&failed);
            continue;
        }
        for run in &ours {
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        }
        assert_eq!(served[0], 50);
        let fresh = fleetkey(&stage).args(["--fresh"]).run();
        assert_eq!(let_in(&stage, &[fresh]), 1, "the session is lost");
    }
}

/// Whoever finds that nobody is signed in any more.
fn are_told_what_to_type(runs: &[Run]) {
    for run in runs {
        let [what, _, next] = run.failed(3);
        assert!(next.starts_with("fleetkey login aws --"), "{what}: {next}");
    }
}

#[test]
fn where_aws_ended_the_session_each_of_ours_is_told_what_to_type() {
    let stage = over(Reuse::EndsTheSession);
    let Some(aws) = aws(&stage) else {
        return say("sso, a session that aws ended: skipped, there is none");
    };
    let before = fs::read(stage.home.join(SESSION)).unwrap();
    assert_eq!(let_in(&stage, &[fleetkey(&stage).run()]), 1);
    let renewed = fs::read(stage.home.join(SESSION)).unwrap();
    // as one that read the file before ours wrote it, and sends what it read after
    fs::write(stage.home.join(SESSION), before).unwrap();
    fs::remove_dir_all(stage.home.join(".aws/cli/cache")).unwrap();
    drop(aws.run());
    assert_eq!(stage.sandbox.sso_reuses(), 1);
    fs::write(stage.home.join(SESSION), renewed).unwrap();
    let running: Vec<_> = (0..5).map(|_| fleetkey(&stage).args(["--fresh"]).spawn()).collect();
    let runs: Vec<_> = running.into_iter().map(Running::finish).collect();
    are_told_what_to_type(&runs);
    say(&format!("sso, a session that aws ended: {} of ours were told what to type", runs.len()));
}

#[test]
fn what_twenty_aws_lose_without_us() {
    for reuse in [Reuse::IsRefused, Reuse::EndsTheSession] {
        let stage = over(reuse);
        let Some(aws) = aws(&stage) else {
            return say("sso, aws alone: skipped, there is none");
        };
        let Outcome { theirs, refreshes, reuses, .. } = Outcome::of(&stage, [0, 20], || {});
        let served = let_in(&stage, &theirs);
        let lives = let_in(&stage, &[aws.run()]) == 1;
        let left = if lives { "lives" } else { "is lost" };
        say(&format!(
            "sso, aws alone, {}: {served} of 20 real aws got a token; {refreshes} renewals, {reuses} \
             reuses; the session {left}",
            reuse.told(),
        ));
        assert!(refreshes > 0);
        assert!(lives || reuses > 0, "it is lost although nothing came twice");
    }
}

#[test]
fn what_twenty_aws_lose_without_us_to_an_answer_that_is_slow() {
    let stage = over(Reuse::IsRefused);
    let Some(aws) = aws(&stage) else {
        return say("sso, aws alone: skipped, there is none");
    };
    let (gate, mut all) = (Gate::new(), false);
    stage.sandbox.always(Route::SsoToken, Fault::Hold(gate.clone()));
    let Outcome { theirs, refreshes, reuses, .. } = Outcome::of(&stage, [0, 20], || {
        all = gate.wait_for(20, FOR_AN_ANSWER);
        gate.release();
    });
    say(&format!(
        "sso, aws alone, the answer is slow: {} of 20 real aws got a token; {refreshes} renewals, \
         {reuses} reuses",
        let_in(&stage, &theirs),
    ));
    if all {
        assert_eq!((refreshes, reuses), (1, 19));
    }
    assert_eq!(let_in(&stage, &[aws.run()]), 1);
}

/// `aws` waits a minute for an answer.
const FOR_AN_ANSWER: Duration = Duration::from_secs(45);
