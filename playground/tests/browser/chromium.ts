/** Chromium, which npm does not bring here. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where the browser is. `CHROMIUM` names another place. */
export function executable(): string {
  const found = [process.env.CHROMIUM, ...PLACES].find((path) => path && existsSync(path));
  if (!found) throw new Error("chromium not found: run `apt-get install chromium` as root, or set CHROMIUM to its path");
  return found;
}

/** A browser that connects to nothing by itself. */
export function launch(): Promise<Browser> {
  const args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: executable(), args: [...args, ...(isRoot ? ["--no-sandbox"] : [])] });
}
