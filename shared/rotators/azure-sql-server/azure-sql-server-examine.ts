import { ChangeRefusedError, TargetUnavailableError } from "../../core/errors.ts";
import type { Examination, Examine, Right } from "../rotator.ts";
import { fetchServer, readServer, type ResourceManagerAccess } from "./azure-sql-server-arm.ts";
import { findMissingRight } from "./azure-sql-server-errors.ts";
import type { AzureSqlServerOptions } from "./azure-sql-server-options.ts";
import { isPermitted } from "./azure-sql-server-permissions.ts";

const write = "Microsoft.Sql/servers/write";

/** Queries Azure with the identity of the app. It does not log in to the server, which would answer only the account itself. */
export async function examineServer(
  access: ResourceManagerAccess,
  { options, account, isProven }: Examine<AzureSqlServerOptions>,
  signal: AbortSignal,
): Promise<Examination> {
  const server = fetchServer(options);
  const missing = (why: string): Right => ({ is: "missing", why });
  const found = await readServer(access, options, account, signal).catch((error: unknown) => {
    // An identity without the right to read cannot change either: that is a missing right, not a failed query.
    if (error instanceof ChangeRefusedError) return error;
    throw error;
  });
  if (found instanceof ChangeRefusedError) return { obstacles: [], right: missing(found.message) };
  if (found.state !== undefined && found.state !== "Ready") {
    throw new TargetUnavailableError(
      `${server}: the server is not ready; its state is ${found.state}`,
    );
  }
  if (found.isEntraOnly) {
    const why =
      `Account \`${account}\` cannot log in with a password: ${server} accepts only Microsoft Entra log-ins. ` +
      "Switch Entra-only authentication off, or remove the target.";
    return { obstacles: isProven ? [] : [why], right: missing(why) };
  }
  if (found.administratorLogin !== account) {
    const who = found.administratorLogin ?? "nobody";
    const why = `Account \`${account}\` cannot be changed: the administrator of ${server} is \`${who}\`. Name that account in the target.`;
    return { obstacles: [], right: missing(why) };
  }
  const may = await isPermitted(access, options, write, signal);
  if (may === undefined) return { obstacles: [], right: { is: "likely" } };
  const right: Right = may ? { is: "proven" } : missing(findMissingRight(write, options, account));
  return { obstacles: [], right };
}
