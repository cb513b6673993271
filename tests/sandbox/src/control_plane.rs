//! What all control planes share, whatever cloud they are of: how many ask them at once, how long an answer takes, how
//! long a page is, and who is refused or throttled.
//!
//! Faults are scripted by [`Route`], and meet whoever comes next. What is here is settled by account, region or
//! subscription, so that one corner of a fleet can be ill while the rest is well.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::http::Response;
use crate::route::Route;
use crate::sandbox::Sandbox;

impl Sandbox {
    /// The highest number of requests that the control planes (EKS, EC2, the lists of the SSO portal, ARM) were
    /// answering at once, all together. A request counts from when it was read whole until its answer begins.
    pub fn most_at_once(&self) -> usize {
        self.world.control_plane.flight().most
    }

    /// How long the control planes take for every answer from now on, so that requests meet; nothing at first. For
    /// longer, there is `Fault::Hold`.
    pub fn control_planes_take(&self, time: Duration) {
        self.world.control_plane.rules().pause = time;
    }

    /// How many things a page of any control plane has from now on, at most; `None` is what the originals have.
    pub fn page_size(&self, size: Option<usize>) {
        self.world.control_plane.rules().page = size;
    }

    /// Refuses a kind of request to whoever has this in their name, or to whom asks about it: an account, the name of a
    /// role, a cluster, a subscription.
    pub fn deny(&self, route: Route, whom: &str) {
        self.world.control_plane.rules().denied.push((route, whom.to_lowercase()));
    }

    /// Throttles every request about a region (EKS, EC2), an account (roles of the SSO portal) or a subscription (ARM)
    /// from now on, with a Retry-After in seconds or without.
    pub fn throttle(&self, place: &str, retry_after: Option<u32>) {
        let throttle = Throttle(retry_after);
        self.world.control_plane.rules().throttled.insert(place.to_lowercase(), throttle);
    }

    /// Ends that.
    pub fn throttle_no_more(&self, place: &str) {
        self.world.control_plane.rules().throttled.remove(&place.to_lowercase());
    }
}

/// The gauge, and what a test settled.
#[derive(Default)]
pub(crate) struct ControlPlane {
    flight: Mutex<Flight>,
    rules: Mutex<Rules>,
}

#[derive(Default)]
struct Flight {
    now: usize,
    most: usize,
}

#[derive(Default)]
struct Rules {
    pause: Duration,
    page: Option<usize>,
    denied: Vec<(Route, String)>,
    throttled: HashMap<String, Throttle>,
}

/// Somebody asked too often, and may be told for how many seconds to stay away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttle(Option<u32>);

impl Throttle {
    /// A refusal that says so, if it is said.
    pub(crate) fn tell(self, mut refusal: Response) -> Response {
        let seconds = self.0.map(|seconds| seconds.to_string());
        refusal.headers.extend(seconds.map(|seconds| ("Retry-After".to_owned(), seconds)));
        refusal
    }
}

/// A request that is being answered.
pub(crate) struct InFlight<'a>(&'a ControlPlane);

impl ControlPlane {
    /// Counts a request until what comes of this is dropped; none is a request to something else.
    pub(crate) fn enter(&self, route: Route) -> Option<InFlight<'_>> {
        if !route.is_control_plane() {
            return None;
        }
        let mut flight = self.flight();
        flight.now += 1;
        flight.most = flight.most.max(flight.now);
        Some(InFlight(self))
    }

    pub(crate) fn pause(&self) -> Duration {
        self.rules().pause
    }

    /// How long a page is, where the original has so many.
    pub(crate) fn page(&self, original: usize) -> usize {
        self.rules().page.map_or(original, |page| page.clamp(1, original))
    }

    /// Whether a kind of request is refused to any of these.
    pub(crate) fn denies(&self, route: Route, names: &[&str]) -> bool {
        let rules = self.rules();
        let mut denied = rules.denied.iter().filter(|(denied, _)| *denied == route);
        denied.any(|(_, whom)| names.iter().any(|name| name.to_lowercase().contains(whom)))
    }

    /// Whether requests about a place are throttled.
    pub(crate) fn throttles(&self, place: &str) -> Option<Throttle> {
        self.rules().throttled.get(&place.to_lowercase()).copied()
    }

    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.flight().now -= 1;
    }
}
