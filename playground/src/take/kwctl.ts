/** The same question, asked of kwctl: a script that a shell runs as it is. */
import { stringify } from "yaml";
import type { Access, Exchange } from "../policy/capabilities.ts";
import { requestJson, type Subject } from "../policy/request.ts";
import { module } from "./manifest.ts";

/** A recording of host calls, as kwctl replays it. */
export function recording(exchanges: readonly Exchange[]): string {
  const exchange = ({ exact, answer }: Exchange) => ({
    type: "Exchange",
    request: `!KubernetesGetResource\n${stringify(JSON.parse(exact))}`,
    response:
      "payload" in answer
        ? { type: "Success", payload: answer.payload }
        : { type: "Error", message: answer.error.replace("Callback evaluation failure: ", "") },
  });
  return exchanges.length === 0 ? "[]\n" : stringify(exchanges.map(exchange), { lineWidth: 0 });
}

export function script(subject: Subject, settings: string, access: Access, exchanges: readonly Exchange[], version: string): string {
  const isReplayed = access !== "not-granted";
  return [
    file("request.json", requestJson(subject)),
    file("settings.json", settings),
    ...(isReplayed ? [file("calls.yml", recording(exchanges))] : []),
    [
      `kwctl run ${module(version)}`,
      "--request-path request.json",
      "--settings-path settings.json",
      ...(isReplayed ? ["--allow-context-aware", "--replay-host-capabilities-interactions calls.yml"] : []),
    ].join(" \\\n  "),
    "",
  ].join("\n");
}

/** A here-document whose end is not in the text. */
function file(name: string, text: string): string {
  let end = "END";
  while (text.split("\n").includes(end)) end += "_";
  return `cat > ${name} <<'${end}'\n${text.replace(/\n$/, "")}\n${end}`;
}
