/** Writes keyturn.schema.json, with which editors complete and check keyturn.yaml. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { format, resolveConfig } from "prettier";
import { makeJsonSchema } from "../shared/config/schema/definition.ts";
import { makeRotators } from "../shared/rotators/registry.ts";

const nobody = { getToken: () => Promise.reject(new Error("a schema asks nobody")) };

const file = resolve(import.meta.dirname, "../keyturn.schema.json");
const text = JSON.stringify(makeJsonSchema(makeRotators(nobody)));
await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
console.log("keyturn.schema.json is up to date.");
