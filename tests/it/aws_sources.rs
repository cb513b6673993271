//! Every further source of keys, end to end: real kubectl gets in by each of them.

use std::{fmt::Write as _, time::Duration};

use fleetkey_sandbox::{ContainerToken, Role, Route};
use jiff::SignedDuration;

use crate::support::{Desk, Stage, kubectls, say};

const MACHINE: &str = "arn:aws:iam::444455556666:role/machine";
const BEHIND: &str = "arn:aws:iam::444455556666:role/behind";
const FURTHER: &str = "arn:aws:iam::444455556666:role/further";
const WEB: &str = "arn:aws:iam::444455556666:role/web";
const POD: &str = "arn:aws:iam::444455556666:role/pod";
const SUBJECT: &str = "system:serviceaccount:ci:pod";

/// One source: flags, variables, whom the cluster has to see, and what is asked the first time.
struct Source {
    name: &'static str,
    args: Vec<&'static str>,
    env: Vec<(String, String)>,
    who: &'static str,
    asks: Vec<(Route, usize)>,
    /// Whether a flag names the region.
    has_region: bool,
}

#[allow(clippy::too_many_lines, reason = "a table")]
fn sources(stage: &Stage) -> Vec<Source> {
    let sandbox = &stage.sandbox;
    sandbox.role(Role::new(MACHINE).trusts("arn:aws:iam::444455556666:root"));
    sandbox.role(Role::new(POD).trusts("arn:aws:iam::444455556666:root"));
    sandbox
        .role(Role::new(BEHIND).trusts("arn:aws:iam::444455556666:root").trusts(&stage.alice.arn));
    sandbox.instance(MACHINE);
    sandbox.pod_identity(SUBJECT, POD);
    let token = sandbox.pod_identity_token(SUBJECT, SignedDuration::from_hours(1)).unwrap();
    let token = stage.home.pod_identity_token(&token).unwrap();
    let session = sandbox.session(MACHINE, "from-a-program", Duration::from_hours(1));
    let answer = format!(
        r#"{{"Version":1,"AccessKeyId":"{}","SecretAccessKey":"{}","SessionToken":"{}","Expiration":"{}"}}"#,
        session.access_key_id, session.secret_access_key, session.session_token, session.expires
    );
    let program = stage.home.fake_program("keys", [fleetkey_sandbox::FakeRun::Print(answer)]);
    let program = program.unwrap().display().to_string();
    let mut config = std::fs::read_to_string(stage.home.join(".aws/config")).unwrap();
    write!(config, "[profile process]\ncredential_process = {program} 'one word' two\n").unwrap();
    write!(config, "[profile process-role]\nrole_arn = {BEHIND}\nsource_profile = process\n")
        .unwrap();
    write!(
        config,
        "[profile instance-role]\nrole_arn = {BEHIND}\ncredential_source = Ec2InstanceMetadata\n"
    )
    .unwrap();
    for (profile, place) in [("env-role", "Environment"), ("container-role", "EcsContainer")] {
        write!(config, "[profile {profile}]\nrole_arn = {BEHIND}\ncredential_source = {place}\n")
            .unwrap();
    }
    sandbox.role(Role::new(FURTHER).trusts("arn:aws:iam::444455556666:root"));
    sandbox.role(Role::new(WEB).trusts_subject(SUBJECT).trusts("arn:aws:iam::999999999999:root"));
    let web = sandbox.web_identity_token(SUBJECT, SignedDuration::from_hours(1)).unwrap();
    let web = stage.home.write("web-token", web).unwrap().display().to_string();
    let over = sandbox.sso_sign_in("alice@example.com").access_token_expired().done();
    stage.home.sso_token("over", &over).unwrap();
    let chains = format!(
        "[profile sso-role]\nrole_arn = {BEHIND}\nsource_profile = sso\n\
         [profile sso-role-role]\nrole_arn = {FURTHER}\nsource_profile = sso-role\n\
         [profile web]\nrole_arn = {WEB}\nweb_identity_token_file = {web}\n\
         [profile web-role]\nrole_arn = {FURTHER}\nsource_profile = web\n\
         [sso-session over]\nsso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\n\
         sso_registration_scopes = sso:account:access\n\
         [profile sso-over]\nsso_session = over\nsso_account_id = 444455556666\nsso_role_name = Developer\n"
    );
    stage.home.aws_config(&(config + &chains)).unwrap();
    let instance = sandbox.instance_environment().unwrap();
    let of_instance =
        [(Route::InstanceToken, 1), (Route::InstanceRole, 1), (Route::InstanceCredentials, 1)];
    let and_role = [&of_instance[..], &[(Route::AssumeRole, 1)]].concat();
    let file = stage.home.join("container-token");
    let in_file = sandbox.container_environment(MACHINE, &ContainerToken::File(file)).unwrap();
    let container = sandbox.container_environment(MACHINE, &ContainerToken::Variable).unwrap();
    let pod = sandbox.pod_identity_environment(&token).unwrap();
    let source = |name, args: &[&'static str], env, who, asks: &[(Route, usize)]| Source {
        name,
        args: args.to_vec(),
        env,
        who,
        asks: asks.to_vec(),
        has_region: true,
    };
    vec![
        source("process", &["--profile", "process"], vec![], MACHINE, &[]),
        source(
            "process and role",
            &["--profile", "process-role"],
            vec![],
            BEHIND,
            &[(Route::AssumeRole, 1)],
        ),
        source(
            "sso, role and role",
            &["--profile", "sso-role-role"],
            vec![],
            FURTHER,
            &[(Route::SsoCredentials, 1), (Route::AssumeRole, 2)],
        ),
        source(
            "web identity and role",
            &["--profile", "web-role"],
            vec![],
            FURTHER,
            &[(Route::AssumeRoleWithWebIdentity, 1), (Route::AssumeRole, 1)],
        ),
        source(
            "sso that was over",
            &["--profile", "sso-over"],
            vec![],
            "arn:aws:iam::444455556666:role/AWSReservedSSO_Developer_",
            &[(Route::SsoToken, 1), (Route::SsoCredentials, 1)],
        ),
        source("container with a token file", &[], in_file, MACHINE, &[(Route::Container, 1)]),
        Source {
            has_region: false,
            ..source(
                "instance, and its region",
                &[],
                instance.clone(),
                MACHINE,
                &[&of_instance[..], &[(Route::Instance, 1)]].concat(),
            )
        },
        source("instance", &[], instance.clone(), MACHINE, &of_instance),
        source("instance and role", &["--profile", "instance-role"], instance, BEHIND, &and_role),
        source(
            "environment and role",
            &["--profile", "env-role"],
            stage.alice.environment(),
            BEHIND,
            &[(Route::AssumeRole, 1)],
        ),
        source(
            "container and role",
            &["--profile", "container-role"],
            container.clone(),
            BEHIND,
            &[(Route::Container, 1), (Route::AssumeRole, 1)],
        ),
        source("container", &[], container, MACHINE, &[(Route::Container, 1)]),
        source("pod identity", &[], pod, POD, &[(Route::PodIdentity, 1)]),
    ]
}

#[test]
fn kubectl_gets_in_by_every_source() {
    let stage = Stage::new();
    let Some(kubectl) = kubectls().into_iter().max_by_key(|kubectl| kubectl.minor) else {
        let wanted = std::env::var_os("FLEETKEY_REQUIRE_KUBECTL").is_some_and(|value| value == "1");
        assert!(!wanted, "there is no kubectl, and one is asked for");
        return;
    };
    for Source { name, args, env, who, asks, has_region } in sources(&stage) {
        let region: &[&str] = if has_region { &["--region", "us-east-1"] } else { &[] };
        let cluster = ["get-token", "aws", "--cluster-name", "prod"];
        let args = cluster.iter().chain(region).chain(&args).map(|&word| word.to_owned());
        let mut all = stage.home.environment();
        all.extend(stage.sandbox.environment());
        all.extend(env);
        let desk = Desk::new(&kubectl, args, all);
        let (before, came) = (stage.sandbox.total(), stage.cluster.identities().len());
        for exec in [desk.older(), desk.newer()] {
            let config = stage.home.kubeconfig(&stage.cluster, &exec).unwrap();
            let shown = desk.three_commands(&config);
            assert!(shown.is_none_or(|shown| shown.starts_with(who)), "{name}");
        }
        let mut asked: Vec<(Route, usize)> = Vec::new();
        for request in stage.sandbox.requests().split_off(before) {
            match asked.iter_mut().find(|(route, _)| *route == request.route) {
                _ if request.route == Route::Api => {}
                Some((_, count)) => *count += 1,
                None => asked.push((request.route, 1)),
            }
        }
        assert_eq!(asked, asks, "{name}");
        let guests = stage.cluster.identities().split_off(came);
        assert!(!guests.is_empty());
        assert!(guests.iter().all(|guest| guest.identity.canonical_arn.starts_with(who)), "{name}");
        say(&format!("kubectl tests ran: 1 ({name}, {})", kubectl.version));
    }
    assert_eq!(stage.cluster.rejections(), []);
    assert_eq!(stage.home.program_runs("keys").unwrap().len(), 2, "one for each profile's cache");
    assert_eq!(stage.home.program_runs("keys").unwrap()[0], ["one word", "two"]);
}

#[test]
fn where_nothing_offers_keys_it_is_said_at_once_where_they_were_looked_for() {
    let stage = Stage::new();
    stage.home.aws_config("").unwrap();
    stage.home.aws_credentials(&[]).unwrap();
    let regionless = || stage.bare().args(["get-token", "aws", "--cluster-name", "prod"]);
    for program in [stage.plugin(), regionless()] {
        let run = program.without("AWS_EC2_METADATA_DISABLED").run();
        let [what, why, _] = run.failed(2);
        for place in ["AWS_ACCESS_KEY_ID", ".aws/config", "AWS_CONTAINER_CREDENTIALS"] {
            assert!(why.contains(place), "{what}: {why}");
        }
        say(&format!("no keys anywhere: said after {:?}", run.took));
    }
}
