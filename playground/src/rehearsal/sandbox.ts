/** What a Pod uses that a sandbox takes away: it may not start, or harm its node. */
import { at, isObject } from "../kubernetes/kinds.ts";

export interface Field {
  path: string;
  value: string;
}

/** The fields of a mutated pod spec that its new class may not support. */
export function takenAway(spec: unknown, newClass: unknown): Field[] {
  return [
    ...namespacesOfTheNode(spec),
    ...containers(spec),
    ...hostPaths(spec),
    ...devices(spec),
    ...windows(spec),
    ...conflicts(spec, newClass),
  ];
}

function namespacesOfTheNode(spec: unknown): Field[] {
  const names = ["hostNetwork", "hostPID", "hostIPC"].filter((name) => at(spec, [name]) === true);
  return names.map((name) => ({ path: `spec.${name}`, value: "true" }));
}

function containers(spec: unknown): Field[] {
  const fieldsOf = (list: string) => (container: unknown) => {
    const path = `spec.${list}[${text(at(container, ["name"]))}]`;
    const isPrivileged = at(container, ["securityContext", "privileged"]) === true;
    const limits = entries(at(container, ["resources", "limits"])).filter(([resource]) => isOfADevicePlugin(resource));
    return [
      ...(isPrivileged ? [{ path: `${path}.securityContext.privileged`, value: "true" }] : []),
      ...limits.map(([resource, quantity]) => ({ path: `${path}.resources.limits[${resource}]`, value: text(quantity) })),
    ];
  };
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((list) => items(at(spec, [list])).flatMap(fieldsOf(list)));
}

/** Kubernetes' own resources have no domain, or `kubernetes.io`. */
function isOfADevicePlugin(resource: string): boolean {
  const [domain] = resource.split("/", 1);
  return resource.includes("/") && domain !== "kubernetes.io" && !domain!.endsWith(".kubernetes.io");
}

function hostPaths(spec: unknown): Field[] {
  return items(at(spec, ["volumes"])).flatMap((volume) => {
    const path = at(volume, ["hostPath", "path"]);
    return typeof path === "string" ? [{ path: `spec.volumes[${text(at(volume, ["name"]))}].hostPath`, value: path }] : [];
  });
}

/** Devices by [dynamic resource allocation](https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/). */
function devices(spec: unknown): Field[] {
  return items(at(spec, ["resourceClaims"])).map((claim) => {
    const source = at(claim, ["resourceClaimName"]) ?? at(claim, ["resourceClaimTemplateName"]);
    return { path: `spec.resourceClaims[${text(at(claim, ["name"]))}]`, value: typeof source === "string" ? source : "" };
  });
}

function windows(spec: unknown): Field[] {
  if (at(spec, ["os", "name"]) === "windows") return [{ path: "spec.os.name", value: "windows" }];
  const isSelected = at(spec, ["nodeSelector", "kubernetes.io/os"]) === "windows";
  return isSelected ? [{ path: "spec.nodeSelector[kubernetes.io/os]", value: "windows" }] : [];
}

/** The API server rejects a Pod whose selector contradicts its class's. */
function conflicts(spec: unknown, newClass: unknown): Field[] {
  return entries(at(newClass, ["scheduling", "nodeSelector"])).flatMap(([key, wanted]) => {
    const own = at(spec, ["nodeSelector", key]);
    if (own === undefined || own === wanted) return [];
    return [{ path: `spec.nodeSelector[${key}]`, value: `${text(own)} (the class needs ${text(wanted)})` }];
  });
}

function items(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function entries(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "null");
}
