//! The kubeconfig of a fleet, as large as one likes; the benchmark has it from here, too.

/// A kubeconfig with so many contexts, half of each cloud, as their own tools write them, with authorities of
/// that size.
pub(crate) fn fleet(contexts: usize, authority: usize) -> String {
    let authority = "TFMwdExTMUNSVWRKVGlC".repeat(authority / 20);
    let each = |made: &dyn Fn(usize) -> String| (0..contexts).map(made).collect::<String>();
    let name = |number: usize| format!("arn:aws:eks:eu-west-1:111122223333:cluster/team-{number}");
    let clusters = each(&|n| {
        format!(
            "- cluster:\n    certificate-authority-data: {authority}\n    server: https://{n}.example\n  name: {}\n",
            name(n)
        )
    });
    let contexts_ = each(&|n| {
        format!("- context:\n    cluster: {0}\n    user: {0}\n  name: {0} # of team {n}\n", name(n))
    });
    let users = each(&|n| {
        let args = if n % 2 == 0 {
            format!(
                "- --region\n      - eu-west-1\n      - eks\n      - get-token\n      - --cluster-name\n      - team-{n}\n      - --output\n      - json\n      command: aws\n      env:\n      - name: AWS_PROFILE\n        value: team-{n}"
            )
        } else {
            "- get-token\n      - --environment\n      - AzurePublicCloud\n      - --server-id\n      - 6dae42f8-4368-4678-94ff-3960e28e3630\n      - --tenant-id\n      - contoso.com\n      - --login\n      - azurecli\n      command: kubelogin".to_owned()
        };
        format!(
            "- name: {}\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      args:\n      {args}\n",
            name(n)
        )
    });
    format!(
        "apiVersion: v1\nclusters:\n{clusters}contexts:\n{contexts_}current-context: \"\"\nkind: Config\npreferences: {{}}\nusers:\n{users}"
    )
}
