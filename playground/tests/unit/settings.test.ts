import { expect, test } from "vitest";
import { Validator } from "@cfworker/json-schema";
import schema from "../../../settings.schema.json";
import { FIELDS, valueOf, withValue } from "../../src/input/form.ts";
import { settingsProblem, typedSettings, unreadableProblem } from "../../src/input/settings.ts";
import { CORE, POLICY } from "./module.ts";

const validator = new Validator(schema as object, "2020-12", false);

const LISTS = [undefined, null, "", [], ["runc"], ["runC", "kata-*"], ["*"], ["a.b"], ["run_c"], [""], ["-a"], ["a."], [5], 5, "runc", { a: 1 }, ["a".repeat(253)], ["a".repeat(254)]];
const FALLBACKS = [undefined, null, "", [], "kata", "a.b-c", "Kata", "kata*", "-kata", ".", 5, true, ["kata"], "a".repeat(253), "a".repeat(254)];
const FALLBACK_FOR = [undefined, null, "", [], "all", "default", "All", "none", true, ["all"]];
const FLAGS = [undefined, null, "", [], true, false, "true", 1, [true]];

/** Every value of each key, beside every value of another one. */
const SETTINGS: object[] = [
  ...LISTS.flatMap((reservedRuntimes) => LISTS.map((allowedRuntimes) => ({ reservedRuntimes, allowedRuntimes }))),
  ...LISTS.flatMap((reservedRuntimes) => FALLBACKS.map((fallbackRuntime) => ({ reservedRuntimes, fallbackRuntime }))),
  ...LISTS.flatMap((allowedRuntimes) =>
    FALLBACKS.flatMap((fallbackRuntime) => FLAGS.map((matchHandlers) => ({ allowedRuntimes, fallbackRuntime, matchHandlers }))),
  ),
  ...FALLBACKS.flatMap((fallbackRuntime) => FALLBACK_FOR.map((fallbackFor) => ({ fallbackRuntime, fallbackFor }))),
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

const settingsIn = (text: string) => CORE.policies(text).policies[0]!.settings;

const problemIn = (text: string) => {
  const settings = settingsIn(text);
  const message = POLICY.settingsError(JSON.stringify(settings))!;
  const { from, to } = settingsProblem(typedSettings(text), settings, message);
  return [text.slice(from, to), message];
};

const manifest = (name: string, settings: string) => `apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {name: ${name}}
spec:
  mutating: true
  rules: []
  settings:
    ${settings}
`;

test("what the policy says of settings is shown at its place", () => {
  expect(problemIn("matchHandlers: 1\n")).toEqual(["matchHandlers", "matchHandlers: expected true or false, got 1"]);
  expect(problemIn("reservedRuntimes:\n  - runc\n  - run_c\n")[0]).toBe("run_c");
  expect(problemIn("reservedRuntimes: [kata]\nfallbackRuntime: kata\n")).toEqual([
    "fallbackRuntime",
    "fallback runtime kata cannot be part of the reserved runtimes",
  ]);
  expect(problemIn("fallbackFor: none\n")[0]).toBe("fallbackFor");
  expect(problemIn(manifest("p", "other: 1"))[0]).toBe("other");
});

const unreadableIn = (text: string) => {
  try {
    CORE.policies(text);
    return undefined;
  } catch (error) {
    const { from, to, message } = unreadableProblem(text, (error as Error).message);
    return [text.slice(from, to), message];
  }
};

test("what the core can't read is shown at its place", () => {
  expect(unreadableIn("reservedRuntimes: [runc\nfallbackRuntime: kata\n")![1]).not.toBe("");
  expect(unreadableIn(manifest("p", "{}").replace("mutating: true", "mutating: 5"))![0]).toBe("mutating");
  expect(unreadableIn("a: 1\n---\nb: 2\n")![1]).toBe("several documents, and none of them is a policy");
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

test("a ClusterAdmissionPolicy gives its settings, its webhook and its access", () => {
  expect(CORE.policies(POLICY_TEXT).policies).toEqual([
    { name: "sandbox", id: "clusterwide-sandbox", settings: { reservedRuntimes: ["runc"] }, readsClasses: false },
  ]);
});

test("settings alone may read RuntimeClasses, and none are the same as empty ones", () => {
  const alone = { name: null, id: null, readsClasses: true };
  expect(CORE.policies("reservedRuntimes: [runc]").policies).toEqual([{ ...alone, settings: { reservedRuntimes: ["runc"] } }]);
  expect(CORE.policies("").policies).toEqual([{ ...alone, settings: {} }]);
});

test("each of several policies has its own settings", () => {
  const text = `${manifest("b", "fallbackRuntime: kata")}---\n${manifest("a", "reservedRuntimes: [runc]")}`;
  expect(CORE.policies(text).policies.map(({ name, settings }) => [name, settings])).toEqual([
    ["a", { reservedRuntimes: ["runc"] }],
    ["b", { fallbackRuntime: "kata" }],
  ]);
  const changed = withValue(text, typedSettings(text, "a"), "fallbackRuntime", "gvisor");
  expect(CORE.policies(changed).policies.map(({ settings }) => settings)).toEqual([
    { reservedRuntimes: ["runc"], fallbackRuntime: "gvisor" },
    { fallbackRuntime: "kata" },
  ]);
});

const field = (key: string) => FIELDS.find((each) => each.key === key)!;

test("the form has every setting, in words", () => {
  expect(FIELDS.map(({ key }) => key).toSorted()).toEqual(Object.keys(schema.properties).toSorted());
  expect(FIELDS.filter(({ label, help }) => label === "" || help === "")).toEqual([]);
  const kinds = { reservedRuntimes: "list", allowedRuntimes: "list", fallbackRuntime: "text", fallbackFor: "choice", defaultRuntimeReserved: "flag", matchHandlers: "choice" };
  expect(Object.fromEntries(FIELDS.map(({ key, kind }) => [key, kind]))).toEqual(kinds);
});

test("the form shows what the YAML has", () => {
  const settings = settingsIn("reservedRuntimes: [runc]\nfallbackRuntime: kata\nfallbackFor: default\ndefaultRuntimeReserved: yes\nmatchHandlers: false\n");
  const values = FIELDS.map((each) => [each.key, valueOf(each, settings)]);
  expect(Object.fromEntries(values)).toEqual({
    reservedRuntimes: ["runc"],
    allowedRuntimes: [],
    fallbackRuntime: "kata",
    fallbackFor: "default",
    defaultRuntimeReserved: true,
    matchHandlers: false,
  });
  expect(valueOf(field("reservedRuntimes"), settingsIn("reservedRuntimes: 5"))).toEqual([]);
});

test("a change in the form changes the YAML, and keeps its comments", () => {
  const change = (text: string, key: string, value: Parameters<typeof withValue>[3]) => withValue(text, typedSettings(text), key, value);
  const text = "# ours\nreservedRuntimes: [runc] # plain\n";
  expect(change(text, "fallbackRuntime", "kata")).toBe(`${text}fallbackRuntime: kata\n`);
  expect(change(text, "matchHandlers", false)).toBe(`${text}matchHandlers: false\n`);
  expect(change(text, "fallbackFor", "default")).toBe(`${text}fallbackFor: default\n`);
  expect(change("fallbackRuntime: kata\n", "fallbackRuntime", "")).toBe("");
  expect(change("", "reservedRuntimes", ["runc", "crun"])).toBe("reservedRuntimes: [runc, crun]\n");
  expect(change(POLICY_TEXT, "fallbackRuntime", "kata")).toContain("    reservedRuntimes: [runc] # plain\n    fallbackRuntime: kata\n");
});
