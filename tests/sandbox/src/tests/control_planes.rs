use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::Signer;
use crate::{EksCluster, Fault, Gate, Route, Sandbox};

/// So many at once ask for clusters, and one signs in meanwhile.
fn crowd(sandbox: &Arc<Sandbox>, count: usize) -> Vec<thread::JoinHandle<u16>> {
    let alice = Signer::from(&sandbox.user("alice"));
    let crowd = (0..count).map(|number| {
        let (sandbox, alice) = (Arc::clone(sandbox), alice.clone());
        let region = ["us-east-1", "eu-west-1"][number % 2];
        thread::spawn(move || {
            let url = format!("{}/clusters", sandbox.eks_url());
            alice.ask(&sandbox, ("eks", region), &url, "").status
        })
    });
    crowd.collect()
}

#[test]
fn the_gauge_shows_how_many_there_were_at_once() {
    let sandbox = Arc::new(Sandbox::start().unwrap());
    let (gate, limit) = (Gate::new(), Duration::from_mins(1));
    assert_eq!(sandbox.most_at_once(), 0);
    sandbox.script(Route::EksList, (0..6).map(|_| Fault::Hold(gate.clone())));
    let six = crowd(&sandbox, 6);
    assert!(gate.wait_for(6, limit));
    // neither a token service nor an API server is a control plane
    let alice = Signer::from(&sandbox.user("alice"));
    alice.post(&sandbox, &[("Action", "GetCallerIdentity")], sandbox.now());
    assert_eq!(sandbox.most_at_once(), 6);
    // another control plane counts with the first
    let url = format!("{}/subscriptions?api-version=2022-12-01", sandbox.resource_manager_url());
    assert_eq!(sandbox.client().unwrap().get(&url, &[]).unwrap().status, 401);
    assert_eq!(sandbox.most_at_once(), 7);
    gate.release();
    assert!(six.into_iter().all(|asker| asker.join().unwrap() == 200));
    assert!(crowd(&sandbox, 2).into_iter().all(|asker| asker.join().unwrap() == 200));
    assert_eq!(sandbox.most_at_once(), 7);
}

#[test]
fn one_after_the_other_is_one_at_once() {
    let sandbox = Arc::new(Sandbox::start().unwrap());
    sandbox.control_planes_take(Duration::from_millis(1));
    sandbox.eks_cluster(EksCluster::new("c", "us-east-1"));
    for _ in 0..20 {
        assert!(crowd(&sandbox, 1).into_iter().all(|asker| asker.join().unwrap() == 200));
    }
    assert_eq!(sandbox.most_at_once(), 1);
}
