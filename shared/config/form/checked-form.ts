import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { NotChosen } from "../../core/policy/choose.ts";
import type { Policy } from "../../core/policy/policy.ts";
import type { Target } from "../../core/target.ts";
import type { PolicyCase } from "../checks/check-policies.ts";
import type { Configured } from "../config.ts";
import type { Problem } from "../problems.ts";
import type { SourceFile } from "../yaml/read.ts";

/**
 * The content of a checked form: a configuration without problems, as plain data. Each policy, and each list of passed-over
 * policies, is stored once and referred to by its position. File paths are unresolved, because the build does not know
 * where the package will be unpacked.
 */
export interface FormContent {
  readonly config: Omit<Configured, "targets">;
  readonly policies: readonly Policy[];
  readonly passedOver: readonly (readonly NotChosen[])[];
  readonly targets: readonly StoredTarget[];
  /** The warnings that do not depend on the current time. */
  readonly warnings: readonly Problem[];
  /** The policies that must be simulated again at each start. */
  readonly cases: readonly StoredCase[];
}

type StoredTarget = Omit<Target, "policy" | "policiesPassedOver"> & {
  readonly policy: number;
  readonly passedOver: number;
};

export interface StoredCase {
  readonly policy: number;
  readonly own?: NonNullable<PolicyCase["own"]>;
  /** The locations of everything that a simulation may report, by path as JSON. */
  readonly places: readonly (readonly [path: string, place: Omit<Problem, "message">])[];
}

/** The path of the checked form of the file or folder at `path`. */
export function toFormPath(path: string): string {
  return `${path}.checked`;
}

/** The first line of a form: the build that wrote it, and the hashes of its sources. Undefined when a source cannot be read. */
export function toFormHead(files: readonly SourceFile[], build: string): string | undefined {
  const sources = files.flatMap((file) =>
    "bytes" in file ? [[file.name, sha256(file.bytes)] as const] : [],
  );
  return sources.length < files.length ? undefined : JSON.stringify({ build, sources });
}

/** The text of a form in three lines: its head, the hash of its content, and its content. */
export function toFormText(head: string, content: FormContent): string {
  const body = JSON.stringify(content);
  return `${head}\n${sha256(Buffer.from(body))}\n${body}`;
}

/** Reads the form at `path`. Undefined when there is none, or when it belongs to other files or to another build. */
export async function readForm(
  path: string,
  files: readonly SourceFile[],
  build: string,
): Promise<{ readonly content: FormContent } | { readonly warning: Problem } | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const code: unknown = error instanceof Error && Reflect.get(error, "code");
    return code === "ENOENT" ? undefined : explainUnused(path, `cannot be read (${String(code)})`);
  }
  const content = parseForm(bytes, files, build);
  return content === "damaged" ? explainUnused(path, "is damaged") : content && { content };
}

/** Parses a form. Undefined when it belongs to other files or to another build. */
export function parseForm(
  bytes: Buffer,
  files: readonly SourceFile[],
  build: string,
): FormContent | "damaged" | undefined {
  const [head, rest] = firstLine(bytes);
  if (!isHead(head)) return "damaged";
  if (head !== toFormHead(files, build)) return undefined;
  const [hash, body] = firstLine(rest);
  if (hash !== sha256(body)) return "damaged";
  // Build and hash match, so this build wrote the content and its shape is known.
  return JSON.parse(body.toString()) as FormContent;
}

function isHead(line: string): boolean {
  return /^\{"build":"[^"]*","sources":\[.*\]\}$/.test(line);
}

function firstLine(bytes: Buffer): [line: string, rest: Buffer] {
  const end = bytes.indexOf("\n");
  return end < 0
    ? [bytes.toString(), bytes.subarray(bytes.length)]
    : [bytes.toString("utf8", 0, end), bytes.subarray(end + 1)];
}

function explainUnused(path: string, problem: string): { readonly warning: Problem } {
  const message = `${problem}, so the app read the configuration from its source, which takes longer; build the package again`;
  return { warning: { file: basename(path), line: 0, column: 0, path: "", message } };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
