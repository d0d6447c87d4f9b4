import { inspect } from "node:util";
import { expect } from "vitest";

/** Every text that a log, a tracer or a person could read from an error and its causes. */
function everythingIn(error: unknown): string {
  const texts = [inspect(error, { showHidden: true, depth: 10, getters: true })];
  for (let each = error; each instanceof Error; each = each.cause) {
    texts.push(String(each), each.stack ?? "", JSON.stringify(each));
    texts.push(JSON.stringify(each, Object.getOwnPropertyNames(each)));
  }
  return texts.join("\n");
}

/** Fails without showing the secret if it is anywhere in the error, encoded ones included. */
export function expectNoTrace(error: unknown, secrets: readonly string[]): void {
  const text = everythingIn(error);
  const found = secrets.flatMap((secret, index) =>
    [
      secret,
      encodeURIComponent(secret.toWellFormed()),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString("base64"),
    ].some((form) => text.includes(form))
      ? [index]
      : [],
  );
  expect(found, "which of the secrets are in the error").toEqual([]);
}

/** The error with which the attempt must fail. */
export async function failure(attempt: Promise<unknown>): Promise<Error> {
  const outcome = await attempt.then(
    () => "no error",
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error("expected an error");
}
