/** What the policy would do to the objects of a cluster, if they were created now. */
import { yamlDiff, patchBetween } from "../input/patch.ts";
import { readSettings } from "../input/settings.ts";
import { groupVersion, kindOf } from "../kubernetes/kinds.ts";
import type { Policy } from "../policy/policy.ts";
import { ask, type Judge } from "../policy/judge.ts";
import { Cluster } from "./cluster.ts";
import { read, type Dumped, type Source } from "./documents.ts";
import { askedOf, judge, podOf } from "./judge.ts";
import { report, type Report } from "./report.ts";
import { Tally } from "./tally.ts";

export type Progress = (done: number, total: number) => void;

/** A rehearsal that was run: its report, and the change behind each of its rows. */
export interface Rehearsal {
  report: Report;
  /** The object of a row in YAML, before and after it is mutated. */
  change(row: number): [string, string];
}

/**
 * @param text the settings, or a policy's manifest
 * @throws Error the policy does not load with these settings
 */
export function rehearse(policy: Policy, text: string, sources: readonly Source[], progress: Progress): Rehearsal {
  const { scope, json, problems } = readSettings(text);
  const invalid = problems[0]?.message ?? policy.settingsError(json);
  if (invalid !== undefined) throw new Error(`The policy does not load with these settings: ${invalid}`);
  const { objects, unreadable } = read(sources);
  const cluster = new Cluster(objects);
  const readsClasses = scope.mayReadClasses && cluster.classes.size > 0;
  const classes = [...cluster.classes.values()];
  const asking: Judge = {
    policy,
    scope,
    settings: json,
    cluster: { access: readsClasses ? "granted" : "not-granted", classes },
    namespaces: cluster.namespaces,
  };
  const tally = new Tally();
  objects.forEach((dumped, at) => {
    progress(at, objects.length);
    count(judge(asking, dumped, tally), dumped, at);
  });
  progress(objects.length, objects.length);

  function count(judged: ReturnType<typeof judge>, dumped: Dumped, at: number) {
    if (!judged) return tally.otherKind([dumped.kind, groupVersion(dumped.apiVersion).group].filter(Boolean).join("."));
    if ("leftOut" in judged) return void (tally.leftOut[judged.leftOut] += 1);
    const namespace = dumped.object.metadata?.namespace ?? "default";
    tally.add(namespace, cluster.workload(dumped), judged.verdict, dumped.kind === "Pod", at);
  }

  const names = readsClasses ? [...cluster.classes.keys()] : undefined;
  const rows = tally.rows();
  return {
    report: report({ scope, settings: JSON.parse(json), classes: names, tally, unreadable }),
    change: (row) => changeOf(asking, objects[rows[row]!.sample]!),
  };
}

function changeOf(judge: Judge, dumped: Dumped): [string, string] {
  const kind = kindOf(groupVersion(dumped.apiVersion).group, dumped.kind)!;
  const { subject } = podOf(dumped, kind) ?? askedOf(dumped, kind);
  const judged = ask(judge, subject);
  const after = "answer" in judged ? judged.answer.mutatedObject : undefined;
  const patch = after === undefined ? [] : patchBetween(subject.object!, after);
  return yamlDiff(undefined, subject.object!, "", patch);
}
