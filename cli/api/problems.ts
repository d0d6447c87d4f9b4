import type { z } from "zod";
import type { problem } from "../../functions/schemas/problems.ts";
import { toPrintableLines } from "../../shared/app.ts";
import type { Connection } from "../connection/connection.ts";
import { type ExitCode, exitCodes, Failure } from "../exit-codes.ts";

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

type Problem = Pick<z.output<typeof problem>, "type" | "detail">;

/** Turns an answer that is not a success into a failure that says what to do next. */
export function explainAnswer(answer: RawAnswer, connection: Connection, path: string): Failure {
  const found = readProblem(answer);
  return found ? explainProblem(answer, found) : explainForeign(answer, connection, path);
}

function readProblem({ headers, text }: RawAnswer): Problem | undefined {
  if (!isType(headers, "application/problem+json")) return undefined;
  try {
    const content: unknown = JSON.parse(text);
    const type: unknown = Reflect.get(Object(content), "type");
    const detail: unknown = Reflect.get(Object(content), "detail");
    if (typeof detail !== "string") return undefined;
    // A newer app may have kinds that this command does not know, so the type is only compared.
    return { type: String(type), detail: toPrintableLines(detail) };
  } catch {
    return undefined;
  }
}

const codes: Readonly<Record<number, ExitCode>> = {
  404: exitCodes.notFound,
  409: exitCodes.failed,
  429: exitCodes.unreachable,
  503: exitCodes.unreachable,
};

function explainProblem({ status, headers }: RawAnswer, { type, detail }: Problem): Failure {
  const usual = status >= 500 ? exitCodes.failed : exitCodes.usage;
  const isTransient = status === 409 || status === 429 || status === 503;
  const message = [detail, adviceFor(type, headers)].filter((one) => one !== "").join(" ");
  return new Failure(message, codes[status] ?? usual, { isTransient });
}

function adviceFor(type: string, headers: Headers): string {
  if (type.endsWith(":target-not-found")) return "`keyturn targets` lists the targets.";
  if (type.endsWith(":rotation-not-found")) return "`keyturn history` lists the rotations.";
  if (type.endsWith(":freeze-not-found")) return "`keyturn freezes` lists the freezes.";
  if (type.endsWith(":breach-not-found")) return "`keyturn breaches` lists the breaches.";
  const seconds = readRetryAfter(headers);
  return seconds === undefined ? "" : `The app suggests to try again in ${seconds} s.`;
}

/** Seconds from `Retry-After`. Undefined when the header is absent or is a date. */
export function readRetryAfter(headers: Headers): number | undefined {
  const written = headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(written) ? Number(written) : undefined;
}

function explainForeign(answer: RawAnswer, connection: Connection, path: string): Failure {
  const { host, credential, advice } = connection;
  const { status, headers } = answer;
  const fail = (message: string, isTransient = false) =>
    new Failure(message, exitCodes.unreachable, { isTransient });
  if (status === 401 || status === 403) {
    return fail(`The app at ${host} rejected ${credential} (${status}). ${advice}`);
  }
  if (status >= 300 && status < 400) {
    return fail(
      `${host} redirects to ${redirectHost(headers)} (${status}). Name that address with --app, or sign in with --entra if it is a log-in page.`,
    );
  }
  if (status === 404) {
    return fail(
      `${host} does not have ${path} (404). Check the address of the app: it ends before /api. If the address is right, the app is older than this command; deploy the same version.`,
    );
  }
  if (status === 429 || status === 502 || status === 503 || status === 504) {
    return fail(
      `${host} is busy or is starting (${status}). Try again in a minute. If it goes on, check that the app runs, and the gateway or proxy before it.`,
      true,
    );
  }
  if (status >= 500) {
    return new Failure(
      `The app at ${host} failed (${status}). Its log has the error.`,
      exitCodes.failed,
    );
  }
  return fail(notKeyturn(host, answer));
}

/** The answer is not one of Keyturn's API. */
export function notKeyturn(host: string, { headers, status }: RawAnswer): string {
  const what = isType(headers, "text/html") ? "a web page" : "something that is not JSON";
  return `${host} answered with ${what} (${status}). It is not a Keyturn app, or a proxy or a log-in page answered instead. Check the address in --app or KEYTURN_APP.`;
}

/** Only the host: a path or a query of a log-in page may contain a token. */
function redirectHost(headers: Headers): string {
  const location = URL.parse(headers.get("location") ?? "");
  return location ? toPrintableLines(location.host) : "another page";
}

export function isType(headers: Headers, type: string): boolean {
  return headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() === type;
}
