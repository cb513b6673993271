//! The process that renews ahead: from what it is started and under which name, what it takes along, and
//! where none can be started.

use std::{fs, path::PathBuf};

use fleetkey_sandbox::{Cluster, Route};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    renewal::{DUE, Signed, age, renewing},
    support::{Aks, PATIENCE, Program, Stage, alice, kept_in, say, until, which},
};

#[test]
fn whoever_reads_to_the_end_of_its_pipes_is_not_held_up() {
    let signed = Signed::new();
    let answer = signed.aks.home.join("answer").display().to_string();
    let lock = signed.aks.home.join("lock").display().to_string();
    // a shell's descriptors beside the standard ones are everybody's below it
    let beside = "exec 3>&1 4>&2 9>\"$1\" >\"$0\" 2>/dev/null; shift; exec \"$@\"";
    let plain = signed.get();
    let beside = signed.get().under(["/bin/sh", "-c", beside, &answer, &lock]);
    for program in [plain, beside] {
        let gate = signed.hold();
        age(&signed.kept, DUE);
        let output = program.command().output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        // its process is there still
        assert!(gate.wait_for(1, PATIENCE), "nobody renews");
        let [process] = &renewing(signed.aks.home.path())[..] else { panic!("not one process") };
        let open = fs::read_dir(process.join("fd")).unwrap().flatten();
        let open = open.map(|entry| fs::read_link(entry.path()).unwrap_or_default());
        assert_eq!(open.filter(|file| file.ends_with("lock")).count(), 0);
        gate.release();
        signed.settled();
        assert!(!signed.is_marked());
    }
    assert!(fs::read_to_string(answer).unwrap().contains("ExecCredential"));
}

#[test]
fn a_program_without_a_file_and_without_a_path_renews_too() {
    let signed = Signed::new();
    let copy = signed.aks.home.join("fleetkey");
    let copied = Program::new("/bin/cp").args([Program::binary(), copy.clone()]).run();
    assert_eq!(copied.code, Some(0));
    age(&signed.kept, DUE);
    let script = "exec 9<\"$0\"; rm \"$0\"; unset PATH; exec /proc/self/fd/9 \"$@\"";
    let args = signed.aks.args("interactive");
    let program = Program::new("/bin/sh")
        .args(["-c", script, copy.to_str().unwrap()])
        .args(args)
        .envs(signed.aks.environment());
    program.run().answer();
    assert!(!copy.exists());
    until("it is renewed", PATIENCE, || signed.asked() == 2);
    signed.settled();
    assert!(!signed.is_marked());
}

#[test]
fn a_relative_path_in_a_variable_means_the_same_to_who_renews() {
    let stage = Stage::new();
    fs::rename(stage.home.join(".aws/config"), stage.home.join("conf")).unwrap();
    let home = stage.home.path().display().to_string();
    let program = stage.with_profile("sso").env("AWS_CONFIG_FILE", "conf");
    let program = program.under(["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", &home]);
    stage.who(&program.run());
    let [kept] = <[PathBuf; 1]>::try_from(stage.kept()).unwrap();
    // what is left for `aws` would serve for longer
    fs::remove_dir_all(stage.home.join(".aws/cli/cache")).unwrap();
    age(&kept, DUE);
    stage.who(&program.run());
    until("it is renewed", PATIENCE, || stage.sandbox.count(Route::SsoCredentials) == 2);
    until("it is over", PATIENCE, || renewing(stage.home.path()).is_empty());
    assert!(!kept.with_extension("renewing").exists());
}

#[test]
fn a_folder_that_is_gone_or_locked_holds_up_nobody() {
    let signed = Signed::new();
    let home = signed.aks.home.path().display().to_string();
    for (asked, leave) in [(2, "rmdir ../here"), (3, "chmod 000 .")] {
        age(&signed.kept, DUE);
        let script = format!("cd \"$0\" && mkdir here && cd here && {leave} && exec \"$@\"");
        signed.get().under(["/bin/sh", "-c", &script, &home]).run().answer();
        until("it is renewed", PATIENCE, || signed.asked() == asked);
        signed.settled();
        assert!(!signed.is_marked(), "{leave}");
    }
}

#[test]
fn a_command_line_with_a_password_is_not_started_again_and_its_call_renews() {
    let aks = Aks::new();
    let by_flag = aks.login("ropc").args(["--username", alice()]);
    let by_flag = by_flag.args(["--password", "correct horse battery"]);
    let current = by_flag.run().token();
    let [kept] = <[PathBuf; 1]>::try_from(kept_in(aks.home.join(".cache/fleetkey/azure"))).unwrap();
    let asked = aks.sandbox.count(Route::EntraToken);
    age(&kept, DUE);
    assert_eq!(by_flag.run().token(), current);
    let told = by_flag.clone().args(["-v"]).run().stderr;
    assert!(told.contains("the command line has a secret in it"), "{told}");
    assert!(!kept.with_extension("renewing").exists() && renewing(aks.home.path()).is_empty());
    assert_eq!(aks.sandbox.count(Route::EntraToken), asked);
    age(&kept, 56 * 60);
    assert_ne!(by_flag.run().token(), current, "nobody renewed it");
    assert_eq!(aks.sandbox.count(Route::EntraToken), asked + 1);
}

#[test]
fn under_another_programs_name_the_same_name_renews() {
    let signed = Signed::new();
    let name = signed.aks.home.join("kubelogin");
    std::os::unix::fs::symlink(Program::binary(), &name).unwrap();
    let words = signed.aks.args("interactive");
    let words = words.into_iter().filter(|word| word != "azure");
    let program = Program::new(name).envs(signed.aks.environment()).args(words);
    assert_eq!(program.run().code, Some(0));
    assert_eq!(signed.asked(), 1, "it is another credential");
    age(&signed.kept, DUE);
    assert_eq!(program.run().code, Some(0));
    until("it is renewed", PATIENCE, || signed.asked() == 2);
    signed.settled();
    assert!(!signed.is_marked());
}

#[test]
fn one_stanza_for_all_clusters_renews_the_one_that_was_asked_for() {
    let stage = Stage::new();
    stage.sandbox.grant_sso("alice@example.com", "444455556666", "Reader");
    let config = fs::read_to_string(stage.home.join(".aws/config")).unwrap();
    let reader = "[profile reader]\nsso_session = corp\nsso_account_id = 444455556666\n\
                  sso_role_name = Reader\n";
    stage.home.aws_config(&(config + reader)).unwrap();
    let staging = stage.sandbox.cluster_in("staging", "eu-west-1").unwrap();
    let clusters = [(&stage.cluster, "sso", "Developer"), (&staging, "reader", "Reader")];
    // whose cluster it is, and all that flags would say, stands in what the client tells of it
    let call = |at: usize| {
        let (Cluster { name, region, server, .. }, profile, role) = clusters[at];
        let config = json!({ "provider": "aws", "cluster-name": name, "region": region, "profile": profile });
        let info = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "spec": { "interactive": false, "cluster": { "server": server, "config": config } },
        });
        let run =
            stage.bare().args(["get-token"]).env("KUBERNETES_EXEC_INFO", info.to_string()).run();
        let guest = clusters[at].0.verify(&run.token()).unwrap().identity.canonical_arn;
        assert!(guest.contains(&format!("AWSReservedSSO_{role}_")), "{guest}");
    };
    let asked = || stage.sandbox.count(Route::SsoCredentials);
    let read = |files: &[PathBuf]| -> Vec<String> {
        files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
    };
    call(0);
    let [here] = <[PathBuf; 1]>::try_from(stage.kept()).unwrap();
    call(1);
    let there = stage.kept().into_iter().find(|file| *file != here).unwrap();
    let files = [here, there];
    // what is left for `aws` would serve for longer
    fs::remove_dir_all(stage.home.join(".aws/cli/cache")).unwrap();
    for file in &files {
        age(file, DUE);
    }
    let old = read(&files);
    for at in [0, 1] {
        call(at);
        until("it is over", PATIENCE, || {
            asked() == 3 + at && renewing(stage.home.path()).is_empty()
        });
        let new = read(&files);
        assert_eq!([0, 1].map(|file| new[file] != old[file]), [true, at == 1], "another one");
        for _ in 0..2 {
            call(at);
        }
        assert_eq!((asked(), read(&files)), (3 + at, new), "who came next asked");
    }
    assert_eq!(stage.kept().len(), 2);
}

#[test]
fn where_no_process_can_be_started_the_call_is_answered_and_a_later_one_renews() {
    let Some(strace) = which("strace") else {
        return say("renewal ahead: that no process can be started is skipped, there is no strace");
    };
    let signed = Signed::new();
    let current = signed.get().run().token();
    let strace = strace.display().to_string();
    let none = |program: Program| program.under([&*strace, "-qqo/dev/null", "-e", NO_PROCESS]);
    age(&signed.kept, DUE);
    assert_eq!(none(signed.get()).run().token(), current);
    assert!(signed.is_marked() && renewing(signed.aks.home.path()).is_empty());

    // it is not tried again at once
    assert_eq!(signed.get().run().token(), current);
    signed.settled();
    assert_eq!(signed.asked(), 1);

    later(&signed);
    let run = none(signed.get().args(["-v"])).run();
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("nobody renews"), "{}", run.stderr);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap()["status"]["token"], *current);

    later(&signed);
    assert_eq!(signed.get().run().token(), current);
    until("it is renewed", PATIENCE, || signed.asked() == 2);
    signed.settled();
    assert!(!signed.is_marked());
    assert_ne!(signed.get().run().token(), current);
    assert_eq!(signed.asked(), 2);
}

/// Lets the pause be over that follows a renewal that failed.
fn later(signed: &Signed) {
    let file = signed.kept.with_extension("renewing");
    let mut renewing: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    renewing["when"] = (Timestamp::now() - SignedDuration::from_mins(20)).to_string().into();
    fs::write(file, renewing.to_string()).unwrap();
}

/// What makes a process or a thread fails, as where there are too many.
const NO_PROCESS: &str = "inject=?clone,?clone3,?fork,?vfork:error=EAGAIN";
