/** The page's side of the worker: one rehearsal at a time, and a new one ends the old. */
import workerUrl from "./worker.ts?worker&url";
import { embedded } from "../module.ts";
import type { Report } from "./report.ts";
import type { Reply, Request } from "./worker.ts";

export interface Running {
  report: Promise<Report>;
  /** The object of a row of the report in YAML, before and after it is mutated. */
  change(row: number): Promise<[string, string]>;
  stop(): void;
}

type Sources = { file: string; text: string | Blob }[];

export function start(module: Uint8Array<ArrayBuffer>, settings: string, sources: Sources, progress: (done: number, total: number) => void): Running {
  const worker = newWorker();
  const send = (request: Request) => worker.postMessage(request);
  const changes = new Map<number, (change: [string, string]) => void>();
  const report = new Promise<Report>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message || "the rehearsal failed"));
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if (data.tell === "progress") progress(data.done, data.total);
      else if (data.tell === "report") resolve(data.report);
      else if (data.tell === "change") changes.get(data.row)?.(data.change);
      else reject(new Error(data.message));
    };
  });
  send({ ask: "rehearse", module: module.slice().buffer, settings, sources });
  return {
    report,
    change: (row) =>
      new Promise((resolve) => {
        changes.set(row, resolve);
        send({ ask: "change", row });
      }),
    stop: () => worker.terminate(),
  };
}

function newWorker(): Worker {
  const own = embedded("worker");
  if (!own) return new Worker(new URL(workerUrl, import.meta.url));
  const url = URL.createObjectURL(new Blob([own], { type: "text/javascript" }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return worker;
}
