import { Client } from "pg";
import { z } from "zod";

const logInShape = z.object({
  host: z.string(),
  port: z.number(),
  database: z.string(),
  username: z.string(),
  password: z.string(),
});
type LogIn = z.output<typeof logInShape>;

/** Parses the log-in that a seeded target publishes. The error never repeats the value. */
export function parsePublished(name: string, value: string): LogIn {
  try {
    return logInShape.parse(JSON.parse(value));
  } catch {
    throw new Error(`Secret ${name} does not contain a PostgreSQL log-in.`);
  }
}

/** SQLSTATEs for "wrong password" and "this account may not log in". */
const refusals = ["28P01", "28000"];

/**
 * Logs in as an application would, verifies the server's certificate, and runs one query. Throws when the server gives no
 * verdict; the error contains no password.
 */
export async function logsIn(
  { username: user, ...where }: LogIn,
  ca: string,
): Promise<"accepted" | "refused"> {
  const client = new Client({
    ...where,
    user,
    ssl: { ca, rejectUnauthorized: true },
    connectionTimeoutMillis: 10_000,
  });
  client.on("error", () => undefined);
  const code = await client
    .connect()
    .then(() => client.query("SELECT count(*) FROM item"))
    .then(() => undefined, readErrorCode);
  await client.end().catch(() => undefined);
  if (code === undefined) return "accepted";
  if (refusals.includes(code)) return "refused";
  throw new Error(
    `PostgreSQL neither accepted nor refused the log-in (error ${code || "unknown"}).`,
  );
}

const readErrorCode = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";
