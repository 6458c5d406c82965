import { expect, test } from "vitest";
import { objectsOf } from "../../src/input/documents.ts";
import { readClasses } from "../../src/input/classes.ts";
import { patchBetween, yamlDiff } from "../../src/input/patch.ts";
import { parseJson, writeJson } from "../../src/input/yaml.ts";

const jsonOf = (text: string) => objectsOf(text).objects.map(({ json }) => json);
const problemsOf = (text: string) => objectsOf(text).problems;

test("each document and each item of a List is an object, and empty documents are none", () => {
  expect(jsonOf("# nothing\n---\na: 1\n---\n---\nkind: PodList\nitems:\n- b: 2\n- c: 3\n")).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
});

test("numbers keep every digit, as JSON has them", () => {
  expect(jsonOf("{a: 12345678901234567890, b: 1.50, c: 1e3, d: 0x10, e: .5}")).toEqual(['{"a":12345678901234567890,"b":1.50,"c":1e3,"d":16,"e":0.5}']);
});

test("booleans of YAML 1.1 are booleans, as for Kubernetes, and quoted ones are texts", () => {
  expect(jsonOf("{a: yes, b: Off, c: 'yes', d: true}")).toEqual(['{"a":true,"b":false,"c":"yes","d":true}']);
});

test("aliases and merge keys are resolved, and the object's own keys win", () => {
  expect(jsonOf("base: &base {a: 1, b: 2}\nown:\n  <<: *base\n  b: 3\nsame: *base\n")).toEqual(['{"base":{"a":1,"b":2},"own":{"b":3,"a":1},"same":{"a":1,"b":2}}']);
});

test("JSON is YAML as well", () => {
  expect(jsonOf('{"a": ["é", null, true]}')).toEqual(['{"a":["é",null,true]}']);
});

test("a mistake is told with its place, and nothing is read", () => {
  const { objects, problems } = objectsOf("a: 1\nb: [1, 2\nc: 3\n");
  expect(objects).toEqual([]);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems[0]).toMatchObject({ severity: "error", from: expect.any(Number) });
});

test("a duplicate key is a mistake, as for kubectl", () => {
  expect(problemsOf("a: 1\na: 2\n")).toEqual([{ message: "Map keys must be unique", from: 5, to: 6, severity: "error" }]);
});

test("a document that is no object is a mistake", () => {
  expect(problemsOf("hello\n")).toEqual([{ message: "expected an object", from: 0, to: 5, severity: "error" }]);
});

test("JSON with integers beyond 2^53 is read and written without loss", () => {
  const text = '{"a":[12345678901234567890,1],"b":"123"}';
  expect(writeJson(parseJson(text))).toBe(text);
  expect(writeJson([9007199254740993n], 1)).toBe("[\n 9007199254740993\n]");
});

test("RuntimeClasses are read from documents and Lists, and all else is named", () => {
  const { classes, problems } = readClasses(
    "kind: RuntimeClass\nmetadata: {name: a}\nhandler: runc\n---\nkind: Pod\n---\nkind: RuntimeClass\nmetadata: {name: b}\nhandler: 5\n---\nhandler: runc\n",
  );
  expect(classes.map(({ apiVersion, kind, metadata, handler }) => [apiVersion, kind, metadata.name, handler])).toEqual([
    ["node.k8s.io/v1", "RuntimeClass", "a", "runc"],
  ]);
  expect(problems.map(({ message }) => message)).toEqual([
    "Pod is not a RuntimeClass: ignored",
    "handler: expected a string",
    "metadata.name: expected a string",
  ]);
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
  const [object] = objectsOf(text).objects;
  const after = parseJson('{"kind":"Pod","spec":{"runtimeClassName":"kata","priority":12345678901234567890,"args":["a","b","c"],"tolerations":[{"key":"mine"}]}}');
  const [before, changed] = yamlDiff(object, object!.json, text, patchBetween(object!.json, after));
  expect(before).toBe(text);
  expect(changed).toBe(text.replace("runc # plain", "kata # plain").replace("  - key: runc\n", ""));
});

test("a new key comes first, and JSON is shown as YAML", () => {
  const object = '{"kind":"Pod","spec":{"containers":[]}}';
  const patch = [{ op: "add", path: "/spec/runtimeClassName", value: "kata" }];
  const after = "kind: Pod\nspec:\n  runtimeClassName: kata\n  containers: []\n";
  expect(yamlDiff(objectsOf(object).objects[0], object, object, patch)).toEqual(["kind: Pod\nspec:\n  containers: []\n", after]);
});
