/**
 * Makes the package that Azure runs, a folder that is zipped and deployed unchanged:
 *
 *     npm run build                      into dist/, which is emptied first
 *     npm run build -- --out DIR         into another folder, which must be new or empty
 *     npm run build -- --config FILE     with this configuration; default: keyturn.yaml in this folder, if it exists
 *
 * The build fails for a configuration that the app would refuse at its start.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { type OutputChunk, type Plugin, type PreRenderedChunk, rolldown } from "rolldown";
import { z } from "zod";
import { canBeMissing, fromTheHost } from "./not-bundled.ts";
import { bundling, hashModules, listOwnModules, type OwnModule } from "./own-modules.ts";
import { checkPacked, pack } from "./packed-config.ts";
import { licenceTexts, packageName } from "./third-party.ts";

const root = resolve(import.meta.dirname, "..");

const provided = new Set([...builtinModules, ...fromTheHost, ...Object.keys(canBeMissing)]);

/** Files that run in their own threads. Each folder of the package is one level deep, so that these files find each other. */
const threads = ["shared/check-edited.ts"];

const isThread = (name: string) => threads.some((file) => basename(file, ".ts") === name);

/** Makes an id that is the same for the same sources. Only the build that wrote a checked form uses it. */
async function buildId(modules: readonly OwnModule[]): Promise<string> {
  const files = globSync("{functions,shared}/**/*.ts", { cwd: root }).toSorted();
  const hash = createHash("sha256");
  for (const file of [...files, "package-lock.json"]) {
    hash.update(file.replaceAll("\\", "/")).update(await readFile(join(root, file)));
  }
  if (modules.length > 0) hash.update(await hashModules(root, modules));
  return hash.digest("hex");
}

/** Gives the bundled code its build id. */
const naming = (id: string): Plugin => ({
  name: "build-id",
  load: (file) =>
    file === join(root, "shared", "build-id.ts") ? `export const build = "${id}";` : undefined,
});

/**
 * The shared code of the functions is in one file with all that it needs at start, because each file costs a round trip. The schemas of
 * the API and its document are loaded when they are used.
 */
const usedByAll =
  /[\\/]shared[\\/]app\.ts$|[\\/]functions[\\/](?!schemas[\\/]|http[\\/]document\.ts$)[\w-]+[\\/]/;

async function bundle(
  out: string,
  id: string,
  modules: readonly OwnModule[],
): Promise<OutputChunk[]> {
  const files = globSync("functions/*.ts", { cwd: root }).toSorted();
  const doubts: string[] = [];
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(
      [...files, ...threads].map((file) => [basename(file, ".ts"), join(root, file)]),
    ),
    platform: "node",
    external: fromTheHost,
    plugins: [naming(id), ...bundling(root, modules)],
    onLog: (level, log) => {
      if (level === "warn") doubts.push(log.message);
    },
  });
  try {
    const { output } = await build.write({
      dir: out,
      format: "esm",
      sourcemap: true,
      // Line numbers are enough, because their reader has the sources.
      sourcemapExcludeSources: true,
      sourcemapPathTransform: (source, map) => sourcePath(out, source, map),
      entryFileNames: ({ name }) => `${isThread(name) ? "workers" : "functions"}/[name].js`,
      codeSplitting: { groups: [{ name: "app", test: usedByAll }] },
      // The folder is deployed as a whole, so no name needs a hash.
      chunkFileNames: (chunk) => `chunks/${chunkName(chunk)}.js`,
    });
    const chunks = output.filter((file) => file.type === "chunk");
    doubts.push(...chunks.flatMap(leftOutside));
    // A warning of the bundler here is a failure on Azure.
    if (doubts.length > 0) throw new Error(doubts.join("\n"));
    return chunks;
  } finally {
    await build.close();
  }
}

/** Returns the path relative to dist/, so that a map does not depend on the folder and reveals nothing about this machine. */
function sourcePath(out: string, source: string, map: string): string {
  const mapInDist = join(root, "dist", relative(out, map));
  return relative(dirname(mapInDist), resolve(dirname(map), source)).replaceAll("\\", "/");
}

/** Names a chunk after the package that it contains, if any. */
function chunkName({ name, facadeModuleId, moduleIds }: PreRenderedChunk): string {
  if (moduleIds.some((id) => id.startsWith(root) && packageName(id) === undefined)) return name;
  const from = packageName(facadeModuleId ?? moduleIds.at(-1) ?? "");
  return from?.replace(/^@/, "").replaceAll("/", "-") ?? name;
}

/** Lists packages that a chunk would load from node_modules, which the package does not have. */
function leftOutside({ fileName, code, imports, dynamicImports }: OutputChunk): string[] {
  const required = code.matchAll(/\b__require(?:\.resolve)?\("([^"]+)"\)/g);
  const all = [...imports, ...dynamicImports, ...Array.from(required, ([, id = ""]) => id)];
  const strange = new Set(
    all.filter((id) => !/^(node:|functions\/|chunks\/|workers\/)/.test(id) && !provided.has(id)),
  );
  return Array.from(strange, (id) => `${fileName} needs ${id}, which is not in the bundle.`);
}

const manifestShape = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  type: z.literal("module"),
});

/** For the package only: in the checkout, an older Node is enough, because scripts/run.mjs starts the project's own. */
const engines = { node: ">=22.18" };

async function fill(out: string, given: string | undefined) {
  const config = given === undefined ? undefined : await checkPacked(given, root);
  const modules = config === undefined ? [] : listOwnModules(config.file, config.modules);
  const id = await buildId(modules);
  const chunks = await bundle(out, id, modules);
  await addFiles(out, chunks);
  if (config !== undefined) await pack(config, out, id);
  return { chunks, config };
}

async function addFiles(out: string, chunks: readonly OutputChunk[]) {
  const manifest: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  // Without scripts and dependencies, a build on the server has nothing to do.
  const own = { ...manifestShape.parse(manifest), engines, private: true, main: "functions/*.js" };
  await writeFile(join(out, "package.json"), `${JSON.stringify(own, undefined, 2)}\n`);
  for (const file of ["host.json", "LICENSE"]) await copyFile(join(root, file), join(out, file));
  const licences = await licenceTexts(chunks.flatMap((chunk) => Object.keys(chunk.modules)));
  await writeFile(join(out, "THIRD-PARTY-LICENCES.txt"), licences);
}

/** Returns the files that every start of the app loads. */
function atStart(chunks: readonly OutputChunk[]): Set<OutputChunk> {
  const found = new Set(chunks.filter((chunk) => chunk.isEntry && !isThread(chunk.name)));
  // The loop also visits chunks that are added during it.
  for (const { imports } of found) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) found.add(chunk);
  }
  return found;
}

const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KB`;

function line(name: string, files: number, bytes: number, zipped?: number): string {
  const sizes = [kilobytes(bytes), zipped === undefined ? "" : kilobytes(zipped)];
  return [name.padEnd(36), String(files).padStart(5), ...sizes.map((it) => it.padStart(10))].join(
    "",
  );
}

function formatLines(name: string, chunks: Iterable<OutputChunk>): string {
  const codes = Array.from(chunks, ({ code }) => Buffer.from(code));
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0);
  const zipped = sum(codes.map((code) => gzipSync(code).length));
  return line(name, codes.length, sum(codes.map((code) => code.length)), zipped);
}

async function table(out: string, chunks: readonly OutputChunk[]): Promise<string[]> {
  const starting = atStart(chunks);
  const later = chunks
    .filter((chunk) => !starting.has(chunk))
    .toSorted((a, b) => b.code.length - a.code.length);
  const files = globSync("**/*", { cwd: out, withFileTypes: true }).filter((it) => it.isFile());
  const sizes = await Promise.all(files.map((it) => stat(join(it.parentPath, it.name))));
  const whole = sizes.reduce((all, { size }) => all + size, 0);
  const biggest = [...starting].toSorted((a, b) => b.code.length - a.code.length).slice(0, 2);
  return [
    `${"".padEnd(36)}files      size   gzipped`,
    formatLines("functions and all they load at start", starting),
    ...biggest.map((chunk) => formatLines(`  ${chunk.fileName}`, [chunk])),
    formatLines("loaded when used", later),
    ...later.map((chunk) => formatLines(`  ${chunk.fileName}`, [chunk])),
    line("whole folder, source maps included", files.length, whole),
  ];
}

/** Empties dist/, and refuses any other folder that is not empty. */
async function prepare(out: string): Promise<void> {
  if (out === join(root, "dist")) await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  if ((await readdir(out)).length > 0)
    throw new Error(`${out} is not empty. Use a new or an empty folder.`);
}

async function main(): Promise<void> {
  const started = performance.now();
  const text = { type: "string" } as const;
  const { values, tokens } = parseArgs({ options: { out: text, config: text }, tokens: true });
  for (const name of ["out", "config"]) {
    const given = tokens.filter((token) => token.kind === "option" && token.name === name);
    if (given.length > 1) throw new Error(`--${name} is given more than once.`);
  }
  const out = resolve(values.out ?? join(root, "dist"));
  const usual = join(root, "keyturn.yaml");
  const given = values.config ?? (existsSync(usual) ? usual : undefined);
  await prepare(out);
  const { chunks, config } = await fill(out, given).catch(async (error: unknown) => {
    // An incomplete package must not be deployed.
    await rm(out, { recursive: true });
    throw error;
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log((await table(out, chunks)).join("\n"));
  console.log(`\n${relative(process.cwd(), out) || out} is ready after ${seconds} s.`);
  if (config === undefined) {
    console.log("It contains no keyturn.yaml. Add one, or set KEYTURN_CONFIG to its location.");
    return;
  }
  for (const warning of config.warnings) console.log(`warning: ${warning}`);
  for (const file of config.elsewhere) {
    console.log(
      `The configuration names ${file}, which is not in the package. It must exist on the server.`,
    );
  }
}

try {
  await main();
} catch (error) {
  console.error(`The build failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
