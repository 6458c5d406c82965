import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { firstAnswer } from "./build/firstAnswer.ts";
import { oneFile } from "./build/oneFile.ts";

const version = /^version = "(.*)"$/m.exec(readFileSync(new URL("../Cargo.toml", import.meta.url), "utf8"))?.[1];

export default defineConfig({
  // It works below any path: GitHub Pages serves it below the name of the repository.
  base: "./",
  define: { __POLICY_VERSION__: JSON.stringify(version) },
  build: { target: "es2023", assetsInlineLimit: 0, modulePreload: false, chunkSizeWarningLimit: 1500 },
  worker: { format: "iife" },
  server: { fs: { allow: [".."] } },
  plugins: [firstAnswer(), oneFile()],
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: ["tests/unit/**/*.test.ts"], testTimeout: 120_000 } },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["tests/browser/**/*.test.ts"],
          globalSetup: ["tests/browser/serve.ts"],
          fileParallelism: false,
          // A browser on a busy machine can be late.
          retry: 2,
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
