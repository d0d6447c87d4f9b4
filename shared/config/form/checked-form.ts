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
 * What a form holds: a configuration without a problem, as plain data. Policies stand in it once and are referred to by
 * their position, and so is what targets passed over. Paths of files are as they are written: where the package is
 * unpacked is not known when it is built.
 */
export interface FormContent {
  readonly config: Omit<Configured, "targets">;
  readonly policies: readonly Policy[];
  readonly passedOver: readonly (readonly NotChosen[])[];
  readonly targets: readonly StoredTarget[];
  /** Those that are the same at any moment. */
  readonly warnings: readonly Problem[];
  /** What has to be tried out again at each start. */
  readonly cases: readonly StoredCase[];
}

type StoredTarget = Omit<Target, "policy" | "policiesPassedOver"> & {
  readonly policy: number;
  readonly passedOver: number;
};

export interface StoredCase {
  readonly policy: number;
  readonly own?: NonNullable<PolicyCase["own"]>;
  /** By path as JSON: where in the sources that is of which a trial may have something to say. */
  readonly places: readonly (readonly [path: string, place: Omit<Problem, "message">])[];
}

/** The checked form of the file or folder at `path`. */
export function formPath(path: string): string {
  return `${path}.checked`;
}

/** The first line of a form: which build wrote it, and of which bytes. Undefined when some of them cannot be read. */
export function formHead(files: readonly SourceFile[], build: string): string | undefined {
  const sources = files.flatMap((file) =>
    "bytes" in file ? [[file.name, sha256(file.bytes)] as const] : [],
  );
  return sources.length < files.length ? undefined : JSON.stringify({ build, sources });
}

/** The whole form: its head, the hash of its content, and its content, a line each. */
export function formText(head: string, content: FormContent): string {
  const body = JSON.stringify(content);
  return `${head}\n${sha256(Buffer.from(body))}\n${body}`;
}

/** What the form at `path` holds. Undefined when there is none, or when it is one of other files or of another build. */
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

/** What a form holds. Undefined when it is one of other files or of another build. */
export function parseForm(
  bytes: Buffer,
  files: readonly SourceFile[],
  build: string,
): FormContent | "damaged" | undefined {
  const [head, rest] = firstLine(bytes);
  if (!isHead(head)) return "damaged";
  if (head !== formHead(files, build)) return undefined;
  const [hash, body] = firstLine(rest);
  if (hash !== sha256(body)) return "damaged";
  // The hash shows that this very build has written it, so its shape is known.
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

function explainUnused(path: string, trouble: string): { readonly warning: Problem } {
  const message = `${trouble}, so the configuration was read from its source, which takes longer. Build the package again`;
  return { warning: { file: basename(path), line: 0, column: 0, path: "", message } };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
