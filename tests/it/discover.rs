//! A fleet over two clouds, found with one command: all of it but what is ill, with the questions that
//! it takes and no other.

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use fleetkey::replay::value;
use fleetkey_sandbox::{
    AksToken, AzLogin, EksCluster, Home, ManagedCluster, Person, Route, Sandbox, Subscription,
};
use serde_json::Value;

use crate::support::{Program, Run, kubectls, say};

const ALICE: &str = "alice@contoso.com";
const ACCOUNTS: [(&str, &str); 4] = [
    ("111111111111", "platform"),
    ("222222222222", "shop"),
    ("333333333333", "data"),
    ("444444444444", "closed"),
];
const REGIONS: [&str; 5] =
    ["ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];
/// Too many questions have been asked there.
const THROTTLED: &str = "eu-west-1";
/// The session's own region, which is asked first.
const HOME: &str = "us-east-1";
const PER_REGION: usize = 10;
const SUBSCRIPTIONS: [(&str, &str, usize); 3] = [
    ("aaaaaaaa-0000-4000-a000-000000000001", "one", 30),
    ("aaaaaaaa-0000-4000-a000-000000000002", "two", 30),
    ("bbbbbbbb-0000-4000-a000-000000000001", "guests", 20),
];
const CONFIG: &str = "\
[sso-session corp]
sso_start_url = https://sandbox.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
";

/// Two hundred clusters that can be found, and those that cannot.
struct Estate {
    sandbox: Sandbox,
    home: Home,
    /// The contexts of those that can be found.
    contexts: BTreeSet<String>,
}

impl Estate {
    fn new() -> Self {
        let (sandbox, home) = (Sandbox::start().unwrap(), Home::temporary().unwrap());
        let mut contexts = BTreeSet::new();
        for (account, name) in ACCOUNTS {
            sandbox.grant_sso("alice", account, "Viewer");
            sandbox.account_name(account, name);
            sandbox.regions(account, &REGIONS);
            for region in REGIONS {
                for number in 0..PER_REGION {
                    let cluster = format!("c{number}");
                    sandbox.eks_cluster(EksCluster::new(&cluster, region).account(account));
                    if region != THROTTLED && name != "closed" {
                        contexts.insert(format!("aws/{name}/{region}/{cluster}"));
                    }
                }
            }
        }
        sandbox.deny(Route::EksList, "444444444444");
        sandbox.throttle(THROTTLED, Some(0));
        home.aws_config(CONFIG).unwrap();
        home.sso_token("corp", &sandbox.sso_session("alice")).unwrap();

        let tenants = ["contoso.com", "fabrikam.com"].map(|name| sandbox.entra().tenant(name));
        let all: Vec<&str> = tenants.iter().map(String::as_str).collect();
        sandbox.entra().person(Person::new(ALICE, &all));
        for (at, (id, name, count)) in SUBSCRIPTIONS.into_iter().enumerate() {
            sandbox.subscription(Subscription::new(id, name, &tenants[at / 2]));
            for number in 0..count {
                // the same groups and names in every subscription
                let (cluster, group) = (format!("k{number}"), format!("team{}", number % 3));
                sandbox.managed_cluster(id, ManagedCluster::new(&cluster, &group, "westeurope"));
                contexts.insert(format!("azure/{name}/westeurope/{cluster}"));
            }
        }
        for tenant in tenants {
            let login = AzLogin::person(&tenant, ALICE).at_sandbox().aks_token(AksToken::Absent);
            home.az_login(&sandbox, &login).unwrap();
        }
        assert_eq!(contexts.len(), 200);
        Self { sandbox, home, contexts }
    }

    fn discover(&self) -> Program {
        let manager = self.sandbox.resource_manager_url();
        let args = ["kubeconfig", "discover", "--resource-manager", &manager];
        Program::plugin().envs(self.home.environment()).envs(self.sandbox.environment()).args(args)
    }

    fn config(&self) -> PathBuf {
        self.home.join(".kube/config")
    }

    fn counts(&self) -> [usize; ROUTES.len()] {
        ROUTES.map(|route| self.sandbox.count(route))
    }
}

const ROUTES: [Route; 9] = [
    Route::SsoAccounts,
    Route::SsoRoles,
    Route::SsoCredentials,
    Route::Ec2,
    Route::EksList,
    Route::EksDescribe,
    Route::ArmSubscriptions,
    Route::ArmClusters,
    Route::ArmCredential,
];

/// Of a search: what each of the routes is asked.
fn asked() -> [usize; 6] {
    let accounts = ACCOUNTS.len();
    // the first account that may not list is refused once, at home; a throttled region is asked four times
    let lists = (accounts - 1) * (REGIONS.len() - 1 + 4) + 1;
    [1, accounts, accounts, accounts, lists, 0]
}

fn failures(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter(|line| line.starts_with("not looked at: ")).collect()
}

#[test]
fn the_fleet_is_found_and_what_is_ill_is_said() {
    let estate = Estate::new();
    estate.sandbox.control_planes_take(Duration::from_millis(20));
    let run = estate.discover().run();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.starts_with("CLOUD  ACCOUNT   REGION          CLUSTER  CONTEXT"), "{run:?}");
    let contexts: BTreeSet<String> = run
        .stdout
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(4).unwrap().to_owned())
        .collect();
    assert_eq!(contexts, estate.contexts);
    let failures = failures(&run);
    assert_eq!(failures.len(), ACCOUNTS.len(), "{}", run.stderr);
    for (account, name) in ACCOUNTS {
        let region = if name == "closed" { HOME } else { THROTTLED };
        let what = format!("not looked at: clusters of account {name} ({account}) in {region}: ");
        assert!(failures.iter().any(|line| line.starts_with(&what)), "{what} in\n{}", run.stderr);
    }
    let [first @ .., subscriptions, clusters, credentials] = estate.counts();
    assert_eq!(first, asked());
    assert_eq!((subscriptions, clusters, credentials), (2, 3, 0));
    assert_eq!(estate.sandbox.count(Route::EntraToken), 2);
    let most = estate.sandbox.most_at_once();
    assert!((4..=8).contains(&most), "{most} at once");
    let questions = estate.sandbox.total();
    assert!(!estate.config().exists());

    let narrow = estate.discover().args(["--parallel", "2", "--provider", "aws", "--region", HOME]);
    let run = narrow.args(["--name-template", "{account-id}:{role}:{cluster}"]).run();
    assert_eq!(run.stdout.lines().count(), 1 + (ACCOUNTS.len() - 1) * PER_REGION);
    assert!(run.stdout.contains(" 111111111111:Viewer:c0\n"), "{run:?}");
    say(&format!("discovered 200 clusters with {questions} questions, {most} at once"));
}

#[test]
fn all_are_added_in_one_go_and_nothing_changes_the_second_time() {
    let estate = Estate::new();
    let old = "# mine\ncurrent-context: mine\nkind: Config\napiVersion: v1\n";
    estate.home.write(".kube/config", old).unwrap();
    let run = estate.discover().args(["--all"]).run();
    assert_eq!(run.code, Some(0), "{run:?}");
    let path = estate.config().display().to_string();
    assert!(run.stdout.ends_with(&format!("added 200 clusters to {path}\n")), "{run:?}");
    let [.., describes, _, _, credentials] = estate.counts();
    assert_eq!((describes, credentials), (120, 80));
    let asked: Vec<String> = estate
        .sandbox
        .requests()
        .into_iter()
        .filter(|request| matches!(request.route, Route::EksDescribe | Route::ArmCredential))
        .map(|request| format!("{:?} {}", request.region.zip(request.caller), request.path))
        .collect();
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), 200, "something was asked twice");

    let text = fs::read_to_string(estate.config()).unwrap();
    assert!(text.starts_with("# mine\ncurrent-context: mine\n"), "{text}");
    let new = value(&text).unwrap();
    let names = |list: &str| -> BTreeSet<String> {
        let items = new[list].as_array().unwrap();
        assert_eq!(items.len(), 200, "{list}");
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("contexts"), estate.contexts);
    let (clusters, users) = (names("clusters"), names("users"));
    assert_eq!((clusters.len(), users.len()), (200, 200), "two things have one name");
    for context in new["contexts"].as_array().unwrap() {
        let of = |key: &str| context["context"][key].as_str().unwrap().to_owned();
        assert!(clusters.contains(&of("cluster")) && users.contains(&of("user")), "{context}");
    }
    assert!(clusters.contains("arn:aws:eks:us-west-2:333333333333:cluster/c9"));
    assert!(users.contains("clusterUser_team0_k0") && users.contains("azure/two/westeurope/k0"));
    read_by_kubectl(&estate);

    let run = estate.discover().args(["--all", "--yes"]).run();
    assert!(
        run.stdout.ends_with("200 clusters are there already; nothing was changed\n"),
        "{run:?}"
    );
    assert_eq!(fs::read_to_string(estate.config()).unwrap(), text);
    assert_eq!(estate.sandbox.count(Route::EksDescribe), 120);
    let run = estate.discover().args(["--all", "--overwrite"]).run();
    assert!(
        run.stdout.ends_with("200 clusters are there already; nothing was changed\n"),
        "{run:?}"
    );
    assert_eq!(fs::read_to_string(estate.config()).unwrap(), text);
}

fn read_by_kubectl(estate: &Estate) {
    let kubectls = kubectls();
    for kubectl in &kubectls {
        let config = estate.config();
        let run = Program::new(&kubectl.path)
            .envs(estate.home.environment())
            .args(["--kubeconfig".as_ref(), config.as_os_str()])
            .args(["config", "get-contexts", "-o", "name"])
            .run();
        let names: BTreeSet<String> = run.stdout.lines().map(str::to_owned).collect();
        assert_eq!(names, estate.contexts, "{}", run.stderr);
    }
    say(&format!("kubectl tests ran: {} (200 discovered contexts)", kubectls.len()));
}

#[test]
fn patterns_choose_and_programs_get_json_and_nothing_else() {
    let estate = Estate::new();
    let run = estate.discover().args(["k?", "aws/shop/us-*", "--json"]).run();
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let clusters = answer["clusters"].as_array().unwrap();
    assert_eq!(
        (clusters.len(), answer["failures"].as_array().unwrap().len()),
        (200, ACCOUNTS.len())
    );
    let first = &clusters[0];
    assert_eq!(first["id"], "arn:aws:eks:ap-southeast-2:333333333333:cluster/c0");
    assert_eq!(first["context"], "aws/data/ap-southeast-2/c0");
    assert_eq!((&first["known"], &first["labels"]["role"]), (&Value::Null, &"Viewer".into()));
    let failure = &answer["failures"][0];
    assert!(["what", "why"].iter().all(|key| failure[key].is_string()), "{failure}");
    let new = value(&fs::read_to_string(estate.config()).unwrap()).unwrap();
    assert_eq!(new["contexts"].as_array().unwrap().len(), 3 * 10 + 2 * PER_REGION);

    let run = estate.discover().args(["--json"]).run();
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let known =
        answer["clusters"].as_array().unwrap().iter().filter(|one| one["known"] == one["context"]);
    assert_eq!(known.count(), 50);
    let run = estate.discover().args(["nothing-*"]).run();
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("error: no cluster is like `nothing-*`\n"), "{}", run.stderr);
}

#[test]
fn a_program_gets_one_document_with_what_would_change_and_what_failed_on_the_way() {
    let estate = Estate::new();
    estate.sandbox.deny(Route::EksDescribe, "111111111111");
    let run = estate.discover().args(["aws/*/us-east-1/c1", "--json", "--dry-run"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let diff = answer["diff"].as_str().unwrap();
    assert!(
        diff.contains("+- name: aws/shop/us-east-1/c1") || diff.contains("aws/shop/us-east-1/c1")
    );
    assert_eq!(answer["failures"].as_array().unwrap().len(), ACCOUNTS.len() + 1, "{answer}");
    assert!(!estate.config().exists());
}

#[test]
fn what_the_clouds_own_tool_added_is_there_already_and_a_taken_name_is_not() {
    let estate = Estate::new();
    let old = "contexts:\n\
        - {name: mine, context: {cluster: k0, user: clusterUser_TEAM0_k0}}\n\
        - {name: azure/guests/westeurope/k1, context: {cluster: other, user: you}}\n";
    estate.home.write(".kube/config", old).unwrap();
    let guests = || estate.discover().args(["--provider", "azure", "--subscription", "guests"]);
    let run = guests().run();
    let line = |name: &str| {
        let name = format!("azure/guests/westeurope/{name} ");
        run.stdout.lines().find(|line| line.contains(&name)).unwrap_or_default()
    };
    assert!(line("k0").ends_with("there as mine"), "{run:?}");
    assert!(line("k1").ends_with("name is taken"), "{run:?}");
    let run = guests().args(["k0", "k1", "k2"]).run();
    assert!(run.stdout.contains("added 1 cluster to "), "{run:?}");
    assert!(run.stderr.contains("it leads to cluster `other`"), "{run:?}");
}

#[test]
fn who_reads_the_first_line_only_is_no_failure() {
    use std::{io::Read as _, process::Stdio};
    let estate = Estate::new();
    let mut command = estate.discover().args(["--provider", "azure"]).command();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn where_nothing_was_found_it_is_said_why() {
    let nowhere = || Program::plugin().args(["kubeconfig", "discover"]);
    let home = Home::temporary().unwrap();
    let [what, _, next] = nowhere().envs(home.environment()).run().failed(2);
    assert_eq!(what, "there is nowhere to look for clusters");
    assert_eq!(next, "fleetkey kubeconfig discover --help");
    let [what, ..] =
        nowhere().envs(home.environment()).args(["--name-template", "{x}"]).run().failed(2);
    assert_eq!(what, "`--name-template` is no template: `{x}`");

    let estate = Estate::new();
    for (account, _) in ACCOUNTS {
        estate.sandbox.deny(Route::EksList, account);
    }
    let aws = || estate.discover().args(["--provider", "aws"]);
    let run = aws().run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(4), ""), "{run:?}");
    assert_eq!(failures(&run).len(), ACCOUNTS.len());
    assert!(
        run.stderr.contains("error: nothing was found, and 4 questions failed\n"),
        "{}",
        run.stderr
    );
    // the session is over
    estate.home.aws_config(CONFIG).unwrap();
    fs::remove_dir_all(estate.home.join(".aws/sso")).unwrap();
    let [_, _, next] = aws().args(["--sso-session", "corp"]).run().failed(3);
    assert!(next.ends_with("--sso-session corp"), "{next}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_person_picks_by_numbers_and_patterns() {
    use crate::support::Terminal;
    let estate = Estate::new();
    let terminal = Terminal::start(&estate.discover().args(["--ask", "terminal"]));
    let (run, _) = terminal.types("or nothing:", "1-3, 7 azure/guests/*k1?").finish();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.starts_with("#    CLOUD"), "{run:?}");
    let new = value(&fs::read_to_string(estate.config()).unwrap()).unwrap();
    let contexts = new["contexts"].as_array().unwrap();
    assert_eq!(contexts.len(), 4 + 10, "{run:?}");
    let (run, _) = Terminal::start(&estate.discover().args(["--ask", "terminal"]))
        .types("or nothing:", "")
        .finish();
    assert_eq!(run.code, Some(0), "{run:?}");
    // a number that nothing has is asked for once more, and a pattern like nothing is said
    let (run, seen) = Terminal::start(&estate.discover().args(["--ask", "terminal"]))
        .types("or nothing:", "999")
        .types("once more, numbers, patterns, all, or nothing:", "none-*")
        .finish();
    assert_eq!(run.code, Some(2), "{run:?} {seen}");
    let all = format!("{}{seen}", run.stderr);
    assert!(
        all.contains("there is no `999`") && all.contains("no cluster is like `none-*`"),
        "{all}"
    );
    let more = estate.discover().args(["--ask", "terminal", "c9"]);
    let (run, _) = Terminal::start(&more).types("[y/N]", "n").finish();
    assert_eq!(run.code, Some(1), "{run:?}");
    let (run, _) = Terminal::start(&more).types("[y/N]", "y").finish();
    assert!(run.stdout.contains("added 12 clusters"), "{run:?}");
}
