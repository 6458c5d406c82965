import { expect, test } from "vitest";
import { Validator } from "@cfworker/json-schema";
import schema from "../../../settings.schema.json";
import { FIELDS, valueOf, withValue } from "../../src/input/form.ts";
import { readSettings, settingsProblem } from "../../src/input/settings.ts";
import { POLICY } from "./module.ts";

const validator = new Validator(schema as object, "2020-12", false);

const LISTS = [undefined, null, "", [], ["runc"], ["runC", "kata-*"], ["*"], ["a.b"], ["run_c"], [""], ["-a"], ["a."], [5], 5, "runc", { a: 1 }, ["a".repeat(253)], ["a".repeat(254)]];
const FALLBACKS = [undefined, null, "", [], "kata", "a.b-c", "Kata", "kata*", "-kata", ".", 5, true, ["kata"], "a".repeat(253), "a".repeat(254)];
const FLAGS = [undefined, null, "", [], true, false, "true", 1, [true]];

/** Every value of each key, beside every value of another one. */
const SETTINGS: object[] = [
  ...LISTS.flatMap((reservedRuntimes) => LISTS.map((allowedRuntimes) => ({ reservedRuntimes, allowedRuntimes }))),
  ...LISTS.flatMap((reservedRuntimes) => FALLBACKS.map((fallbackRuntime) => ({ reservedRuntimes, fallbackRuntime }))),
  ...LISTS.flatMap((allowedRuntimes) =>
    FALLBACKS.flatMap((fallbackRuntime) => FLAGS.map((matchHandlers) => ({ allowedRuntimes, fallbackRuntime, matchHandlers }))),
  ),
  ...FLAGS.map((defaultRuntimeReserved) => ({ defaultRuntimeReserved })),
  { reservedRuntime: ["runc"] },
  { fallbackRuntime: "kata", other: null },
];

/** Rules that need the value of another key, which a schema can't compare. */
const BEYOND_A_SCHEMA = [/^fallback runtime .* cannot be part of the reserved runtimes$/, /^fallbackRuntime: '.*' is not in allowedRuntimes, and matchHandlers is false$/];

test("the schema accepts the settings that the policy accepts, and rejects those that it rejects", () => {
  const judged = SETTINGS.map((settings) => {
    const json = JSON.stringify(settings);
    const message = POLICY.settingsError(json);
    const isBeyond = BEYOND_A_SCHEMA.some((rule) => message !== undefined && rule.test(message));
    return { json, isBeyond, policy: message === undefined, schema: validator.validate(JSON.parse(json)).valid };
  });
  expect(judged.filter(({ isBeyond, policy, schema }) => policy !== schema && !isBeyond)).toEqual([]);
  expect(judged.filter(({ policy }) => policy).length).toBeGreaterThan(100);
  expect(judged.filter(({ policy }) => !policy).length).toBeGreaterThan(100);
});

test.each([[null, true], [{}, true], [5, false], [["runc"], false]])("the schema and the policy agree on the whole: %j", (settings, valid) => {
  const judged = { policy: POLICY.settingsError(JSON.stringify(settings)) === undefined, schema: validator.validate(settings).valid };
  expect(judged).toEqual({ policy: valid, schema: valid });
});

test("the schema has the keys that the policy names", () => {
  const message = POLICY.settingsError('{"x":1}');
  const named = /the settings are (.*)$/.exec(message ?? "")?.[1]?.split(/, | and /);
  expect(named?.toSorted()).toEqual(Object.keys(schema.properties).toSorted());
});

const problemIn = (text: string) => {
  const settings = readSettings(text);
  const message = POLICY.settingsError(settings.json)!;
  const { from, to } = settingsProblem(settings, message);
  return [text.slice(from, to), message];
};

test("what the policy says of settings is shown at its place", () => {
  expect(problemIn("matchHandlers: 1\n")).toEqual(["matchHandlers", "matchHandlers: expected true or false, got 1"]);
  expect(problemIn("reservedRuntimes:\n  - runc\n  - run_c\n")[0]).toBe("run_c");
  expect(problemIn("reservedRuntimes: [runc]\nreservedRuntimes: [kata]\n")[1]).toBe("reservedRuntimes: duplicate field");
  expect(problemIn("reservedRuntimes: [kata]\nfallbackRuntime: kata\n")).toEqual([
    "fallbackRuntime",
    "fallback runtime kata cannot be part of the reserved runtimes",
  ]);
  expect(problemIn("kind: ClusterAdmissionPolicy\napiVersion: policies.kubewarden.io/v1\nspec:\n  settings:\n    other: 1\n")[0]).toBe("other");
});

const POLICY_TEXT = `# ours
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata:
  name: sandbox
spec:
  mutating: false
  settings:
    reservedRuntimes: [runc] # plain
  rules:
    - apiGroups: ['']
      apiVersions: [v1]
      resources: [pods]
      operations: [CREATE]
  namespaceSelector:
    matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: NotIn
        values: [kube-system]
`;

test("a ClusterAdmissionPolicy gives its settings, rules and access", () => {
  const { json, scope, isPolicy } = readSettings(POLICY_TEXT);
  const pods = { group: "", version: "v1", resource: "pods" };
  expect(isPolicy).toBe(true);
  expect(json).toBe('{"reservedRuntimes":["runc"]}');
  expect(scope).toMatchObject({ id: "clusterwide-sandbox", mayReadClasses: false, mayMutate: false, failsClosed: true });
  expect(["CREATE", "UPDATE"].map((operation) => scope.asksFor({ ...pods, operation }))).toEqual([true, false]);
  expect(scope.asksFor({ group: "apps", version: "v1", resource: "deployments", operation: "CREATE" })).toBe(false);
});

test("settings alone are asked about everything, and may read RuntimeClasses", () => {
  const { json, scope, isPolicy } = readSettings("reservedRuntimes: [runc]");
  expect([json, isPolicy, scope.mayReadClasses]).toEqual(['{"reservedRuntimes":["runc"]}', false, true]);
  expect(scope.asksFor({ group: "apps", version: "v1", resource: "deployments", operation: "DELETE" })).toBe(true);
  expect(readSettings("").json).toBe("{}");
});

const field = (key: string) => FIELDS.find((each) => each.key === key)!;

test("the form has every setting, in words", () => {
  expect(FIELDS.map(({ key }) => key).toSorted()).toEqual(Object.keys(schema.properties).toSorted());
  expect(FIELDS.filter(({ label, help }) => label === "" || help === "")).toEqual([]);
  const kinds = { reservedRuntimes: "list", allowedRuntimes: "list", fallbackRuntime: "text", defaultRuntimeReserved: "flag", matchHandlers: "choice" };
  expect(Object.fromEntries(FIELDS.map(({ key, kind }) => [key, kind]))).toEqual(kinds);
});

test("the form shows what the YAML has", () => {
  const settings = readSettings("reservedRuntimes: [runc]\nfallbackRuntime: kata\ndefaultRuntimeReserved: yes\nmatchHandlers: false\n");
  const values = FIELDS.map((each) => [each.key, valueOf(each, settings)]);
  expect(Object.fromEntries(values)).toEqual({
    reservedRuntimes: ["runc"],
    allowedRuntimes: [],
    fallbackRuntime: "kata",
    defaultRuntimeReserved: true,
    matchHandlers: false,
  });
  expect(valueOf(field("reservedRuntimes"), readSettings("reservedRuntimes: 5"))).toEqual([]);
});

test("a change in the form changes the YAML, and keeps its comments", () => {
  const change = (text: string, key: string, value: Parameters<typeof withValue>[3]) => withValue(text, readSettings(text), key, value);
  const text = "# ours\nreservedRuntimes: [runc] # plain\n";
  expect(change(text, "fallbackRuntime", "kata")).toBe(`${text}fallbackRuntime: kata\n`);
  expect(change(text, "matchHandlers", false)).toBe(`${text}matchHandlers: false\n`);
  expect(change("fallbackRuntime: kata\n", "fallbackRuntime", "")).toBe("");
  expect(change("", "reservedRuntimes", ["runc", "crun"])).toBe("reservedRuntimes: [runc, crun]\n");
  expect(change(POLICY_TEXT, "fallbackRuntime", "kata")).toContain("    reservedRuntimes: [runc] # plain\n    fallbackRuntime: kata\n");
});
