import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Target } from "../../core/target.ts";
import type { Configured } from "../config.ts";
import type { Problem } from "../problems.ts";
import { isRecord } from "../yaml/is-record.ts";
import type { TargetDraft } from "./drafts.ts";

/** Returns the CA file that the options name. Every rotator that uses TLS has it in the same place. */
export function findCaFile(options: unknown): string | undefined {
  const tls = isRecord(options) ? options["tls"] : undefined;
  const file = isRecord(tls) ? tls["caFile"] : undefined;
  return typeof file === "string" && file !== "" ? file : undefined;
}

/** Returns the targets with absolute paths to their CA files. A relative path is resolved against `folder`. */
export function anchorTargets(targets: readonly Target[], folder: string): Target[] {
  return targets.map((target) => {
    const options = withAbsoluteCaFile(target.options, folder);
    return options === target.options ? target : { ...target, options };
  });
}

function withAbsoluteCaFile(options: unknown, folder: string): unknown {
  const file = findCaFile(options);
  if (file === undefined || !isRecord(options) || !isRecord(options["tls"])) return options;
  return { ...options, tls: { ...options["tls"], caFile: resolve(folder, file) } };
}

/** Finds CA files that are missing, unreadable or no certificates, even if other options of the target have problems. */
export async function checkAuthorities(
  drafts: readonly TargetDraft[],
  folder: string,
): Promise<Problem[]> {
  const findProblemOf = fileChecker(folder);
  const problems = drafts.map(async ({ entry }): Promise<Problem[]> => {
    const options = isRecord(entry.value) ? entry.value["options"] : undefined;
    const file = findCaFile(options);
    const message = file === undefined ? undefined : await findProblemOf(file);
    if (message === undefined) return [];
    const path = [...entry.path, "options", "tls", "caFile"];
    return [entry.source.locate({ path, message })];
  });
  return (await Promise.all(problems)).flat();
}

/** Whether every CA file that the configuration names is a readable certificate. */
export async function areAuthoritiesThere(
  { targets }: Pick<Configured, "targets">,
  folder: string,
): Promise<boolean> {
  const named = new Set(targets.flatMap(({ options }) => findCaFile(options) ?? []));
  const found = await Promise.all(Array.from(named, fileChecker(folder)));
  return found.every((message) => message === undefined);
}

/** Checks each file once, even if many targets name it. */
function fileChecker(folder: string): (file: string) => Promise<string | undefined> {
  const known = new Map<string, Promise<string | undefined>>();
  return (file) => {
    const found = known.get(file) ?? findFileProblem(resolve(folder, file));
    known.set(file, found);
    return found;
  };
}

/** The message does not repeat the path: an operator may have pasted a key there by mistake. */
async function findFileProblem(file: string): Promise<string | undefined> {
  try {
    if (!(await stat(file)).isFile()) return "is not a file";
    return isCertificate(await readFile(file)) ? undefined : "contains no PEM certificate";
  } catch (error) {
    const code: unknown = error instanceof Error && Reflect.get(error, "code");
    if (code !== "ENOENT") return `cannot be read (${String(code)})`;
    return "does not exist; relative paths start at the folder of the configuration";
  }
}

function isCertificate(content: Buffer): boolean {
  try {
    new X509Certificate(content);
    return true;
  } catch {
    return false;
  }
}
