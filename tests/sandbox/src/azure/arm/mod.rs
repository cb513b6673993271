//! Azure's Resource Manager: which subscriptions somebody has, which AKS clusters are in them, and the kubeconfigs that
//! AKS hands out.

mod bearer;
pub(crate) mod cluster;
pub(crate) mod error;
mod kubeconfig;
mod place;
mod question;
pub(crate) mod resources;
pub(crate) mod subscription;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::bearer::Bearer;
use self::cluster::ManagedCluster;
use self::error::{dressed, error, no_resource};
use self::kubeconfig::Whose;
use self::place::Place;
use self::question::Question;
use self::subscription::Subscription;
use crate::entra::is_guid;
use crate::http::{Request, Response};
use crate::paging::{Page, page};
use crate::route::Route;
use crate::server::Handler;
use crate::world::World;

pub(crate) struct Arm(pub(crate) Arc<World>);

impl Handler for Arm {
    fn service(&self) -> String {
        "arm".to_owned()
    }

    fn route(&self, request: &Request) -> Route {
        match Place::read(request) {
            Place::Subscriptions | Place::Subscription { .. } => Route::ArmSubscriptions,
            Place::Clusters { .. } | Place::Cluster { .. } => Route::ArmClusters,
            Place::Credential { .. } => Route::ArmCredential,
            Place::Tenants | Place::Unknown => Route::Arm,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let place = Place::read(request);
        let long = |name| request.header(name).is_some();
        if request.method == "POST" && !long("content-length") && !long("transfer-encoding") {
            return Response::new(411, "text/html", "<h2>Length Required</h2>\n");
        }
        let named = place.subscription().and_then(|id| self.0.resources.subscription(id));
        let bearer = match Bearer::read(request, named.as_ref(), &self.0) {
            Ok(bearer) => bearer,
            Err(refusal) => return refusal,
        };
        let answer = self
            .admit(request, &place, named.as_ref(), &bearer)
            .and_then(|()| self.look(request, &place, named.as_ref(), &bearer))
            .map_or_else(|refusal| refusal, |body| dressed(Response::json(200, &body)));
        Response { caller: Some(bearer.name), ..answer }
    }
}

impl Arm {
    /// Whether somebody may ask this at all, now.
    fn admit(
        &self,
        request: &Request,
        place: &Place,
        named: Option<&Subscription>,
        bearer: &Bearer,
    ) -> Result<(), Response> {
        let Bearer { name, oid, .. } = bearer;
        let scope = match place.subscription() {
            None => "/".to_owned(),
            Some(id) if !is_guid(id) => {
                let message =
                    format!("The provided subscription identifier '{id}' is malformed or invalid.");
                return Err(error(400, "InvalidSubscriptionId", &message));
            }
            Some(id) if named.is_none() => {
                let message = format!("The subscription '{id}' could not be found.");
                return Err(error(404, "SubscriptionNotFound", &message));
            }
            Some(id) => format!("/subscriptions/{id}"),
        };
        if let Some(throttle) =
            place.subscription().and_then(|id| self.0.control_plane.throttles(id))
        {
            let message = format!(
                "Number of requests for '{scope}' exceeded the limit. Please try again later."
            );
            return Err(throttle.tell(error(429, "SubscriptionRequestsThrottled", &message)));
        }
        let reads = named.is_none_or(|subscription| subscription.admits(|whom| bearer.is(whom)));
        let whom = [name.as_str(), oid, request.path()];
        if reads && !self.0.control_plane.denies(self.route(request), &whom) {
            return Ok(());
        }
        let message = format!(
            "The client '{name}' with object id '{oid}' does not have authorization to perform action '{}' over scope \
             '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
            place.action()
        );
        Err(error(403, "AuthorizationFailed", &message))
    }

    fn look(
        &self,
        request: &Request,
        place: &Place,
        named: Option<&Subscription>,
        bearer: &Bearer,
    ) -> Result<Value, Response> {
        if *place == Place::Unknown {
            return Err(error(404, "NotFound", "The requested path does not exist."));
        }
        let question = Question::read(request, place)?;
        match (place, named) {
            (Place::Tenants, _) => {
                let tenants = self.tenants(bearer);
                self.list(tenants, request, &question, bearer)
            }
            (Place::Subscriptions, _) => {
                let mut own = self.0.resources.subscriptions();
                own.retain(|known| {
                    known.tenant == bearer.tenant && known.admits(|whom| bearer.is(whom))
                });
                let own = own.iter().map(Subscription::document).collect();
                self.list(own, request, &question, bearer)
            }
            (Place::Subscription { .. }, Some(subscription)) => Ok(subscription.document()),
            (Place::Clusters { group, .. }, Some(subscription)) => {
                if let Some(group) = group {
                    self.group(subscription, group)?;
                }
                let clusters = self.0.resources.clusters(&subscription.id, group.as_deref());
                let document =
                    |known: &ManagedCluster| known.document(&subscription.id, &subscription.tenant);
                let clusters = clusters.iter().map(document).collect();
                self.list(clusters, request, &question, bearer)
            }
            (Place::Cluster { group, name, .. }, Some(subscription)) => {
                let cluster = self.cluster(subscription, group, name)?;
                Ok(cluster.document(&subscription.id, &subscription.tenant))
            }
            (Place::Credential { group, name, admin, .. }, Some(subscription)) => {
                let cluster = self.cluster(subscription, group, name)?;
                self.credential(subscription, &cluster, *admin, &question)
            }
            // a place in a subscription that is not there was refused above
            (_, None) | (Place::Unknown, _) => Err(error(404, "NotFound", "Nothing is there.")),
        }
    }

    fn tenants(&self, bearer: &Bearer) -> Vec<Value> {
        let state = self.0.entra.state();
        let tenants = state
            .person(&bearer.name)
            .map_or_else(|| vec![bearer.tenant.clone()], |person| person.tenants);
        let tenant = |id: String| {
            let name = state.tenant_name(&id);
            json!({
                "id": format!("/tenants/{id}"), "tenantId": id, "displayName": name,
                "defaultDomain": name, "tenantCategory": "Home",
            })
        };
        tenants.into_iter().map(tenant).collect()
    }

    /// A page, and where the next one is.
    fn list(
        &self,
        items: Vec<Value>,
        request: &Request,
        question: &Question,
        bearer: &Bearer,
    ) -> Result<Value, Response> {
        let list = format!("{}/{}", request.path().to_ascii_lowercase(), bearer.oid);
        let size = self.0.control_plane.page(LONGEST);
        let Page { items, next } = page(items, &list, question.skip.as_deref(), size)
            .ok_or_else(|| error(400, "InvalidSkipToken", "The skip token is not of this list."))?;
        let mut body = json!({ "value": items });
        if let Some(next) = next {
            let to = format!("{}{}", self.0.resources.next(), request.path());
            body["nextLink"] = question.link(&to, &next).into();
        }
        Ok(body)
    }

    fn group(&self, subscription: &Subscription, group: &str) -> Result<(), Response> {
        if self.0.resources.has_group(subscription, group) {
            return Ok(());
        }
        let message = format!("Resource group '{group}' could not be found.");
        Err(error(404, "ResourceGroupNotFound", &message))
    }

    fn cluster(
        &self,
        subscription: &Subscription,
        group: &str,
        name: &str,
    ) -> Result<ManagedCluster, Response> {
        self.group(subscription, group)?;
        let clusters = self.0.resources.clusters(&subscription.id, Some(group));
        let mut clusters = clusters.into_iter();
        clusters.find(|known| known.is_at(group, name)).ok_or_else(|| no_resource(group, name))
    }

    fn credential(
        &self,
        subscription: &Subscription,
        cluster: &ManagedCluster,
        admin: bool,
        question: &Question,
    ) -> Result<Value, Response> {
        let bad = |message: &str| error(400, "BadRequest", message);
        if subscription.state == "Disabled" {
            let message = format!(
                "The subscription '{}' is disabled and therefore marked as read only.",
                subscription.id
            );
            return Err(error(409, "ReadOnlyDisabledSubscription", &message));
        }
        if !cluster.local_accounts && (admin || !cluster.entra) {
            return Err(bad(STATIC));
        }
        let server = cluster
            .server(question.public)
            .ok_or_else(|| bad("The cluster has no public FQDN to write into a kubeconfig."))?;
        let tenant = cluster.tenant.as_deref().unwrap_or(&subscription.tenant);
        let (name, whose) = match (admin, cluster.entra) {
            (true, _) => ("clusterAdmin", Whose::Admin),
            (false, false) => ("clusterUser", Whose::Bearer),
            (false, true) if question.exec || !question::is_old(&cluster.version) => {
                ("clusterUser", Whose::Plugin)
            }
            (false, true) => ("clusterUser", Whose::BuiltIn),
        };
        let ca = &self.0.certificates.ca_pem;
        let text = kubeconfig::text(cluster, &server, ca, tenant, whose);
        Ok(json!({ "kubeconfigs": [{ "name": name, "value": STANDARD.encode(text) }] }))
    }
}

const STATIC: &str = "Getting static credential is not allowed because this cluster is set to disable local accounts.";

/// What a page has.
const LONGEST: usize = 1000;
