/** Rehearses away from the page, so that the page does not freeze. */
import { parseJson } from "../input/yaml.ts";
import { Policy } from "../policy/policy.ts";
import { rehearse, type Rehearsal } from "./rehearsal.ts";
import type { Report } from "./report.ts";

export type Request =
  | { ask: "rehearse"; module: ArrayBuffer; settings: string; sources: { file: string; text: string | Blob }[] }
  | { ask: "change"; row: number };

export type Reply =
  | { tell: "progress"; done: number; total: number }
  | { tell: "report"; report: Report }
  | { tell: "change"; row: number; change: [string, string] }
  | { tell: "failed"; message: string };

/** How often the page hears how far it is, in milliseconds. */
const OFTEN = 50;

let rehearsal: Rehearsal | undefined;

const reply = (message: Reply) => postMessage(message);

addEventListener("message", ({ data }: MessageEvent<Request>) => void answer(data).catch((error) => reply({ tell: "failed", message: (error as Error).message })));

async function answer(request: Request): Promise<void> {
  if (request.ask === "change") {
    const { row } = request;
    if (rehearsal) reply({ tell: "change", row, change: rehearsal.change(row) });
    return;
  }
  const policy = new Policy(await WebAssembly.compile(request.module), parseJson);
  const sources = await Promise.all(request.sources.map(async ({ file, text }) => ({ file, text: typeof text === "string" ? text : await text.text() })));
  let told = 0;
  rehearsal = rehearse(policy, request.settings, sources, (done, total) => {
    const now = performance.now();
    if (now - told < OFTEN && done < total) return;
    told = now;
    reply({ tell: "progress", done, total });
  });
  reply({ tell: "report", report: rehearsal.report });
}
