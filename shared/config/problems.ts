/** Where something is in the configuration: keys and list positions from the top. */
export type Path = readonly (string | number)[];

/** What is wrong in one value, before anybody has looked up in which line it stands. */
export interface Finding {
  readonly path: Path;
  /** Completes the sentence that begins with the path. Repeats no value that could be a secret. */
  readonly message: string;
  /** Points at the key instead of the value. */
  readonly atKey?: boolean;
}

export interface Problem {
  /** Such as `targets.orders-db.accounts[1]`; empty when it is about the file as a whole. */
  readonly path: string;
  readonly file: string;
  /** From 1; 0 when the file as a whole is meant. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The target that has what is wrong from what targets share. */
  readonly sharedBy?: string;
}

/** Nobody reads on, and a file that is none of ours can have hundreds of thousands. */
const mostTold = 1000;

function others(count: number): Problem {
  const message = `${count - mostTold} more problems follow; fix these first`;
  return { file: "configuration", line: 0, column: 0, path: "", message };
}

/** Every problem of the configuration at once. Nothing was started. */
export class ConfigProblemsError extends Error {
  override readonly name = "ConfigProblemsError";
  readonly kind = "config";
  readonly problems: readonly Problem[];

  constructor(all: readonly Problem[]) {
    const count = all.length === 1 ? "1 problem" : `${all.length} problems`;
    const problems =
      all.length > mostTold + 1 ? [...all.slice(0, mostTold), others(all.length)] : all;
    super([`The configuration has ${count}:`, ...problems.map(formatProblem)].join("\n"));
    this.problems = problems;
  }
}

/** Such as `keyturn.yaml:12:5  targets.orders-db.publish.secret: is missing`. */
export function formatProblem({ file, line, column, path, message }: Problem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return path === "" ? `${place}  ${message}` : `${place}  ${path}: ${message}`;
}

/** Keys that would be unclear in a path are quoted, which also keeps control characters off the console. */
export function formatPath(path: Path): string {
  const written = path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    return /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  return written.join("").replace(/^\./, "");
}

/** Each thing said once, in the order in which a person reads. */
export function forReading(problems: readonly Problem[]): Problem[] {
  return inReadingOrder(foldShared(problems));
}

/** File by file, from top to bottom. */
function inReadingOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  const order = new Map(files.map((file, index) => [file, index]));
  const place = ({ file }: Problem) => order.get(file) ?? 0;
  return [...problems].sort(
    (a, b) => place(a) - place(b) || a.line - b.line || a.column - b.column,
  );
}

/** Says once what is wrong with several targets because of what they share. */
function foldShared(problems: readonly Problem[]): Problem[] {
  const groups = Map.groupBy(problems, ({ sharedBy: _, ...problem }) => JSON.stringify(problem));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    // What is wrong whichever target has it needs none of them.
    const plain = group.find(({ sharedBy }) => sharedBy === undefined);
    if (plain || first === undefined) return group.filter(({ sharedBy }) => sharedBy === undefined);
    const { sharedBy = "", ...problem } = first;
    const ids = new Set(group.map((one) => one.sharedBy));
    const others = ids.size === 1 ? "" : ` and ${ids.size - 1} more`;
    return [{ ...problem, message: `${problem.message} (in target ${sharedBy}${others})` }];
  });
}
