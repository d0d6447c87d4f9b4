/**
 * Writes docs/reference/api.md from the OpenAPI document of the API:
 *
 *     node scripts/run.mjs scripts/write-api-reference.ts
 */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { writeApiReference } from "./api-reference/write-page.ts";

await writeFile(resolve(import.meta.dirname, "../docs/reference/api.md"), writeApiReference());
console.log("docs/reference/api.md is up to date.");
