import { expect, test } from "vitest";
import { parse } from "yaml";
import { patchBetween, yamlDiff } from "../../src/input/patch.ts";
import { nodeAt, parseJson, problemAt, writeJson } from "../../src/input/yaml.ts";

const LIST = `# two
apiVersion: v1
kind: Pod
metadata: {name: a}
---
apiVersion: v1
kind: List
items:
- kind: Pod # the first
  metadata: {name: b}
- kind: Pod
  metadata: {name: c}
`;

const at = (line: number, item: number | string | null) => nodeAt(LIST, { line, item })?.node.toJSON()?.metadata?.name;

test("an object is found by its line, and by its position in a List", () => {
  expect([at(2, null), at(6, 1), at(6, 2)]).toEqual(["a", "b", "c"]);
  expect([at(6, 3), nodeAt("a: [", { line: 1, item: null })]).toEqual([undefined, undefined]);
});

test("what can't be read is shown at its line, without the line in its words", () => {
  const { from, to, ...rest } = problemAt("a: 1\nb: 2\n", { line: 2, message: "line 2: it is odd" });
  expect(["a: 1\nb: 2\n".slice(from, to), rest]).toEqual(["b: 2", { message: "it is odd", severity: "error" }]);
  expect(problemAt("a", { line: 9, message: "Pod is not a RuntimeClass: ignored" })).toMatchObject({ from: 1, to: 1, severity: "warning" });
});

test("JSON with integers beyond 2^53 is read and written without loss", () => {
  const text = '{"a":[12345678901234567890,1],"b":"123"}';
  expect(writeJson(parseJson(text))).toBe(text);
  expect(writeJson([9007199254740993n], 1)).toBe("[\n 9007199254740993\n]");
});

test("a change of a manifest keeps its comments, its style and its digits", () => {
  const text = `# the front
kind: Pod
spec:
  runtimeClassName: runc # plain
  priority: 12345678901234567890
  args: [a, "b", 'c'] # as typed
  tolerations:
  - key: runc
  - key: mine # my own
`;
  const object = parseJson('{"kind":"Pod","spec":{"runtimeClassName":"runc","priority":12345678901234567890,"args":["a","b","c"],"tolerations":[{"key":"runc"},{"key":"mine"}]}}');
  const after = parseJson('{"kind":"Pod","spec":{"runtimeClassName":"kata","priority":12345678901234567890,"args":["a","b","c"],"tolerations":[{"key":"mine"}]}}');
  const [before, changed] = yamlDiff(nodeAt(text, { line: 2, item: null }), object, text, patchBetween(object, after));
  expect(before).toBe(text);
  expect(changed).toBe(text.replace("runc # plain", "kata # plain").replace("  - key: runc\n", ""));
});

test("what the API server added is not in the change of a manifest", () => {
  const text = "kind: Pod\nspec:\n  runtimeClassName: runc # plain\n  tolerations:\n    - key: mine\n";
  const object = { kind: "Pod", spec: { runtimeClassName: "runc", overhead: { cpu: "1" }, nodeSelector: { runtime: "runc" }, tolerations: [{ key: "mine" }, { key: "runc" }] } };
  const after = { kind: "Pod", spec: { runtimeClassName: "kata", nodeSelector: {}, tolerations: [{ key: "mine" }] } };
  const [, changed] = yamlDiff(nodeAt(text, { line: 1, item: null }), object, text, patchBetween(object, after));
  expect(changed).toBe(text.replace("runc # plain", "kata # plain"));
});

test("a change in what the manifest does not have shows the whole object", () => {
  const text = "kind: Pod\nspec:\n  tolerations:\n    - key: mine\n";
  const object = { kind: "Pod", spec: { tolerations: [{ key: "other" }, { key: "mine" }] } };
  const [before, changed] = yamlDiff(nodeAt(text, { line: 1, item: null }), object, text, patchBetween(object, { kind: "Pod", spec: { tolerations: [{ key: "mine" }] } }));
  expect([parse(before), parse(changed)]).toEqual([object, { kind: "Pod", spec: { tolerations: [{ key: "mine" }] } }]);
});

test("a new key comes first, and JSON is shown as YAML", () => {
  const text = '{"kind":"Pod","spec":{"containers":[]}}';
  const patch = [{ op: "add", path: "/spec/runtimeClassName", value: "kata" }];
  const after = "kind: Pod\nspec:\n  runtimeClassName: kata\n  containers: []\n";
  expect(yamlDiff(nodeAt(text, { line: 1, item: null }), JSON.parse(text), text, patch)).toEqual(["kind: Pod\nspec:\n  containers: []\n", after]);
});
