import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { recording } from "../../src/export/kwctlScript.ts";
import { capability, type Access, type Exchange, type RuntimeClass } from "../../src/policy/capabilities.ts";

const DATA = new URL("../../../test_data/", import.meta.url);

const documents = parseAllDocuments(readFileSync(new URL("runtimeclasses.yml", DATA), "utf8"));
const classes = documents.flatMap((document) => document.toJS().items ?? [document.toJS()]) as RuntimeClass[];

interface Recorded {
  type: "Exchange";
  request: string;
  response: { type: "Success"; payload: string } | { type: "Error"; message: string };
}

/** The calls of `get_resource` that kwctl recorded on a cluster with these classes. */
const RECORDED = readdirSync(DATA, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".replay.yml"))
  .flatMap((name) => (parse(readFileSync(new URL(name, DATA), "utf8")) as Recorded[]).map((exchange) => ({ name, exchange })))
  .filter(({ exchange }) => exchange.request.startsWith("!KubernetesGetResource"));

const get = (name: string) =>
  JSON.stringify({ api_version: "node.k8s.io/v1", kind: "RuntimeClass", name, namespace: null, disable_cache: false, field_masks: ["handler", "scheduling"] });

const ask = (access: Access, name: string, log: Exchange[] = []) => capability("kubernetes/get_resource", get(name), access, classes, log);

test("there are recordings of what a cluster answers", () => {
  expect(RECORDED.length).toBeGreaterThanOrEqual(4);
});

test.each(RECORDED)("the host answers as the cluster of $name did", ({ exchange: { request, response } }) => {
  const asked = parse(request.replace("!KubernetesGetResource", ""), { logLevel: "silent" });
  const access = response.type === "Error" && response.message.includes("forbidden") ? "failing" : "granted";
  const log: Exchange[] = [];
  const answer = capability("kubernetes/get_resource", JSON.stringify(asked), access, classes, log);

  const bare = (payload: string) => {
    const { metadata, ...rest } = JSON.parse(payload);
    return { ...rest, metadata: { name: metadata.name } };
  };
  const person = (text: string) => text.replaceAll("system:serviceaccount:kubewarden:policy-server", "USER").replaceAll("jane", "USER").replace(/, metadata: Some.*/, " })");
  const expected =
    response.type === "Success"
      ? { payload: bare(response.payload) }
      : { error: `Callback evaluation failure: ${person(response.message)}` };
  expect("payload" in answer ? { payload: bare(answer.payload) } : { error: person(answer.error) }).toEqual(expected);
  expect(log).toEqual([{ asked, exact: JSON.stringify(asked), answer }]);
});

test("a policy without access is told so in policy-server's words", () => {
  expect(ask("not-granted", "kata")).toEqual({
    error: "Policy has not been granted access to Kubernetes node.k8s.io/v1/RuntimeClass resources. The violation has been reported.",
  });
});

test("the host has no other capability", () => {
  const answer = capability("kubernetes/list_resources_all", get("kata"), "granted", classes, []);
  expect(answer).toEqual({ error: "unknown host capability kubewarden/kubernetes/list_resources_all" });
});

test("a recording of the calls is one that kwctl reads", () => {
  const log: Exchange[] = [];
  ask("granted", "gvisor", log);
  ask("granted", "ghost", log);
  expect(parse(recording(log))).toEqual([
    {
      type: "Exchange",
      request:
        "!KubernetesGetResource\napi_version: node.k8s.io/v1\nkind: RuntimeClass\nname: gvisor\nnamespace: null\n" +
        "disable_cache: false\nfield_masks:\n  - handler\n  - scheduling\n",
      response: { type: "Success", payload: '{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"gvisor"},"handler":"runsc"}' },
    },
    {
      type: "Exchange",
      request:
        "!KubernetesGetResource\napi_version: node.k8s.io/v1\nkind: RuntimeClass\nname: ghost\nnamespace: null\n" +
        "disable_cache: false\nfield_masks:\n  - handler\n  - scheduling\n",
      response: { type: "Error", message: "Cannot find node.k8s.io/v1/RuntimeClass named 'ghost' inside of namespace 'None'" },
    },
  ]);
  expect(recording([])).toBe("[]\n");
});
