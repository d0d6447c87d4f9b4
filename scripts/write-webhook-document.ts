/**
 * Writes docs/rotators/webhook-openapi.json from the schemas of the protocol:
 *
 *     node scripts/run.mjs scripts/write-webhook-document.ts
 */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { format, resolveConfig } from "prettier";
import { makeWebhookDocument } from "./webhook-document.ts";

const file = resolve(import.meta.dirname, "../docs/rotators/webhook-openapi.json");
const text = JSON.stringify(makeWebhookDocument());
await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
console.log("docs/rotators/webhook-openapi.json is up to date.");
