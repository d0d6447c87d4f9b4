/**
 * The bootstrap behind every npm script: installs the locked dependencies when they are missing,
 * picks the project's own Node, and runs one program with it.
 *
 *     node scripts/run.mjs local/start.ts --once    a file of this repository
 *     node scripts/run.mjs vitest run               a program that a dependency brings
 *
 * Plain JavaScript without dependencies: on a fresh clone it is run by whatever Node is in front
 * (20 or later), before anything is installed.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const projectRoot = fileURLToPath(new URL("..", import.meta.url));

/** The oldest Node that runs TypeScript files as they are. */
const oldestNode = [22, 18];

/** A problem with a plain sentence for the person at the console; no stack is shown. */
class CannotRun extends Error {}

const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

function readJsonIfThere(file) {
  try {
    return readJson(file);
  } catch {
    return undefined;
  }
}

/**
 * Why the dependencies must be installed; undefined if node_modules holds what the lockfile says.
 * Compares the contents of the two lockfiles: timestamps lie after a checkout or a copy.
 * npm writes node_modules/.package-lock.json last, so an interrupted install counts as missing.
 */
function installReason(root) {
  const installed = readJsonIfThere(join(root, "node_modules", ".package-lock.json"))?.packages;
  if (!installed) return "they are not installed yet";
  const locked = readJson(join(root, "package-lock.json")).packages;
  const differs = Object.entries(locked).some(([path, { version, integrity, optional }]) => {
    if (path === "") return false;
    const found = installed[path];
    // Optional packages for other platforms are in the lockfile only.
    if (!found) return !optional;
    return found.version !== version || found.integrity !== integrity;
  });
  const leftOver = Object.keys(installed).some((path) => !(path in locked));
  return differs || leftOver ? "package-lock.json has changed" : undefined;
}

function installDependencies(root) {
  const reason = installReason(root);
  if (reason === undefined) return;
  console.error(
    `Installing the locked dependencies (npm ci), because ${reason}; this takes a minute.`,
  );
  const { npm_execpath: npm = "", npm_node_execpath: npmNode = process.execPath } = process.env;
  const [command, ...args] = basename(npm).startsWith("npm") ? [npmNode, npm] : ["npm"];
  const done = spawnSync(command, [...args, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (done.status === 0) return;
  const how = done.error ? done.error.message : `exit code ${done.status ?? done.signal}`;
  throw new CannotRun(
    `The dependencies could not be installed: "npm ci" failed (${how}). ` +
      `Its own messages are above; run "npm ci" in ${root} to see them again.`,
  );
}

/** Is `version` ("v22.18.0") one that can run this project? */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
}

/** The Node that npm installed for this platform; undefined if there is none or it does not run. */
function ownNode(root) {
  const windows = process.platform === "win32";
  const packageName = `node-${windows ? "win" : process.platform}-${process.arch}`;
  const file = join(root, "node_modules", packageName, "bin", windows ? "node.exe" : "node");
  if (!existsSync(file)) return undefined;
  const answer = spawnSync(file, ["--version"], { encoding: "utf8" });
  return answer.status === 0 && isNewEnough(answer.stdout) ? file : undefined;
}

/** Absolute path of the Node to use. KEYTURN_NODE names another one, to test on other versions. */
function chooseNode(root, env = process.env) {
  if (env.KEYTURN_NODE) return resolve(env.KEYTURN_NODE);
  const own = ownNode(root);
  if (own !== undefined) return own;
  if (isNewEnough(process.version)) return process.execPath;
  throw new CannotRun(
    `Keyturn needs Node ${oldestNode.join(".")} or later; this is ${process.version}, and the Node ` +
      `that npm installs with the project does not run on ${process.platform}-${process.arch}.`,
  );
}

/** The script behind a program name such as "vitest", found among the project's dependencies. */
function findProgram(root, name) {
  const { dependencies = {}, devDependencies = {} } = readJson(join(root, "package.json"));
  for (const packageName of Object.keys({ ...devDependencies, ...dependencies })) {
    const folder = join(root, "node_modules", packageName);
    const bin = readJsonIfThere(join(folder, "package.json"))?.bin;
    const bins = typeof bin === "string" ? { [basename(packageName)]: bin } : bin;
    if (bins?.[name]) return join(folder, bins[name]);
  }
  throw new CannotRun(`No dependency of this project brings a program named "${name}".`);
}

const isFile = (what) => [".ts", ".mjs", ".js"].includes(extname(what));

/**
 * Runs the child until it ends and returns its exit code. The wrapper never dies first: whoever
 * waits for it may rely on the child being gone.
 */
function runToEnd(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: "inherit" });
  // A terminal sends Ctrl-C to the child as well; a second copy would read as "stop at once".
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on("SIGINT", () => !atTerminal && child.kill("SIGINT"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return new Promise((done, failed) => {
    child.once("error", (error) =>
      failed(new CannotRun(`Cannot run ${command}: ${error.message}.`)),
    );
    child.once("exit", (code, signal) => done(code ?? 128 + constants.signals[signal]));
  });
}

async function main([what, ...args]) {
  if (what === undefined) throw new CannotRun("Usage: node scripts/run.mjs <file or program> …");
  installDependencies(projectRoot);
  const node = chooseNode(projectRoot);
  const script = isFile(what) ? resolve(projectRoot, what) : findProgram(projectRoot, what);
  if (!existsSync(script)) throw new CannotRun(`There is no file ${script}.`);
  const path = [dirname(node), join(projectRoot, "node_modules", ".bin"), process.env.PATH];
  const env = { ...process.env, PATH: path.join(delimiter) };
  return runToEnd(node, [script, ...args], { cwd: projectRoot, env });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CannotRun)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
