/** The ClusterAdmissionPolicy with these settings, ready to apply. */
import { Document, isMap, isSeq, visit } from "yaml";

/** Namespaces of the cluster itself: their Pods need what a sandbox takes away. */
const OF_THE_CLUSTER = ["kube-system", "kube-public", "kube-node-lease", "kubewarden", "cert-manager"];

const RUNTIME_CLASSES = [{ apiVersion: "node.k8s.io/v1", kind: "RuntimeClass" }];

export function module(version: string): string {
  return `registry://ghcr.io/kubewarden/policies/pod-runtime-class-policy:v${version}`;
}

export function manifest(settings: Record<string, unknown>, mayRead: boolean, version: string): string {
  const document = new Document({
    apiVersion: "policies.kubewarden.io/v1",
    kind: "ClusterAdmissionPolicy",
    metadata: { name: "pod-runtime-class" },
    spec: {
      module: module(version),
      mode: "monitor",
      mutating: Boolean(settings.fallbackRuntime),
      settings,
      rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
      ...(mayRead ? { contextAwareResources: RUNTIME_CLASSES } : {}),
      namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: OF_THE_CLUSTER }] },
    },
  });
  visit(document, {
    Seq(_, seq) {
      if (isSeq(seq) && !seq.items.some(isMap)) seq.flow = true;
    },
  });
  const advice =
    " Monitor mode changes nothing: policy-server logs what it would do. To enforce, change mode to protect.\n" +
    " Add the namespaces of your cluster's add-ons to namespaceSelector.";
  document.commentBefore = advice;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
