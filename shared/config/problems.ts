/** The path of a value in the configuration: keys and list positions from the root. */
export type Path = readonly (string | number)[];

/** A problem of one value, not yet located in a file. */
export interface Finding {
  readonly path: Path;
  /** The predicate of a sentence whose subject is the path. It repeats no value that could be a secret. */
  readonly message: string;
  /** Whether the location is the key instead of the value. */
  readonly atKey?: boolean;
}

export interface Problem {
  /** A path such as `targets.orders-db.accounts[1]`. Empty for a problem of the whole file. */
  readonly path: string;
  readonly file: string;
  /** Counts from 1. 0 for a problem of the whole file. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The target that got the value from `targetDefaults`. */
  readonly sharedBy?: string;
}

/** Problems that are listed. A file that is not a configuration can have hundreds of thousands. */
const maxReported = 1000;

function others(count: number): Problem {
  const message = `${count - maxReported} more problems are not listed; fix these first`;
  return { file: "configuration", line: 0, column: 0, path: "", message };
}

/** Every problem of the configuration. The app does not start with it. */
export class ConfigProblemsError extends Error {
  override readonly name = "ConfigProblemsError";
  readonly kind = "config";
  readonly problems: readonly Problem[];

  constructor(all: readonly Problem[]) {
    const count = all.length === 1 ? "1 problem" : `${all.length} problems`;
    const problems =
      all.length > maxReported + 1 ? [...all.slice(0, maxReported), others(all.length)] : all;
    super([`The configuration has ${count}:`, ...problems.map(formatProblem)].join("\n"));
    this.problems = problems;
  }
}

/** Formats a problem, such as `keyturn.yaml:12:5  targets.orders-db.publish.secret: is missing`. */
export function formatProblem({ file, line, column, path, message }: Problem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return path === "" ? `${place}  ${message}` : `${place}  ${path}: ${message}`;
}

/** Formats a path. Keys with unusual characters are quoted, which also keeps control characters off the console. */
export function formatPath(path: Path): string {
  const written = path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    return /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  return written.join("").replace(/^\./, "");
}

/** Removes duplicates, and sorts the problems by their location. */
export function sortForReading(problems: readonly Problem[]): Problem[] {
  return inReadingOrder(foldShared(problems));
}

/** Sorts the problems file by file, and from top to bottom. */
function inReadingOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  const order = new Map(files.map((file, index) => [file, index]));
  const place = ({ file }: Problem) => order.get(file) ?? 0;
  return [...problems].sort(
    (a, b) => place(a) - place(b) || a.line - b.line || a.column - b.column,
  );
}

/** Folds the problems that several targets have because of the same default into one. */
function foldShared(problems: readonly Problem[]): Problem[] {
  const groups = Map.groupBy(problems, ({ sharedBy: _, ...problem }) => JSON.stringify(problem));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    // A problem that does not depend on the target is reported without one.
    const plain = group.find(({ sharedBy }) => sharedBy === undefined);
    if (plain || first === undefined) return group.filter(({ sharedBy }) => sharedBy === undefined);
    const { sharedBy = "", ...problem } = first;
    const ids = new Set(group.map((one) => one.sharedBy));
    const others = ids.size === 1 ? "" : ` and ${ids.size - 1} more`;
    return [{ ...problem, message: `${problem.message} (in target ${sharedBy}${others})` }];
  });
}
