//! Where an adopted user differs from what kubelogin's `convert-kubeconfig` would write, on purpose. The
//! tests that replay kubelogin's own cases allow these differences and no others, and the
//! documentation lists them.

/// One difference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Difference {
    /// Its name, for tests.
    pub name: &'static str,
    /// What kubelogin does.
    pub kubelogin: &'static str,
    /// What is done here.
    pub fleetkey: &'static str,
    /// Why.
    pub why: &'static str,
}

/// All of them.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "tenant",
        kubelogin: "drops the tenant for `azurecli` and `azd`",
        fleetkey: "keeps it",
        why: "else the token is of whichever tenant `az` has chosen, and the cluster refuses it",
    },
    Difference {
        name: "environment",
        kubelogin: "writes a cloud's name that it does not know, and takes the public cloud for it",
        fleetkey: "leaves the name out, with a note; the public cloud is meant without one",
        why: "an unknown name is an error here, and the sign-in is to stay what it was",
    },
    Difference {
        name: "cloud",
        kubelogin: "drops `--environment` for `workloadidentity` and `azurepipelines`",
        fleetkey: "keeps it",
        why: "kubelogin obeys it there, and without it a sovereign cloud's application asks the public one",
    },
    Difference {
        name: "authority",
        kubelogin: "drops `--authority-host` but for `workloadidentity`, and there takes only a typed one",
        fleetkey: "keeps it",
        why: "kubelogin obeys it for every way to sign in",
    },
    Difference {
        name: "secrets",
        kubelogin: "writes a typed `--client-secret`, `--password` or `--client-certificate-password`",
        fleetkey: "refuses, and names a file's flag or a variable",
        why: "a kubeconfig is passed around",
    },
    Difference {
        name: "same",
        kubelogin: "drops what only a flag may say even if the way to sign in stays the same",
        fleetkey: "keeps everything that says something for that way",
        why: "who asks for `msi` and had it should not get another identity",
    },
    Difference {
        name: "no-login",
        kubelogin: "takes `devicecode` if no `--login` is typed, whatever the entry says",
        fleetkey: "keeps the entry's own; `--login ''` asks a person, in a browser or with a code",
        why: "converting is not choosing",
    },
    Difference {
        name: "people",
        kubelogin: "needs `--client-id` and `--tenant-id` for people",
        fleetkey: "needs neither",
        why: "AKS and Arc have an application for people, and an account says which tenant it is of",
    },
    Difference {
        name: "peoples-application",
        kubelogin: "writes the application that people sign in with for `spn`, and lets variables win over it",
        fleetkey: "leaves it out, with a note",
        why: "flags win here, and it has no secret",
    },
    Difference {
        name: "variables",
        kubelogin: "drops the entry's `env`, and writes what is set around it over typed flags",
        fleetkey: "keeps what is still needed, and takes nothing from around it",
        why: "an entry says who signs in, on whichever machine",
    },
    Difference {
        name: "grammar",
        kubelogin: "sees only long flags with a gap before their value",
        fleetkey: "sees every spelling that kubelogin's `get-token` takes",
        why: "an entry means what it does",
    },
    Difference {
        name: "further-flags",
        kubelogin: "drops `--timeout`, `--disable-instance-discovery` and `--use-azurerm-env-vars`",
        fleetkey: "keeps them",
        why: "they say something for every way to sign in",
    },
    Difference {
        name: "environment-override",
        kubelogin: "keeps `--disable-environment-override` only if it is typed for `spn`",
        fleetkey: "keeps it but for `azurecli` and `azd`, which read variables of their own",
        why: "who wanted nothing of the environment still wants nothing",
    },
    Difference {
        name: "cache",
        kubelogin: "writes any `--cache-dir`",
        fleetkey: "leaves a relative one out, with a note",
        why: "clients run plugins from anywhere",
    },
];
