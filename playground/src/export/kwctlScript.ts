/** The same question, asked of kwctl: a script that a shell runs as it is. */
import { stringify } from "yaml";
import type { Question } from "../answers.ts";
import { writeJson } from "../input/yaml.ts";
import type { Access, Exchange } from "../policy/capabilities.ts";
import { module } from "./clusterAdmissionPolicy.ts";

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

export function script({ payload, exchanges }: Question, access: Access, version: string): string {
  const isReplayed = access !== "not-granted";
  return [
    file("request.json", writeJson(payload.request)),
    file("settings.json", writeJson(payload.settings)),
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
