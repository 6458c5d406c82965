/** The examples: one table, for the page and for its tests. The ids are addresses (`#example=ID`) and never change. */
import { DEFAULTS, type State } from "./state.ts";

export interface Example {
  id: string;
  title: string;
  /** What it shows, in one sentence. */
  shows: string;
  state: State;
}

const RUNC_AND_KATA = `apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: containerd-runc
handler: runc
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: containerd-kata
handler: kata
`;

const WITH_GVISOR = `${RUNC_AND_KATA}---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: gvisor
handler: runsc
`;

const WITH_SCHEDULING = `apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: plain
handler: runc
overhead:
  podFixed:
    cpu: 10m
scheduling:
  nodeSelector:
    runtime: runc
  tolerations:
    - key: runc
      operator: Exists
      effect: NoSchedule
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: kata
handler: kata
overhead:
  podFixed:
    cpu: 250m
    memory: 120Mi
scheduling:
  nodeSelector:
    runtime: kata
`;

const SANDBOX_BY_DEFAULT = `reservedRuntimes: [runC]
fallbackRuntime: containerd-kata
defaultRuntimeReserved: true
`;

const pod = (spec = "") => `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
${spec}  containers:
    - name: web
      image: nginx
`;

const controller = (kind: string, name: string, spec: string) => `apiVersion: apps/v1
kind: ${kind}
metadata:
  name: ${name}
spec:
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
${spec}`;

const example = (id: string, title: string, shows: string, state: Partial<State>): Example => ({
  id,
  title,
  shows,
  state: { ...DEFAULTS, classes: RUNC_AND_KATA, settings: SANDBOX_BY_DEFAULT, workload: pod(), ...state },
});

export const EXAMPLES: readonly Example[] = [
  example("no-class-rejected", "A Pod that names no class is rejected", "The default runtime is reserved, and there is no fallback.", {
    settings: "reservedRuntimes: [runC]\ndefaultRuntimeReserved: true\n",
  }),
  example("no-class-mutated", "A Pod that names no class runs in the fallback", "With a fallback, the same Pod is mutated instead.", {}),
  example(
    "handler",
    "A class whose handler is reserved",
    "containerd-runc is not reserved by its name: it runs on the handler runc. The policy looks that up.",
    { workload: pod("  runtimeClassName: containerd-runc\n") },
  ),
  example("other-class", "A Pod that names another class", "gvisor is not reserved: the policy leaves the Pod alone.", {
    classes: WITH_GVISOR,
    workload: pod("  runtimeClassName: gvisor\n"),
  }),
  example("daemonset", "What happens to my DaemonSet?", "The DaemonSet stays as it is. Each of its Pods is mutated when it is created.", {
    workload: controller(
      "DaemonSet",
      "log-collector",
      `      tolerations: # on every node
        - operator: Exists
      containers:
        - name: collector
          image: fluent-bit
          volumeMounts:
            - name: logs
              mountPath: /var/log
      volumes:
        - name: logs
          hostPath:
            path: /var/log
`,
    ),
  }),
  example(
    "deployment-fallback",
    "A Deployment that names a reserved class, with a fallback",
    "A template is never mutated. A warning says what its Pods will run with.",
    {
      workload: controller(
        "Deployment",
        "shop",
        "      runtimeClassName: containerd-runc\n      containers:\n        - name: shop\n          image: shop:1.2.3\n",
      ),
    },
  ),
  example("deployment-rejected", "A Deployment that names a reserved class, without a fallback", "The owner learns it at once, and not by Pods that never start.", {
    settings: "reservedRuntimes: [runC]\n",
    workload: controller(
      "Deployment",
      "shop",
      "      runtimeClassName: containerd-runc\n      containers:\n        - name: shop\n          image: shop:1.2.3\n",
    ),
  }),
  example(
    "overhead",
    "Overhead and scheduling of the old class",
    "The API server added them to the Pod before it asks the policy. The policy removes them with the class, and keeps your own nodeSelector and tolerations.",
    {
      settings: "reservedRuntimes: [runc]\nfallbackRuntime: kata\n",
      classes: WITH_SCHEDULING,
      workload: pod(`  runtimeClassName: plain
  overhead:
    cpu: 10m # from the class plain
  nodeSelector:
    disk: ssd # your own
    runtime: runc # from the class plain
  tolerations:
    - key: dedicated # your own
      operator: Exists
    - key: runc # from the class plain
      operator: Exists
      effect: NoSchedule
`),
    },
  ),
  example("update", "An update of a Pod that was there before", "Nobody can change the class of a Pod: the policy accepts an update that keeps it.", {
    settings: "reservedRuntimes: [runC]\ndefaultRuntimeReserved: true\n",
    operation: "UPDATE",
    workload: pod("  runtimeClassName: containerd-runc\n").replace("  name: web\n", "  name: web\n  labels:\n    tier: front # new\n"),
    oldObject: pod("  runtimeClassName: containerd-runc\n"),
  }),
  example("mirror", "A mirror Pod", "A kubelet shows a static Pod that runs already. A rejection would only hide it.", {
    username: "system:node:node-1",
    groups: "system:nodes, system:authenticated",
    namespace: "kube-system",
    settings: "reservedRuntimes: [runC]\ndefaultRuntimeReserved: true\n",
    workload: pod().replace(
      "  name: web\n",
      "  name: etcd-node-1\n  annotations:\n    kubernetes.io/config.mirror: 5c1b\n  ownerReferences:\n    - apiVersion: v1\n      kind: Node\n      name: node-1\n      uid: 5d0f\n      controller: true\n",
    ),
  }),
  example("windows", "A Windows Pod, left out by a match condition", "A whole ClusterAdmissionPolicy works, too: its rules, namespaces and conditions count.", {
    settings: `apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata:
  name: sandbox-for-linux
spec:
  module: registry://ghcr.io/kubewarden/policies/pod-runtime-class-policy:v2.0.0
  mutating: true
  settings:
    reservedRuntimes: [runc]
    fallbackRuntime: containerd-kata
  rules:
    - apiGroups: ['']
      apiVersions: [v1]
      resources: [pods]
      operations: [CREATE]
  matchConditions:
    - name: not-windows
      expression: "!has(object.spec.os) || object.spec.os.name != 'windows'"
  contextAwareResources:
    - apiVersion: node.k8s.io/v1
      kind: RuntimeClass
  namespaceSelector:
    matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: NotIn
        values: [kube-system, kube-public, kube-node-lease]
`,
    workload: pod("  os:\n    name: windows\n"),
  }),
  example("host-network", "A Pod on the network of its node", "It gets the fallback like any other. Kata Containers does not support hostNetwork: leave its namespace out.", {
    workload: pod("  hostNetwork: true\n"),
  }),
  example("missing-class", "A class that the cluster does not have", "The API server itself refuses the Pod, before it asks the policy. The policy rejects a template that names such a class.", {
    workload: pod("  runtimeClassName: ghost\n"),
  }),
  example("allow-list", "Only sandboxes are allowed", "An allow list rejects what you add to the cluster later, until you allow it.", {
    settings: "allowedRuntimes: ['containerd-kata*', runsc]\ndefaultRuntimeReserved: true\n",
    classes: WITH_GVISOR,
    workload: pod("  runtimeClassName: containerd-runc\n"),
  }),
  example("not-granted", "A policy that may not read RuntimeClasses", "It compares names alone: another name for the same handler passes.", {
    settings: "reservedRuntimes: [runc]\n",
    access: "not-granted",
    workload: pod("  runtimeClassName: containerd-runc\n"),
  }),
  example("failing", "RuntimeClasses can't be read", "policy-server lacks the permission. The policy fails closed.", {
    access: "failing",
    workload: pod("  runtimeClassName: containerd-runc\n"),
  }),
  example("invalid-settings", "A setting with a typing error", "The policy does not load, rather than protect nothing.", {
    settings: "reservedRuntime: [runc]\nfallbackRuntime: containerd-kata\n",
  }),
];

/** The example that a visitor sees first. */
export const FIRST = "handler";

export function exampleOf(id: string): Example | undefined {
  return EXAMPLES.find((each) => each.id === id);
}
