/** The recorded requests, and settings to judge them by. */
import { readdirSync, readFileSync } from "node:fs";
import { DEFAULTS, type State } from "../src/state.ts";

const DATA = new URL("../../test_data/", import.meta.url);

const text = (name: string) => readFileSync(new URL(name, DATA), "utf8");

const SETTINGS: Record<string, Partial<State>> = {
  "a fallback": { settings: "reservedRuntimes: [runc]\nfallbackRuntime: kata\n" },
  "no fallback": { settings: "allowedRuntimes: ['kata*', gvisor]\ndefaultRuntimeReserved: true\n" },
  "names alone": { settings: "reservedRuntimes: [runc-plain, gvisor]\n", access: "not-granted" },
};

/** Each recorded request, by each of the settings. */
export const REQUESTS = readdirSync(new URL("requests/", DATA))
  .filter((name) => name.endsWith(".json"))
  .flatMap((name) =>
    Object.entries(SETTINGS).map(([by, state]) => ({
      name: `${name} by ${by}`,
      state: { ...DEFAULTS, classes: text("runtimeclasses.yml"), workload: text(`requests/${name}`), ...state },
    })),
  );
