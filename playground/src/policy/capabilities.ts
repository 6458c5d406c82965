/**
 * What the host answers when the policy asks for a RuntimeClass: the capability
 * [get_resource](https://docs.kubewarden.io/reference/spec/host-capabilities/kubernetes), in the words
 * of policy-server and kwctl.
 */

/** Whether the policy may read RuntimeClasses, and whether that works. */
export type Access = "granted" | "not-granted" | "failing";

export const ACCESSES: readonly Access[] = ["granted", "not-granted", "failing"];

/** A RuntimeClass as the cluster has it. */
export interface RuntimeClass {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  handler: string;
  scheduling?: unknown;
}

export type HostAnswer = { payload: string } | { error: string };

/** What the policy asked for, and what it was told; `exact` is the call's payload as it was sent. */
export interface Exchange {
  asked: { api_version: string; kind: string; name: string };
  exact: string;
  answer: HostAnswer;
}

/** What the API server says to a policy-server whose service account lacks the permission. */
function forbidden(name: string): string {
  const user = "system:serviceaccount:kubewarden:policy-server";
  const text = (quote: string) =>
    `runtimeclasses.node.k8s.io ${quote}${name}${quote} is forbidden: User ${quote}${user}${quote} cannot get resource ` +
    `${quote}runtimeclasses${quote} in API group ${quote}node.k8s.io${quote} at the cluster scope`;
  return `ApiError: ${text('"')}: Forbidden (Status { status: Some(Failure), code: 403, message: "${text('\\"')}" })`;
}

/** Answers a call of the policy. Each exchange is added to `log`. */
export function capability(operation: string, exact: string, access: Access, classes: readonly RuntimeClass[], log: Exchange[]): HostAnswer {
  if (operation !== "kubernetes/get_resource") return { error: `unknown host capability kubewarden/${operation}` };
  const asked: Exchange["asked"] = JSON.parse(exact);
  const answer = resource(access, classes, asked);
  log.push({ asked, exact, answer });
  return answer;
}

function resource(access: Access, classes: readonly RuntimeClass[], { api_version, kind, name }: Exchange["asked"]): HostAnswer {
  if (access === "not-granted") {
    const what = `Kubernetes ${api_version}/${kind} resources`;
    return { error: `Policy has not been granted access to ${what}. The violation has been reported.` };
  }
  const failure = (message: string) => ({ error: `Callback evaluation failure: ${message}` });
  if (access === "failing") return failure(forbidden(name));
  const found = classes.find((each) => each.metadata.name === name);
  if (!found || api_version !== "node.k8s.io/v1" || kind !== "RuntimeClass") {
    return failure(`Cannot find ${api_version}/${kind} named '${name}' inside of namespace 'None'`);
  }
  // What the host's field masks leave of it.
  const { apiVersion, metadata, handler, scheduling } = found;
  return { payload: JSON.stringify({ apiVersion, kind, metadata, handler, scheduling }) };
}
