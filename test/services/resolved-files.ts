/** For `node --import`: writes each import and require as a line of JSON to the file in RESOLVED_FILES. */
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

const file = process.env["RESOLVED_FILES"];
if (file === undefined) throw new Error("RESOLVED_FILES is not set.");

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    appendFileSync(file, `${JSON.stringify({ from: context.parentURL, url: found.url })}\n`);
    return found;
  },
});
