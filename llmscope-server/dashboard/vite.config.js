import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

const service = "http://127.0.0.1:8081";

/** Both licenses require their text in every copy of the code. */
const licenses = ["preact", "uplot"]
  .map((name) => `/*! ${name}\n${readFileSync(new URL(`node_modules/${name}/LICENSE`, import.meta.url), "utf8").trim()}\n*/\n`)
  .join("");

// File names have no hash: the server serves the files under a path that contains their version.
export default defineConfig({
  server: { proxy: { "/api": service } },
  test: { include: ["test/**/*.test.ts"] },
  build: {
    target: "es2022",
    sourcemap: false,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        entryFileNames: "assets/app.js",
        assetFileNames: "assets/app[extname]",
        codeSplitting: false,
        postBanner: licenses,
      },
    },
  },
});
