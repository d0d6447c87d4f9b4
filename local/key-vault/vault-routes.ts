import { checkName, checkVersion } from "./emulator-limits.ts";
import { VaultError } from "./vault-error.ts";

export type Operation =
  | "set-secret"
  | "get-secret"
  | "update-secret"
  | "delete-secret"
  | "list-secrets"
  | "list-versions"
  | "list-deleted"
  | "get-deleted"
  | "recover-secret"
  | "purge-secret"
  | "backup-secret"
  | "restore-secret"
  | "create-key"
  | "get-key"
  | "update-key"
  | "list-key-versions"
  | "sign";

export interface Route {
  readonly operation: Operation;
  readonly name: string | undefined;
  readonly version: string | undefined;
}

interface Shape {
  readonly segments: readonly string[];
  readonly methods: Readonly<Partial<Record<string, Operation>>>;
}

/**
 * The first shape that matches the path and allows the method applies: for other methods, `restore`, `backup` and `versions` are
 * names of secrets and versions.
 */
const SHAPES: readonly Shape[] = [
  { segments: ["secrets"], methods: { GET: "list-secrets" } },
  { segments: ["secrets", "restore"], methods: { POST: "restore-secret" } },
  { segments: ["secrets", ":name", "versions"], methods: { GET: "list-versions" } },
  { segments: ["secrets", ":name", "backup"], methods: { POST: "backup-secret" } },
  {
    segments: ["secrets", ":name", ":version"],
    methods: { GET: "get-secret", PATCH: "update-secret" },
  },
  {
    segments: ["secrets", ":name"],
    methods: {
      PUT: "set-secret",
      GET: "get-secret",
      PATCH: "update-secret",
      DELETE: "delete-secret",
    },
  },
  { segments: ["keys", ":name", "create"], methods: { POST: "create-key" } },
  { segments: ["keys", ":name", ":version", "sign"], methods: { POST: "sign" } },
  { segments: ["keys", ":name", "versions"], methods: { GET: "list-key-versions" } },
  { segments: ["keys", ":name", ":version"], methods: { GET: "get-key", PATCH: "update-key" } },
  { segments: ["keys", ":name"], methods: { GET: "get-key" } },
  { segments: ["deletedsecrets"], methods: { GET: "list-deleted" } },
  {
    segments: ["deletedsecrets", ":name"],
    methods: { GET: "get-deleted", DELETE: "purge-secret" },
  },
  { segments: ["deletedsecrets", ":name", "recover"], methods: { POST: "recover-secret" } },
];

/** Ignores one empty last segment, because the official client requests the newest version as `/secrets/{name}/`. */
export function findRoute(method: string, path: string): Route {
  const segments = path.replace(/^\//, "").replace(/\/$/, "").split("/");
  const shapes = SHAPES.filter((each) => fits(each.segments, segments));
  const shape = shapes.find(({ methods }) => methods[method] !== undefined) ?? shapes.at(-1);
  if (shape === undefined) {
    throw new VaultError(404, "NotFound", "No resource of a vault has this path.");
  }
  const operation = shape.methods[method];
  if (operation === undefined) {
    throw new VaultError(405, "MethodNotAllowed", `This resource does not allow ${method}.`, {
      headers: { allow: Object.keys(shape.methods).join(", ") },
    });
  }
  const at = (placeholder: string): string | undefined =>
    segments[shape.segments.indexOf(placeholder)];
  const name = at(":name");
  const version = at(":version");
  return {
    operation,
    name: name === undefined ? undefined : checkName(name),
    version: version === undefined ? undefined : checkVersion(version, method),
  };
}

function fits(shape: readonly string[], segments: readonly string[]): boolean {
  return (
    shape.length === segments.length &&
    shape.every((part, index) => part.startsWith(":") || part === segments[index])
  );
}
