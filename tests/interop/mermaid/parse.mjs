// Parse the files that are named with Mermaid's own parser: `node parse.mjs FILE...`.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

// Mermaid cleans labels with the browser's document, so there has to be one before it is loaded.
const { window } = new JSDOM("");
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import("mermaid");

let refused = 0;
for (const file of process.argv.slice(2)) {
  try {
    await mermaid.parse(readFileSync(file, "utf8"));
    console.log(`${file}: ok`);
  } catch (error) {
    refused += 1;
    console.log(`${file}: ${error}`);
  }
}
process.exit(refused ? 1 : 0);
