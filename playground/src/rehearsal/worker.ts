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
    if (data.ask === "change") return reply({ tell: "change", json: core!.change(data.place) });
    const reader = new FileReaderSync();
    const sources = data.sources.map(({ file, blob }) => ({
      file,
      size: blob.size,
      read: (offset: number, length: number) => new Uint8Array(reader.readAsArrayBuffer(blob.slice(offset, offset + length))),
    }));
    let told = 0;
    core = new Core(data.core, new Policy(data.policy));
    const rehearsal = core.rehearse(data.policies, sources, (share) => {
      const now = performance.now();
      if (now - told < OFTEN) return;
      told = now;
      reply({ tell: "progress", share });
    });
    reply({ tell: "rehearsal", rehearsal });
  } catch (error) {
    reply({ tell: "failed", message: (error as Error).message });
  }
});
