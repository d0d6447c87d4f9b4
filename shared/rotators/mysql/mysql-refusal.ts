import { z } from "zod";
import { ChangeRefusedError, OutcomeUnknownError } from "../../core/errors.ts";
import {
  type Failure,
  lackOfRight,
  noSuchAccount,
  rulesReject,
  toChangeError,
} from "./mysql-errors.ts";
import { readPasswordPlugins } from "./mysql-findings.ts";
import { describeRules } from "./mysql-rules.ts";
import type { CallContext, Session } from "./mysql-session.ts";

/** The error for a statement that failed. It names the missing right or the rule. `hosts`: those that the statement named. */
export async function explainRefusal(
  { session, server, call, where }: CallContext,
  hosts: readonly string[],
  failure: Failure,
): Promise<Error> {
  let { errno } = failure;
  if (server.isMariadb && noSuchAccount.has(errno)) {
    const causes = await readCauses(session);
    if (causes.length < hosts.length && hosts.length > 1) {
      return new OutcomeUnknownError(
        `${where}, error ${String(errno)}: the server changed only some of the account's hosts (${hosts.join(", ")})`,
      );
    }
    errno = causes[0] ?? errno;
  }
  if (errno === undefined) return toChangeError(failure, where);
  if (lackOfRight.has(errno)) {
    return new ChangeRefusedError(
      `${where}, error ${errno}: Account \`${call.account}\` cannot be changed: \`${server.loggedInAs.account}\` lacks the right to change it. ` +
        "Grant it CREATE USER, and SYSTEM_USER if the account has SYSTEM_USER.",
    );
  }
  const error = toChangeError({ errno }, where);
  if (errno !== rulesReject) return error;
  const plugins = server.isMariadb ? await ifAnswered(readPasswordPlugins(session)) : [];
  const rules = describeRules(server.variables, plugins);
  return rules === "" ? error : new ChangeRefusedError(`${error.message}. Its rules: ${rules}`);
}

const warningRows = z.array(z.object({ Level: z.string(), Code: z.coerce.number() }));

/**
 * MariaDB reports every refusal as an account that it failed to change, and the reason as another error before, one for each account.
 * Empty if the server does not say.
 */
async function readCauses(session: Session): Promise<readonly number[]> {
  const rows = warningRows.parse(await ifAnswered(session.query("SHOW WARNINGS")));
  return rows.flatMap(({ Level, Code }) =>
    Level === "Error" && !noSuchAccount.has(Code) ? [Code] : [],
  );
}

/** The statement has failed, whatever happens to a question about it. */
async function ifAnswered<Item>(answer: Promise<readonly Item[]>): Promise<readonly Item[]> {
  return answer.catch(() => []);
}
