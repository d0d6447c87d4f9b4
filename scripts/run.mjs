/**
 * The bootstrap behind every npm script: installs the locked dependencies when they are missing,
 * picks the project's own Node, and runs one program with it.
 *
 *     node scripts/run.mjs local/start.ts --once    a file of this repository
 *     node scripts/run.mjs vitest run               a program that a dependency brings
 *
 * Plain JavaScript without dependencies: on a fresh clone, the Node on the PATH (20 or later) runs it before
 * anything is installed.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const projectRoot = fileURLToPath(new URL("..", import.meta.url));

/** The oldest Node that runs TypeScript files directly. */
const oldestNode = [22, 18];

/** An error whose message is shown without a stack. */
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
 * Returns why the dependencies must be installed, or undefined if node_modules matches the lockfile.
 * Compares the content of the two lockfiles, because timestamps are wrong after a checkout or a copy.
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
    `The dependencies cannot be installed: "npm ci" failed (${how}). ` +
      `Its messages are above. Run "npm ci" in ${root} to see them again.`,
  );
}

/** Whether `version`, such as "v22.18.0", can run this project. */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
}

/** Returns the Node that npm installed for this platform, or undefined if it is missing or does not run. */
function ownNode(root) {
  const windows = process.platform === "win32";
  const packageName = `node-${windows ? "win" : process.platform}-${process.arch}`;
  const file = join(root, "node_modules", packageName, "bin", windows ? "node.exe" : "node");
  if (!existsSync(file)) return undefined;
  const answer = spawnSync(file, ["--version"], { encoding: "utf8" });
  return answer.status === 0 && isNewEnough(answer.stdout) ? file : undefined;
}

/** Returns the absolute path of the Node to use. KEYTURN_NODE selects another one, to test other versions. */
function chooseNode(root, env = process.env) {
  if (env.KEYTURN_NODE) return resolve(env.KEYTURN_NODE);
  const own = ownNode(root);
  if (own !== undefined) return own;
  if (isNewEnough(process.version)) return process.execPath;
  throw new CannotRun(
    `Keyturn needs Node ${oldestNode.join(".")} or later, and this is ${process.version}. The Node that npm ` +
      `installs with the project does not run on ${process.platform}-${process.arch}. Install a newer Node.`,
  );
}

/** Finds the script of a program, such as "vitest", among the project's dependencies. */
function findProgram(root, name) {
  const { dependencies = {}, devDependencies = {} } = readJson(join(root, "package.json"));
  for (const packageName of Object.keys({ ...devDependencies, ...dependencies })) {
    const folder = join(root, "node_modules", packageName);
    const bin = readJsonIfThere(join(folder, "package.json"))?.bin;
    const bins = typeof bin === "string" ? { [basename(packageName)]: bin } : bin;
    if (bins?.[name]) return join(folder, bins[name]);
  }
  throw new CannotRun(`No dependency of this project has a program "${name}".`);
}

const isFile = (what) => [".ts", ".mjs", ".js"].includes(extname(what));

/**
 * Runs the child until it ends and returns its exit code. This process never ends first, so when it has
 * ended, the child has ended too.
 */
function runToEnd(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: "inherit" });
  // A terminal also sends Ctrl-C to the child, which would treat a second SIGINT as "stop at once".
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
  if (!existsSync(script)) throw new CannotRun(`File ${script} does not exist.`);
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
