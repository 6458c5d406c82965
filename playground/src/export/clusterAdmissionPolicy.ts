/** The ClusterAdmissionPolicy with these settings, ready to apply. */
import { Document, isMap, isSeq, parse, visit } from "yaml";
import cluster from "../../../deploy/cluster.yml?raw";

/** All but the namespaces of the cluster itself: their Pods need what a sandbox takes away. */
const NAMESPACES: unknown = parse(cluster).spec.namespaceSelector;

/** A longer list is a line an item. */
const SHORT = 6;

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
      namespaceSelector: NAMESPACES,
    },
  });
  visit(document, {
    Seq(_, seq) {
      if (isSeq(seq) && seq.items.length <= SHORT && !seq.items.some(isMap)) seq.flow = true;
    },
  });
  const advice =
    " Monitor mode changes nothing: policy-server logs what it would do. To enforce, change mode to protect.\n" +
    " In namespaceSelector, delete the namespaces that your cluster does not have, and add those of its add-ons.";
  document.commentBefore = advice;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
