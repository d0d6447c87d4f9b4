import type { Situation } from "./situation.ts";

/** The command that sends a request about the target, with a body of JSON or none. */
export function post({ target }: Pick<Situation, "target">, what: string, body?: string): string {
  const json = body === undefined ? "" : ` -H 'content-type: application/json' -d '${body}'`;
  return `curl -X POST -H "x-functions-key: $KEY"${json} $KEYTURN/api/targets/${target.id}/${what}`;
}
