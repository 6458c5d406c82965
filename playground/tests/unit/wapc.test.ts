import { expect, test } from "vitest";
import { GuestError, instantiate } from "../../src/wapc/host.ts";
import { Exited, wasi } from "../../src/wapc/wasi.ts";
import { MODULE } from "./module.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Calls an operation in a fresh instance. */
function call(operation: string, payload: string, answer: (operation: string, payload: string) => string = noHost): string {
  const guest = instantiate(MODULE, (operation, payload) => encode(answer(operation, decode(payload))));
  return decode(guest(operation, encode(payload)));
}

function noHost(): string {
  throw new Error("no host");
}

const asked = (spec: object, settings: object) =>
  JSON.stringify({
    request: {
      uid: "1",
      kind: { group: "", version: "v1", kind: "Pod" },
      operation: "CREATE",
      userInfo: { username: "jane" },
      object: { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec },
    },
    settings,
  });

test("the module answers in the protocol's version 1", () => {
  expect(call("protocol_version", "")).toBe('"v1"');
});

test("an operation that the module does not have is an error of the module", () => {
  expect(() => call("no_such_operation", "")).toThrow(GuestError);
});

test("a host call has the policy's request, and its answer reaches the policy", () => {
  const calls: [string, string][] = [];
  const answer = call("validate", asked({ runtimeClassName: "a" }, { reservedRuntimes: ["runc"] }), (...each) => {
    calls.push(each);
    return '{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"a"},"handler":"runc"}';
  });
  expect(JSON.parse(answer)).toMatchObject({ accepted: false, message: "runtime 'a' is reserved: it runs on 'runc'" });
  const payload =
    '{"api_version":"node.k8s.io/v1","kind":"RuntimeClass","name":"a","namespace":null,' +
    '"disable_cache":false,"field_masks":["handler","scheduling"]}';
  expect(calls).toEqual([["kubernetes/get_resource", payload]]);
});

test("text that is not ASCII goes both ways whole, errors of the host as well", () => {
  const error = "Callback evaluation failure: 届かない – 50 €";
  const answer = call("validate", asked({ runtimeClassName: "a" }, { reservedRuntimes: ["runc"] }), () => {
    throw new Error(error);
  });
  expect(JSON.parse(answer)).toMatchObject({ accepted: false, code: 500, message: "RuntimeClass 'a' can't be read: 届かない – 50 €" });
});

test("a request of 3 MB, for which the memory grows, comes back whole", () => {
  const env = Array.from({ length: 30_000 }, (_, at) => ({ name: `VARIABLE_${at}`, value: "é".repeat(30) }));
  const spec = { containers: [{ name: "web", env }] };
  const answer = JSON.parse(call("validate", asked(spec, { fallbackRuntime: "kata", matchHandlers: false })));
  expect(answer.mutated_object.spec).toEqual({ ...spec, runtimeClassName: "kata" });
});

test("an instance keeps nothing for the next one", () => {
  const answers = Array.from({ length: 50 }, () => call("validate", asked({}, { defaultRuntimeReserved: true })));
  expect(new Set(answers).size).toBe(1);
});

test("random bytes are given in any number, the printed text whole, and an exit throws", () => {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const printed: string[] = [];
  const functions = wasi(() => memory.buffer, (text) => printed.push(text)) as Record<string, (...values: number[]) => number>;

  const length = 2 * 65_536 + 7;
  expect(functions.random_get!(0, length)).toBe(0);
  const tail = new Uint8Array(memory.buffer, length - 64, 64);
  expect(tail.some((byte) => byte !== 0)).toBe(true);

  new Uint8Array(memory.buffer).set(new TextEncoder().encode("é!"), 100);
  const view = new DataView(memory.buffer);
  for (const [at, value] of [100, 1, 101, 2].entries()) view.setUint32(4 * at, value, true);
  expect(functions.fd_write!(2, 0, 2, 64)).toBe(0);
  expect([printed, view.getUint32(64, true)]).toEqual([["é!"], 3]);

  expect(() => functions.proc_exit!(1)).toThrow(Exited);
});
