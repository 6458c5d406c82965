/** The module of the policy, for tests. */
import { readFileSync } from "node:fs";
import { parseJson } from "../../src/input/yaml.ts";
import { Policy } from "../../src/policy/policy.ts";

export const MODULE = new WebAssembly.Module(readFileSync(new URL("../../../policy.wasm", import.meta.url)));

export const POLICY = new Policy(MODULE, parseJson);
