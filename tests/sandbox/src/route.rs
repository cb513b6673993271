//! What can be asked of the sandbox, named once: requests are counted and faults are scripted by these names.

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// STS `AssumeRole`.
    AssumeRole,
    /// STS `AssumeRoleWithWebIdentity`.
    AssumeRoleWithWebIdentity,
    /// STS `GetCallerIdentity`, header-signed or presigned.
    GetCallerIdentity,
    /// STS `GetSessionToken`.
    GetSessionToken,
    /// Any other request to STS.
    Sts,
    /// EKS `ListClusters`, a page of it.
    EksList,
    /// EKS `DescribeCluster`.
    EksDescribe,
    /// Any other request to EKS.
    Eks,
    /// Any request to EC2: `DescribeRegions`, or another.
    Ec2,
    /// `GET /federation/credentials` of the SSO portal.
    SsoCredentials,
    /// `POST /logout` of the SSO portal.
    SsoLogout,
    /// `GET /assignment/accounts` of the SSO portal, a page of it.
    SsoAccounts,
    /// `GET /assignment/roles` of the SSO portal, a page of it.
    SsoRoles,
    /// Any other request to the SSO portal.
    Sso,
    /// `CreateToken` of the SSO OIDC service, for a refresh token, a device code, or the code of a page.
    SsoToken,
    /// `RegisterClient` of the SSO OIDC service.
    SsoRegister,
    /// `StartDeviceAuthorization` of the SSO OIDC service.
    SsoDevice,
    /// The page of the SSO OIDC service where a person signs in.
    SsoAuthorize,
    /// Any other request to the SSO OIDC service, such as a button pressed on that page.
    SsoOidc,
    /// `CreateOAuth2Token` of AWS Sign-In, for a code or a refresh token.
    SignInToken,
    /// The page of AWS Sign-In where a person picks who to be.
    SignInAuthorize,
    /// Any other request to AWS Sign-In, such as a button pressed on that page.
    SignIn,
    /// `/latest/api/token` of an EC2 instance's metadata service.
    InstanceToken,
    /// The name of an EC2 instance's role.
    InstanceRole,
    /// The credentials of an EC2 instance's role.
    InstanceCredentials,
    /// Any other request to an EC2 instance's metadata service, such as for its region.
    Instance,
    /// Any request to the credential service of a container (ECS).
    Container,
    /// Any request to the EKS Pod Identity agent.
    PodIdentity,
    /// `GET /metadata/identity/oauth2/token` of an Azure virtual machine's metadata service.
    Imds,
    /// Any other request to it.
    ImdsInstance,
    /// Any request to the token service beside an app.
    AppService,
    /// Any request to the agent of an Arc machine; a token takes two.
    Arc,
    /// Any request to the token service of Cloud Shell.
    CloudShell,
    /// Any request to the token service of GitHub Actions.
    GithubOidc,
    /// Any request to the token service of Azure Pipelines.
    PipelinesOidc,
    /// Discovery of Entra: its instances, a tenant's configuration, the keys.
    EntraDiscovery,
    /// The page of Entra where a person signs in.
    EntraAuthorize,
    /// A device code is asked for, of either endpoint of Entra.
    EntraDeviceCode,
    /// A token is asked for, of either endpoint of Entra.
    EntraToken,
    /// Entra is asked who checks a person's password.
    EntraRealm,
    /// Any other request to Entra, such as a button pressed on its page.
    Entra,
    /// Subscriptions are asked for, all or one, of Azure's Resource Manager.
    ArmSubscriptions,
    /// AKS clusters are asked for, all of a subscription or of a resource group, or one.
    ArmClusters,
    /// The kubeconfig of an AKS cluster is asked for, its users' or its administrator's.
    ArmCredential,
    /// Any other request to Azure's Resource Manager.
    Arm,
    /// Any request to any API server.
    Api,
    /// Anything that came to a canary.
    Canary,
}

impl Route {
    /// Whether it leads to what knows of clusters, accounts and subscriptions: EKS, EC2, the lists of the SSO portal, ARM.
    pub(crate) fn is_control_plane(self) -> bool {
        matches!(
            self,
            Self::EksList
                | Self::EksDescribe
                | Self::Eks
                | Self::Ec2
                | Self::SsoAccounts
                | Self::SsoRoles
                | Self::ArmSubscriptions
                | Self::ArmClusters
                | Self::ArmCredential
                | Self::Arm
        )
    }
}

/// One kind of listener: certificates are chosen by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// The security token service.
    Sts,
    /// EKS.
    Eks,
    /// EC2.
    Ec2,
    /// The SSO portal.
    Sso,
    /// The SSO OIDC service.
    SsoOidc,
    /// AWS Sign-In.
    SignIn,
    /// The token services of CI systems.
    Oidc,
    /// Entra ID.
    Entra,
    /// Azure's Resource Manager.
    Arm,
    /// All API servers.
    Api,
    /// All canaries.
    Canary,
}
