/** A sign for each outcome, so that none is told by its color alone. */
import type { SIGNS } from "../verdict.ts";

type Sign = (typeof SIGNS)[keyof typeof SIGNS];

const PATHS: Record<Sign, string> = {
  accepted: "m5 10.500 3.500 3.500L15.500 6.500",
  mutated: "M4 7h12m-3-3 3 3-3 3M16 13H4m3 3-3-3 3-3",
  rejected: "m6 6 8 8m0-8-8 8",
  notAsked: "M5.500 10h9",
};

export function icon(sign: Sign): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon ${sign}`);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[sign]);
  svg.append(path);
  return svg;
}
