/** The page's side of the worker: one rehearsal at a time, and a new one ends the old. */
import type { Place, Rehearsal, Review } from "../answers.ts";
import { parseJson } from "../input/yaml.ts";
import { newWorker } from "../module.ts";
import type { Reply, Request } from "./worker.ts";

export interface Running {
  rehearsal: Promise<Rehearsal>;
  /** The object at a place of the report, reviewed; none if it is not there any more. */
  change(place: Place): Promise<Review | null>;
  stop(): void;
}

export async function start(request: Omit<Request & { ask: "rehearse" }, "ask">, progress: (share: number) => void): Promise<Running> {
  const worker = await newWorker();
  const send = (message: Request) => worker.postMessage(message);
  // The worker answers in the order of the questions.
  const changes: ((json: string) => void)[] = [];
  const rehearsal = new Promise<Rehearsal>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message || "the rehearsal failed"));
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if (data.tell === "progress") progress(data.share);
      else if (data.tell === "rehearsal") resolve(data.rehearsal);
      else if (data.tell === "change") changes.shift()?.(data.json);
      else reject(new Error(data.message));
    };
  });
  send({ ask: "rehearse", ...request });
  const change = (place: Place) =>
    new Promise<Review | null>((resolve) => {
      changes.push((json) => resolve(parseJson(json) as Review | null));
      send({ ask: "change", place });
    });
  return { rehearsal, change, stop: () => worker.terminate() };
}
