/** Editors of YAML, and the view of a change. */
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics, lintGutter, type Diagnostic } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { yaml } from "@codemirror/lang-yaml";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";
import type { Problem } from "../input/yaml.ts";
import { el, fill } from "./el.ts";

const COLORS = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--syntax-key)" },
  { tag: [tags.string, tags.special(tags.string), tags.content], color: "var(--syntax-value)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--syntax-value)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--syntax-comment)", fontStyle: "italic" },
  { tag: [tags.meta, tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: "var(--muted)" },
]);

/** The same nonce as in the page's policy: it lets CodeMirror add its styles, and no script. */
const COMMON: Extension = [EditorView.cspNonce.of("codemirror"), yaml(), syntaxHighlighting(COLORS)];

export interface Editor {
  readonly element: HTMLElement;
  text: string;
  show(problems: readonly Problem[]): void;
}

export interface EditorOptions {
  label: string;
  describedBy?: string;
  changed: () => void;
  extensions?: Extension;
}

export function editor({ label, describedBy, changed, extensions = [] }: EditorOptions): Editor {
  const list = el("ul", { class: "problems" });
  const attributes = { tabindex: "0", "aria-label": label, ...(describedBy ? { "aria-describedby": describedBy } : {}) };
  let quiet = false;
  const view = new EditorView({
    extensions: [
      basicSetup,
      COMMON,
      lintGutter(),
      EditorView.contentAttributes.of(attributes),
      EditorView.updateListener.of((update) => update.docChanged && !quiet && changed()),
      extensions,
    ],
  });

  return {
    element: el("div", { class: "editor" }, view.dom, list),
    get text() {
      return view.state.doc.toString();
    },
    set text(text) {
      if (text === view.state.doc.toString()) return;
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      quiet = false;
    },
    show(problems) {
      view.dispatch(setDiagnostics(view.state, problems.map((problem) => diagnostic(view, problem))));
      fill(list, ...problems.map((problem) => item(view, problem)));
    },
  };
}

function diagnostic(view: EditorView, { from, to, message, severity }: Problem): Diagnostic {
  const end = view.state.doc.length;
  const start = Math.min(from, end);
  return { from: start, to: Math.min(Math.max(to, start), end), message, severity };
}

function item(view: EditorView, { from, message, severity }: Problem): HTMLElement {
  const line = view.state.doc.lineAt(Math.min(from, view.state.doc.length)).number;
  return el("li", { class: severity }, el("span", { class: "where" }, `line ${line}`), message);
}

/** A text that can't be edited, but read by keyboard. */
function readOnly(label: string): Extension {
  return [
    COMMON,
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label, role: "textbox", "aria-readonly": "true", "aria-multiline": "true" }),
  ];
}

/** A change of a manifest. */
export function diffView(label: string, before: string, after: string): HTMLElement {
  const merge = unifiedMergeView({
    original: before.trimEnd(),
    mergeControls: false,
    highlightChanges: false,
    collapseUnchanged: { margin: 3, minSize: 4 },
  });
  const view = new EditorView({ doc: after.trimEnd(), extensions: [readOnly(label), merge] });
  return el("div", { class: "editor diff" }, view.dom);
}
