import { expect, test } from "vitest";
import { EXAMPLES } from "../../src/examples.ts";
import { fragmentOf, stateOf } from "../../src/share.ts";
import { DEFAULTS, type State } from "../../src/state.ts";
import { OLD_LINKS } from "../oldLinks.ts";

test.each(EXAMPLES)("the state of the example $id survives its link", async ({ state }) => {
  expect(await stateOf(await fragmentOf(state))).toEqual(state);
});

test("text of any script survives, and the link needs no escapes", async () => {
  const state: State = { ...DEFAULTS, workload: "# é 届 🚀\n".repeat(2000), access: "failing", operation: "UPDATE" };
  const fragment = await fragmentOf(state);
  expect(fragment).toMatch(/^#v1=[\w-]+$/);
  expect(await stateOf(fragment)).toEqual(state);
});

test.each(OLD_LINKS)("an old link opens: $fragment", async ({ fragment, state }) => {
  expect(await stateOf(fragment)).toEqual({ ...DEFAULTS, ...state });
});

test("an address without a state has none", async () => {
  expect(await stateOf("")).toBeUndefined();
  expect(await stateOf("#example=handler")).toBeUndefined();
});

test("a damaged link is told, and so is one of a later version", async () => {
  const fragment = await fragmentOf(EXAMPLES[0]!.state);
  await expect(stateOf(fragment.slice(0, -8))).rejects.toThrow("this link is incomplete or damaged");
  await expect(stateOf("#v1=!!!")).rejects.toThrow("this link is incomplete or damaged");
  await expect(stateOf("#v2=abc")).rejects.toThrow("this link was made by a later version of this page");
});

test("a link sets nothing but the fields of a state, each of its kind", async () => {
  const odd = { settings: 5, access: "all", operation: "CONNECT", workload: "a: 1", more: "x" };
  const fragment = await fragmentOf(odd as unknown as State);
  expect(await stateOf(fragment)).toEqual({ ...DEFAULTS, workload: "a: 1" });
});
