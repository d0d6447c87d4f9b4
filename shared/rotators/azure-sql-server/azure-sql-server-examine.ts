import { ChangeRefusedError, TargetUnavailableError } from "../../core/errors.ts";
import type { Examination, Examine, Right } from "../rotator.ts";
import { fetchServer, readServer, type ResourceManagerAccess } from "./azure-sql-server-arm.ts";
import { findMissingRight } from "./azure-sql-server-errors.ts";
import type { AzureSqlServerOptions } from "./azure-sql-server-options.ts";
import { isPermitted } from "./azure-sql-server-permissions.ts";

const write = "Microsoft.Sql/servers/write";

/** Asks Azure with our identity. Nobody logs in to the server, which tells nothing to others than the account. */
export async function examineServer(
  access: ResourceManagerAccess,
  { options, account, isProven }: Examine<AzureSqlServerOptions>,
  signal: AbortSignal,
): Promise<Examination> {
  const server = fetchServer(options);
  const missing = (why: string): Right => ({ is: "missing", why });
  const found = await readServer(access, options, account, signal).catch((error: unknown) => {
    // Who may not look may not change either: that is a missing right, and no failure to ask.
    if (error instanceof ChangeRefusedError) return error;
    throw error;
  });
  if (found instanceof ChangeRefusedError) return { obstacles: [], right: missing(found.message) };
  if (found.state !== undefined && found.state !== "Ready") {
    throw new TargetUnavailableError(`${server}: it is not ready, its state is ${found.state}`);
  }
  if (found.isEntraOnly) {
    const why =
      `Account \`${account}\` can't log in with a password: ${server} takes only Microsoft Entra log-ins. ` +
      "Switch Entra-only authentication off, or remove the target.";
    return { obstacles: isProven ? [] : [why], right: missing(why) };
  }
  if (found.administratorLogin !== account) {
    const who = found.administratorLogin ?? "nobody";
    const why = `Account \`${account}\` can't be changed: the administrator of ${server} is \`${who}\`. Name that account in the target.`;
    return { obstacles: [], right: missing(why) };
  }
  const may = await isPermitted(access, options, write, signal);
  if (may === undefined) return { obstacles: [], right: { is: "likely" } };
  const right: Right = may ? { is: "proven" } : missing(findMissingRight(write, options, account));
  return { obstacles: [], right };
}
