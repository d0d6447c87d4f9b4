/**
 * Starts the function app in the working directory as the Functions worker does, and prints what it took: loads the files
 * of `functions/` one after another, and runs what is to be run at start. Plain JavaScript, so that nothing is measured but
 * the app.
 */
import { globSync } from "node:fs";
import Module from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const atStart = [];
let functions = 0;

/** What `@azure/functions` asks the worker for. */
const worker = {
  version: "3.9.1",
  hostVersion: "4",
  registerFunction: () => void functions++,
  registerHook: (name, callback) => void (name === "appStart" && atStart.push(callback)),
  setProgrammingModel: () => undefined,
  log: () => undefined,
};

const ask = Module.prototype.require;
Module.prototype.require = function require(id) {
  return id === "@azure/functions-core" ? worker : ask.call(this, id);
};

const folder = process.cwd();
for (const file of globSync("functions/*.js").sort()) {
  await import(pathToFileURL(join(folder, file)).href);
}
for (const start of atStart) await start({ functionAppDirectory: folder });
const { user, system } = process.cpuUsage();
const report = JSON.stringify({ functions, cpu: (user + system) / 1e6 });
process.stdout.write(`${report}\n`, () => process.exit(0));
