//! What a stranger's bytes must not reach, should they ever get out of the decoders.

use super::super::set::{Set, called, container, list, pod, text};
use super::Faults;

pub(super) fn check(set: &Set, faults: &mut Faults) {
    for deployment in set.of_kind("Deployment") {
        let (name, pod, container) = (called(deployment), pod(deployment), container(deployment));
        let security = &container["securityContext"];
        let nobody = pod["securityContext"]["runAsUser"].as_u64().is_some_and(|user| user > 10_000);
        let dropped = list(&security["capabilities"]["drop"]).any(|capability| capability == "ALL");
        let account = set.get("ServiceAccount", text(pod, "/serviceAccountName"));
        let profile = text(pod, "/securityContext/seccompProfile/type");
        for (holds, fault) in [
            (
                list(&pod["containers"]).count() == 1 && pod.get("initContainers").is_none(),
                "there are other containers",
            ),
            (pod["automountServiceAccountToken"] == false, "a token of the cluster is in the pod"),
            (account.is_none_or(|a| a["automountServiceAccountToken"] == false), "the account hands out its token"),
            (pod["enableServiceLinks"] == false, "the environment names the cluster's services"),
            (["hostNetwork", "hostPID", "hostIPC"].iter().all(|host| pod.get(*host).is_none()), "it is in the host"),
            (list(&pod["volumes"]).all(|volume| volume.get("hostPath").is_none()), "a path of the host is in the pod"),
            (pod["securityContext"]["runAsNonRoot"] == true && nobody, "it is root, or may be"),
            (profile == "RuntimeDefault", "system calls are not filtered"),
            (security["allowPrivilegeEscalation"] == false, "privileges can be gained"),
            (security["privileged"] != true, "it is privileged"),
            (security["readOnlyRootFilesystem"] == true, "the root file system can be written"),
            (dropped && security["capabilities"].get("add").is_none(), "capabilities are kept"),
        ] {
            faults.unless(holds, format!("{name}: {fault}"));
        }
    }
}
