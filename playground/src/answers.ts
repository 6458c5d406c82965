/** What the core answers, in JSON. `crates/rehearsal` describes each field. */
import type { Exchange } from "./policy/capabilities.ts";

/** The place of an object in an input. */
export interface Place {
  file: string;
  document: number;
  /** Its position in a List; `2.1` in a List in a List. */
  item: number | string | null;
  line: number;
}

export type Unreadable = Place & { message: string };

/** In the order of a report. */
export const OUTCOMES = ["error", "rejected", "refused", "mutated", "accepted"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A policy, or settings alone. */
export interface KnownPolicy {
  name: string | null;
  /** The name of its webhook. */
  id: string | null;
  settings: unknown;
  readsClasses: boolean;
}

/** The policies of a text, and whether only the large core can ask them. */
export interface KnownPolicies {
  policies: KnownPolicy[];
  needsCel: boolean;
}

export interface Field {
  path: string;
  value: string;
  why: string;
}

interface Verdict {
  outcome: Outcome;
  class: string;
  to: string | null;
  code: number | null;
  /** What a user sees. */
  message: string | null;
  /** The words of the policy, if `spec.message` stands in their place. */
  detail: string | null;
  policy: string | null;
  fields: Field[];
}

/** The part of a policy's manifest by which it is not asked. */
export type LeftOutBy = "rules" | "namespaceSelector" | "objectSelector" | "matchConditions";

/** The request in the payload of `validate`. */
export interface AdmissionRequest {
  object?: Record<string, unknown>;
  [member: string]: unknown;
}

/** What a policy was asked, and what it answered; without an answer, it failed. */
export interface Question {
  policy: string | null;
  payload: { request: AdmissionRequest; settings: unknown };
  answer: { warnings?: string[] | null; audit_annotations?: Record<string, string> | null; mutated_object?: unknown } | null;
  /** The calls of the host that led to the answer. */
  exchanges: Exchange[];
}

/** What comes of one request. */
export interface Reviewed extends Partial<Verdict> {
  kind: string;
  name: string;
  namespace: string;
  operation: Operation;
  resource: string;
  hasPodSpec: boolean;
  leftOutBy: LeftOutBy | null;
  questions: Question[];
}

export const OPERATIONS = ["CREATE", "UPDATE", "DELETE"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What comes of an object, and of the Pods that its templates make. */
export interface Review {
  place: Place;
  isRecorded: boolean;
  own: Reviewed;
  pods: Reviewed[];
}

export interface Reviews {
  reviews: Review[];
  notes: string[];
  runtimeClasses: string[];
  unreadable: Unreadable[];
  unreadableBefore: Unreadable[];
  unreadableCluster: Unreadable[];
}

export interface ReviewRequest {
  policies: string;
  cluster: string;
  namespace: string;
  objects: string;
  before: string;
  details: { operation: Operation; subResource?: string; username: string; groups: string[] };
}

/** The number of objects by outcome. */
export interface Outcomes {
  judged: number;
  accepted: number;
  mutated: number;
  rejected: number;
  refused: number;
  errors: number;
}

/** The objects of a workload with the same verdict. */
export interface Workload extends Verdict {
  namespace: string;
  kind: string;
  name: string;
  pods: number;
  templates: number;
  place: Place;
}

/** What stops everything: a fallback that the cluster does not have. */
export interface Stop {
  policy: string | null;
  message: string;
  fallback: string;
  objects: number;
  classes: string[];
}

/** The JSON of `kubectl runtime-class rehearse -o json`. */
export interface Report {
  policies: { name: string | null; settings: unknown }[];
  notes: string[];
  problems: Stop[];
  summary: Outcomes & { mutatedTo: Record<string, number>; unreadable: number };
  namespaces: (Outcomes & { namespace: string; notCovered: number; plainPod: { outcome: Outcome; class: string } | null })[];
  classes: (Outcomes & { class: string; workloads: number; namespaces: number; lookFirst: boolean })[];
  workloads: Workload[];
  unreadable: Unreadable[];
}

/** A part of the report for people. */
export interface Section {
  title: string;
  lines: string[];
}

export interface Rehearsal {
  report: Report;
  title: string;
  sections: Section[];
}
