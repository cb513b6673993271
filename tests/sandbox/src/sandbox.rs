//! The sandbox itself: everything starts here and ends when it is dropped.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::aws::accounts::{Credentials, Identity, User};
use crate::aws::ec2::Ec2;
use crate::aws::eks::Eks;
use crate::aws::eks::clusters::EksCluster;
use crate::aws::role::Role;
use crate::aws::signin::service::SignInService;
use crate::aws::sso::oidc::OidcService;
use crate::aws::sso::portal::PortalService;
use crate::aws::sts::Sts;
use crate::azure::arm::Arm;
use crate::canary::{Canary, Listening};
use crate::certificates::Certificate;
use crate::client::Client;
use crate::cluster::{AksCluster, Cluster};
use crate::entra::Entra;
use crate::entra::verifier::{Nonces, Rules};
use crate::fault::Fault;
use crate::kubernetes::ApiServer;
use crate::requests::Recorded;
use crate::route::{Route, Service};
use crate::server::{Handler, Server};
use crate::world::World;

/// Clouds and clusters on loopback, with a clock, a log and a mind of their own.
pub struct Sandbox {
    pub(crate) world: Arc<World>,
    /// Holds `ca.pem`, for variables that want a file.
    folder: tempfile::TempDir,
    sts: Server,
    eks: Server,
    ec2: Server,
    arm: Server,
    sso: Server,
    sso_oidc: Server,
    signin: Server,
    entra: Entra,
    clusters: Mutex<BTreeMap<String, Cluster>>,
    aks_clusters: Mutex<BTreeMap<String, AksCluster>>,
    more: Mutex<Vec<Server>>,
}

impl Sandbox {
    /// Starts STS, EKS, EC2, the two services of SSO, AWS Sign-In, Entra and the Resource Manager; clusters and canaries start when first asked for.
    pub fn start() -> io::Result<Self> {
        let world = Arc::new(World::new()?);
        let folder = tempfile::Builder::new().prefix("fleetkey-sandbox-").tempdir()?;
        std::fs::write(folder.path().join("ca.pem"), &world.certificates.ca_pem)?;
        let sts = Server::start(&world, Some(Service::Sts), Arc::new(Sts(Arc::clone(&world))))?;
        let eks = Server::start(&world, Some(Service::Eks), Arc::new(Eks(Arc::clone(&world))))?;
        let ec2 = Server::start(&world, Some(Service::Ec2), Arc::new(Ec2(Arc::clone(&world))))?;
        let arm = Server::start(&world, Some(Service::Arm), Arc::new(Arm(Arc::clone(&world))))?;
        drop(world.resources.url.set(format!("https://{}", arm.address())));
        let sso =
            Server::start(&world, Some(Service::Sso), Arc::new(PortalService(Arc::clone(&world))))?;
        let oidc = Arc::new(OidcService(Arc::clone(&world)));
        let sso_oidc = Server::start(&world, Some(Service::SsoOidc), oidc)?;
        let signin = Arc::new(SignInService(Arc::clone(&world)));
        let signin = Server::start(&world, Some(Service::SignIn), signin)?;
        let entra = Entra::start(&world)?;
        Ok(Self {
            world,
            folder,
            sts,
            eks,
            ec2,
            arm,
            sso,
            sso_oidc,
            signin,
            entra,
            clusters: Mutex::default(),
            aks_clusters: Mutex::default(),
            more: Mutex::default(),
        })
    }

    /// Variables that point an AWS client at this sandbox, and let any client trust it. An Azure client is pointed here by
    /// `--authority-host URL/`, with the URL of [`Sandbox::entra`].
    pub fn environment(&self) -> Vec<(String, String)> {
        let ca = self.ca_file().to_string_lossy().into_owned();
        [
            ("AWS_ENDPOINT_URL_STS", self.sts_url()),
            ("AWS_ENDPOINT_URL_EKS", self.eks_url()),
            ("AWS_ENDPOINT_URL_EC2", self.ec2_url()),
            ("AWS_ENDPOINT_URL_SSO", self.sso_url()),
            ("AWS_ENDPOINT_URL_SSO_OIDC", self.sso_oidc_url()),
            ("AWS_ENDPOINT_URL_SIGNIN", self.signin_url()),
            ("AWS_CA_BUNDLE", ca.clone()),
            ("SSL_CERT_FILE", ca),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// `https://127.0.0.1:PORT` of STS.
    pub fn sts_url(&self) -> String {
        format!("https://{}", self.sts.address())
    }

    /// `https://127.0.0.1:PORT` of EKS, in all regions.
    pub fn eks_url(&self) -> String {
        format!("https://{}", self.eks.address())
    }

    /// `https://127.0.0.1:PORT` of EC2, in all regions.
    pub fn ec2_url(&self) -> String {
        format!("https://{}", self.ec2.address())
    }

    /// `https://127.0.0.1:PORT` of Azure's Resource Manager.
    pub fn resource_manager_url(&self) -> String {
        format!("https://{}", self.arm.address())
    }

    /// `https://127.0.0.1:PORT` of the SSO portal.
    pub fn sso_url(&self) -> String {
        format!("https://{}", self.sso.address())
    }

    /// `https://127.0.0.1:PORT` of the SSO OIDC service.
    pub fn sso_oidc_url(&self) -> String {
        format!("https://{}", self.sso_oidc.address())
    }

    /// `https://127.0.0.1:PORT` of AWS Sign-In, in all regions.
    pub fn signin_url(&self) -> String {
        format!("https://{}", self.signin.address())
    }

    /// The authority host of Entra ID.
    pub fn entra(&self) -> &Entra {
        &self.entra
    }

    /// The authority all services show certificates of, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.world.certificates.ca_pem
    }

    /// The same in a file that lives as long as the sandbox.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A plain HTTPS client that trusts this sandbox and nothing else.
    pub fn client(&self) -> io::Result<Client> {
        Client::trusting(self.ca_pem())
    }

    /// The user of that name in account 111122223333, made on first use.
    pub fn user(&self, name: &str) -> User {
        self.user_in(name, ACCOUNT)
    }

    /// The user of that name in an account, made on first use.
    pub fn user_in(&self, name: &str, account: &str) -> User {
        self.world.accounts.user(name, account)
    }

    /// Makes a fixed access key of a user known, as test vectors need it.
    pub fn known_user(&self, user: User) {
        self.world.accounts.add_user(user);
    }

    /// Registers a role, replacing one of the same ARN.
    pub fn role(&self, role: Role) {
        self.world.accounts.add_role(role);
    }

    /// Temporary credentials of a role, handed out as if somebody had assumed it: for environment variables.
    pub fn session(&self, role_arn: &str, session_name: &str, lifetime: Duration) -> Credentials {
        let identity = Identity::assumed(role_arn, session_name);
        let expires = self.now().checked_add(lifetime).unwrap_or(Timestamp::MAX);
        self.world.accounts.issue(identity, expires, false)
    }

    /// A code of the user's MFA device (`arn:aws:iam::ACCOUNT:mfa/NAME`), good for one use.
    pub fn mfa_code(&self, user: &User) -> String {
        self.world.accounts.mfa_code(&user.mfa_serial())
    }

    /// What credentials last from now on, whatever was asked for; none is what was asked for.
    pub fn credential_lifetime(&self, lifetime: Option<Duration>) {
        self.world.accounts.set_lifetime(lifetime);
    }

    /// Makes temporary credentials unknown, as if their role's sessions had been revoked.
    pub fn revoke(&self, access_key_id: &str) {
        self.world.accounts.revoke(access_key_id);
    }

    /// A service account's token, as a cluster projects it: ES256, audience `sts.amazonaws.com`.
    pub fn web_identity_token(
        &self,
        subject: &str,
        lifetime: SignedDuration,
    ) -> io::Result<String> {
        self.world.issuer.token(subject, "sts.amazonaws.com", self.now(), lifetime)
    }

    /// The cluster of that name in us-east-1; its API server starts on first use.
    pub fn cluster(&self, name: &str) -> io::Result<Cluster> {
        self.cluster_in(name, "us-east-1")
    }

    /// The cluster of that name; the region decides which STS hosts its tokens may name. EKS knows it in account
    /// 111122223333, unless [`Cluster::in_account`] says otherwise.
    pub fn cluster_in(&self, name: &str, region: &str) -> io::Result<Cluster> {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = clusters.get(name) {
            return Ok(cluster.clone());
        }
        let mut cluster = Cluster {
            name: name.to_owned(),
            region: region.to_owned(),
            server: String::new(),
            ca_pem: self.ca_pem().to_owned(),
            guests: Arc::default(),
            world: Arc::clone(&self.world),
        };
        let address = self.serve(Some(Service::Api), Arc::new(ApiServer(cluster.clone())))?;
        cluster.server = format!("https://{address}");
        self.world.eks.add(EksCluster::of(&cluster));
        clusters.insert(name.to_owned(), cluster.clone());
        Ok(cluster)
    }

    /// The cluster of that name that believes the tokens of a tenant; its API server starts on first use.
    pub fn aks_cluster(&self, name: &str, tenant: &str) -> io::Result<AksCluster> {
        let mut clusters = self.aks_clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = clusters.get(name) {
            return Ok(cluster.clone());
        }
        let tenant = self.entra.tenant(tenant);
        let mut cluster = AksCluster {
            name: name.to_owned(),
            server: String::new(),
            ca_pem: self.ca_pem().to_owned(),
            guests: Arc::default(),
            rules: Arc::new(Mutex::new((Rules::new(&tenant), Nonces::default()))),
            tenant,
            world: Arc::clone(&self.world),
        };
        let address = self.serve(Some(Service::Api), Arc::new(ApiServer(cluster.clone())))?;
        cluster.server = format!("https://{address}");
        clusters.insert(name.to_owned(), cluster.clone());
        Ok(cluster)
    }

    /// A listener that remembers all it hears.
    pub fn canary(&self) -> io::Result<Canary> {
        let heard = Arc::default();
        let https = self.serve(Some(Service::Canary), Arc::new(Listening(Arc::clone(&heard))))?;
        let http = self.serve(None, Arc::new(Listening(Arc::clone(&heard))))?;
        Ok(Canary { https: format!("https://{https}"), http: format!("http://{http}"), heard })
    }

    /// How many requests of a kind arrived, right or wrong, answered or not.
    pub fn count(&self, route: Route) -> usize {
        self.world.log.count(route)
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.world.log.all()
    }

    /// How many requests of any kind arrived.
    pub fn total(&self) -> usize {
        self.world.log.len()
    }

    /// Faults for the next requests of a kind, one each; then all is well again.
    pub fn script(&self, route: Route, faults: impl IntoIterator<Item = Fault>) {
        self.world.faults.queue(route, faults);
    }

    /// A fault for every request of a kind once its script has run out.
    pub fn always(&self, route: Route, fault: Fault) {
        self.world.faults.always(route, fault);
    }

    /// Forgets script and standing fault of a kind.
    pub fn clear(&self, route: Route) {
        self.world.faults.clear(route);
    }

    /// Which certificate a service shows from now on.
    pub fn certificate(&self, service: Service, certificate: Certificate) {
        self.world.certificates.show(service, certificate);
    }

    /// The sandbox's time.
    pub fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Sets how far the sandbox's clock is ahead of the system's (behind, if negative).
    pub fn set_clock_offset(&self, offset: SignedDuration) {
        self.world.clock.set_offset(offset);
    }

    /// Moves the sandbox's clock on.
    pub fn advance(&self, by: SignedDuration) {
        self.world.clock.advance(by);
    }

    pub(crate) fn serve(
        &self,
        tls: Option<Service>,
        handler: Arc<dyn Handler>,
    ) -> io::Result<std::net::SocketAddr> {
        let server = Server::start(&self.world, tls, handler)?;
        let address = server.address();
        self.more.lock().unwrap_or_else(PoisonError::into_inner).push(server);
        Ok(address)
    }
}

impl Drop for Sandbox {
    /// Waiting threads wake, connections end; the listeners close as the fields are dropped.
    fn drop(&mut self) {
        self.world.stop.stop();
        self.world.connections.shut_down();
    }
}

/// The account that users are in unless a test says otherwise.
pub(crate) const ACCOUNT: &str = "111122223333";
