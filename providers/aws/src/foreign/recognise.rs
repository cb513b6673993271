//! Whether a cluster is one of EKS, by what the kubeconfig says of it.

use fleetkey_provider::ClusterInfo;
use serde_json::Value;
use url::Url;

use crate::region;

/// Whether its extension names this provider or, if it names none, its server has a name that EKS
/// gives to API servers and nobody else can have.
pub(crate) fn recognises(cluster: &ClusterInfo) -> bool {
    match cluster.config.get("provider") {
        Some(provider) => provider.as_str() == Some(crate::NAME),
        None => is_api_server(cluster),
    }
}

fn is_api_server(cluster: &ClusterInfo) -> bool {
    let Ok(url) = Url::parse(&cluster.server) else { return false };
    let id = url.host_str().and_then(|host| host.split('.').next()).unwrap_or_default();
    url.scheme() == "https"
        && id.len() == ID_LENGTH
        && id.bytes().all(|b| b.is_ascii_hexdigit())
        && region::of_server(cluster).is_some()
}

/// The value that [`recognises`] looks for, for those who write an extension.
pub(super) fn provider() -> Value {
    Value::from(crate::NAME)
}

/// How long the first label is: 32 hexadecimal digits.
const ID_LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "9E50F1A6CDEAB7D3F9A5D3C4A1B2C3D4";

    fn is_ours(server: &str, config: &Value) -> bool {
        let config = config.as_object().cloned().unwrap_or_default();
        recognises(&ClusterInfo { server: server.into(), config, ..ClusterInfo::default() })
    }

    #[test]
    fn the_names_of_eks_servers_are_known() {
        for rest in [
            "gr7.us-east-1.eks.amazonaws.com",
            "us-west-2.eks.amazonaws.com",
            "sk1.cn-north-1.eks.amazonaws.com.cn",
            "yl4.us-gov-west-1.eks.amazonaws.com:443/",
            "x.us-iso-east-1.eks.c2s.ic.gov",
            "x.eks-cluster.us-west-2.api.aws",
            "gr7.eks.eu-central-1.amazonaws.com",
        ] {
            assert!(is_ours(&format!("https://{ID}.{rest}"), &Value::Null), "{rest}");
        }
    }

    #[test]
    fn nobody_elses_names_are() {
        let id = format!("https://{ID}");
        for server in [
            "https://gr7.us-east-1.eks.amazonaws.com".into(),
            "https://abc.gr7.us-east-1.eks.amazonaws.com".into(),
            "https://oidc.eks.us-east-1.amazonaws.com".into(),
            format!("https://x{}.gr7.us-east-1.eks.amazonaws.com", &ID[1..]),
            format!("{id}.gr7.us-east-1.eks.amazonaws.com.evil.example"),
            format!("{id}.gr7.us-east-1.eks.evilamazonaws.com"),
            format!("{id}.gr7.us-east-1.eks.amazonaws.com.cn"),
            format!("{id}.a.gr7.us-east-1.eks.amazonaws.com"),
            format!("{id}.s3.us-east-1.amazonaws.com"),
            format!("{id}.eks.s3.amazonaws.com"),
            format!("{id}.gr7.mars-1.eks.amazonaws.com"),
            format!("{id}.us-east-1.elb.amazonaws.com"),
            format!("{id}@evil.example"),
            format!("http://{ID}.gr7.us-east-1.eks.amazonaws.com"),
            format!("https://evil.example/{ID}.gr7.us-east-1.eks.amazonaws.com"),
            "https://x.hcp.westeurope.azmk8s.io:443".into(),
            "https://10.0.0.1".into(),
            String::new(),
        ] {
            assert!(!is_ours(&server, &Value::Null), "{server}");
        }
    }

    #[test]
    fn the_extension_decides_if_it_names_a_provider() {
        let server = format!("https://{ID}.gr7.us-east-1.eks.amazonaws.com");
        assert!(is_ours("https://10.0.0.1", &json!({"provider": "aws"})));
        assert!(!is_ours(&server, &json!({"provider": "azure"})));
        assert!(!is_ours(&server, &json!({"provider": null})));
        assert!(is_ours(&server, &json!({"region": "us-east-1"})));
    }
}
