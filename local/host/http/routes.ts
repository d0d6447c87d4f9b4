/** One way to reach a function over HTTP. */
export interface Route<T> {
  readonly segments: readonly Segment[];
  readonly methods: ReadonlySet<string>;
  readonly target: T;
}

type Segment =
  | { kind: "literal"; text: string }
  | {
      kind: "parameter" | "rest";
      name: string;
      optional: boolean;
      fallback: string | undefined;
      accepts: ((value: string) => boolean) | undefined;
    };

/** The supported constraints. Any other constraint allows every value. */
const constraints: Readonly<Record<string, RegExp>> = {
  alpha: /^[a-z]*$/i,
  bool: /^(true|false)$/i,
  guid: /^[\da-f]{8}-?([\da-f]{4}-?){3}[\da-f]{12}$/i,
  int: /^-?\d{1,10}$/,
  long: /^-?\d{1,19}$/,
  decimal: /^-?\d+(\.\d+)?$/,
};

/** Parses `prefix/template`, where the template may contain `{id}`, `{id?}`, `{id:alpha}`, `{*rest}`. */
export function parseRoute<T>(options: {
  prefix: string;
  template: string;
  methods: readonly string[];
  target: T;
}): Route<T> {
  const segments = [...split(options.prefix), ...split(options.template)].map(parseSegment);
  const methods = new Set(options.methods.map((method) => method.toUpperCase()));
  return { segments, methods, target: options.target };
}

const split = (path: string) => path.split("/").filter((segment) => segment !== "");

function parseSegment(text: string): Segment {
  if (!/[{}]/.test(text)) return { kind: "literal", text: text.toLowerCase() };
  const match = /^\{(\*{0,2})(\w+)((?::[^=?}]+(?:\{[^}]*\})?)*)(?:=([^}]*))?(\?)?\}$/.exec(text);
  if (match === null) {
    throw new Error(`Route segment "${text}" is not supported. Use {name} for a whole segment.`);
  }
  const [, star = "", name = "", checks = "", fallback, question] = match;
  const kind = star === "" ? "parameter" : "rest";
  const patterns = checks.split(":").flatMap((check) => constraints[check.toLowerCase()] ?? []);
  const accepts =
    checks === "" ? undefined : (value: string) => patterns.every((pattern) => pattern.test(value));
  return { kind, name, optional: question !== undefined || kind === "rest", fallback, accepts };
}

/** Orders routes as ASP.NET Core does: from left to right, literals before constrained before free parameters. */
export const comparePrecedence = <T>(left: Route<T>, right: Route<T>): number => {
  const [a, b] = [left, right].map(({ segments }) => segments.map(weight).join(""));
  return (a ?? "").localeCompare(b ?? "");
};

function weight(segment: Segment): number {
  if (segment.kind === "literal") return 1;
  const constrained = segment.accepts === undefined ? 1 : 0;
  return (segment.kind === "parameter" ? 2 : 4) + constrained;
}

/** Returns the first matching route with its decoded parameters. `path` has no query. */
export function matchRoute<T>(
  routes: readonly Route<T>[],
  method: string,
  path: string,
): { target: T; parameters: Record<string, string> } | undefined {
  const parts = split(path).map(decode);
  if (parts.includes(undefined)) return undefined;
  const decoded = parts.filter((part) => part !== undefined);
  for (const route of routes) {
    if (!route.methods.has(method)) continue;
    const parameters = matchSegments(route.segments, decoded);
    if (parameters !== undefined) return { target: route.target, parameters };
  }
  return undefined;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function matchSegments(
  segments: readonly Segment[],
  parts: readonly string[],
): Record<string, string> | undefined {
  const hasRest = segments.at(-1)?.kind === "rest";
  if (parts.length > segments.length && !hasRest) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const part = segment.kind === "rest" ? parts.slice(index).join("/") : parts[index];
    if (segment.kind === "literal") {
      if (part?.toLowerCase() !== segment.text) return undefined;
    } else if (!takeParameter(segment, part, parameters)) {
      return undefined;
    }
  }
  return parameters;
}

/** Puts the value of a parameter into `parameters`. Returns false when it is missing or violates its constraint. */
function takeParameter(
  segment: Exclude<Segment, { kind: "literal" }>,
  part: string | undefined,
  parameters: Record<string, string>,
): boolean {
  const value = part === undefined || part === "" ? segment.fallback : part;
  if (value === undefined) return segment.optional;
  if (segment.accepts?.(value) === false) return false;
  parameters[segment.name] = value;
  return true;
}
