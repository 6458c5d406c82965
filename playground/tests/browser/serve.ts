/** Serves the built page on loopback, as a web server would. */
import { preview } from "vite";
import type {} from "vitest";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    url: string;
  }
}

export default async function serve(project: TestProject): Promise<() => Promise<void>> {
  const server = await preview({ configFile: "vite.config.ts", preview: { host: "127.0.0.1", port: 0 }, logLevel: "silent" });
  const address = server.httpServer.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  project.provide("url", `http://127.0.0.1:${address.port}/`);
  return () => server.close();
}
