import { join, relative } from "node:path";
import { type System, systems } from "../server.ts";
import { missing } from "./not-tested.ts";
import type { Use } from "./uses.ts";

/** Describes which servers a test run really used. Returns no lines if it used none. `root`: the project's folder. */
export function describeUses(all: readonly Use[], root: string): readonly string[] {
  const uses = all.filter(({ file }) => !saysNothing(relative(root, file)));
  if (uses.length === 0) return [];
  const used = (Object.keys(systems) as System[])
    .map((system) => ({ system, of: uses.filter((use) => use.system === system) }))
    .filter(({ of }) => of.length > 0);
  const width = Math.max(...used.map(({ system }) => systems[system].length));
  const rows = used.flatMap(({ system, of }) => {
    const lines = [...describeSystem(of, root), ...describeMissing(system, of)];
    return lines.map((line, index) => {
      const name = index === 0 ? systems[system] : "";
      return `  ${name.padEnd(width)}  ${line}`;
    });
  });
  return ["Database servers of this run:", ...rows];
}

/** Tests of the doubles, and of how tests start servers, say nothing about what Keyturn does with a server. */
const saysNothing = (file: string): boolean =>
  file.startsWith(join("test", "doubles")) || file.startsWith(join("test", "services", "servers"));

function describeSystem(uses: readonly Use[], root: string): readonly string[] {
  const real = uses.filter(({ kind }) => kind !== "double");
  const files = new Set(real.map(({ file }) => file));
  const doubles = new Set(uses.map(({ file }) => file).filter((file) => !files.has(file)));
  const names = [...doubles].map((file) => relative(root, file)).sort();
  return [
    ...(real.length === 0 ? [] : [`real ${describeVersions(real)}`]),
    ...(names.length === 0 ? [] : [`double only: ${names.join(", ")}`]),
  ];
}

function describeMissing(system: System, uses: readonly Use[]): readonly string[] {
  const absent = missing.filter(
    (it) =>
      it.system === system && !uses.some(({ version = "" }) => it.versions?.test(version) ?? false),
  );
  return absent.length === 0 ? [] : [`not tested: ${absent.map(({ what }) => what).join(", ")}`];
}

/** Each version with the number of files that used it: a file may use several. */
function describeVersions(uses: readonly Use[]): string {
  const filesOf = new Map<string, Set<string>>();
  for (const { version = "", kind, file } of uses) {
    const name = kind === "own" ? `${version} of your own` : version;
    filesOf.set(name, (filesOf.get(name) ?? new Set()).add(file));
  }
  return [...filesOf]
    .map(([name, files]) => `${name} (${countFiles(files.size)})`)
    .sort()
    .join(", ");
}

const countFiles = (count: number): string => (count === 1 ? "1 file" : `${String(count)} files`);
