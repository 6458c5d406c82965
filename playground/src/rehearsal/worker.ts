/** Rehearses away from the page, so that the page does not freeze. */
import type { Place, Rehearsal } from "../answers.ts";
import { Policy } from "../policy/policy.ts";
import { Core } from "./core.ts";

export type Request =
  | { ask: "rehearse"; core: WebAssembly.Module; policy: WebAssembly.Module; policies: string; sources: { file: string; blob: Blob }[] }
  | { ask: "change"; place: Place };

export type Reply =
  | { tell: "progress"; share: number }
  | { tell: "rehearsal"; rehearsal: Rehearsal }
  | { tell: "change"; json: string }
  | { tell: "failed"; message: string };

/** How often the page hears how far it is, in milliseconds. */
const OFTEN = 50;

let core: Core | undefined;

const reply = (message: Reply) => postMessage(message);

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  try {
    if (data.ask === "change") reply({ tell: "change", json: core!.change(data.place) });
    else reply({ tell: "rehearsal", rehearsal: rehearse(data) });
  } catch (error) {
    reply(data.ask === "change" ? { tell: "change", json: "null" } : { tell: "failed", message: (error as Error).message });
  }
});

function rehearse({ core: module, policy, policies, sources }: Request & { ask: "rehearse" }): Rehearsal {
  const reader = new FileReaderSync();
  const read = sources.map(({ file, blob }) => ({
    file,
    size: blob.size,
    read: (offset: number, length: number) => new Uint8Array(reader.readAsArrayBuffer(blob.slice(offset, offset + length))),
  }));
  let told = 0;
  core = new Core(module, new Policy(policy));
  return core.rehearse(policies, read, (share) => {
    const now = performance.now();
    if (now - told < OFTEN) return;
    told = now;
    reply({ tell: "progress", share });
  });
}
