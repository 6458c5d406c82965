/** A generated dump of a cluster, as `kubectl get pods,runtimeclasses -A -o json` writes it. */

const CLASSES = [
  { name: "containerd-runc", handler: "runc" },
  { name: "kata", handler: "kata", scheduling: { nodeSelector: { runtime: "kata" } } },
  { name: "gvisor", handler: "runsc" },
];

const NAMED = [undefined, "containerd-runc", "kata", "gvisor", "ghost"];

/** @param pods how many Pods; those of one in ten workloads use what a sandbox takes away */
export function dump(pods: number): object {
  const classes = CLASSES.map(({ name, ...rest }) => ({ apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name }, ...rest }));
  return { apiVersion: "v1", kind: "List", items: [...Array.from({ length: pods }, (_, at) => pod(at)), ...classes] };
}

function pod(at: number): object {
  const workload = Math.floor(at / 8);
  const owner = `app-${workload}`;
  const isDaemon = workload % 10 === 0;
  const runtimeClassName = NAMED[workload % NAMED.length];
  const hash = "7c5ddbdf54";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${owner}-${hash}-${at}`,
      namespace: `team-${workload % 7}`,
      labels: isDaemon ? { app: owner } : { app: owner, "pod-template-hash": hash },
      ownerReferences: [
        isDaemon
          ? { apiVersion: "apps/v1", kind: "DaemonSet", name: owner, uid: "1", controller: true }
          : { apiVersion: "apps/v1", kind: "ReplicaSet", name: `${owner}-${hash}`, uid: "1", controller: true },
      ],
    },
    spec: {
      ...(runtimeClassName ? { runtimeClassName } : {}),
      ...(isDaemon ? { hostNetwork: true } : {}),
      containers: [{ name: "main", image: "registry.example.com/app:1", resources: { limits: { cpu: "100m", memory: "64Mi" } } }],
      restartPolicy: "Always",
      serviceAccountName: "default",
      tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }],
    },
    status: { phase: "Running" },
  };
}
