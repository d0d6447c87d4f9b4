import type { HttpRequest, InvocationContext } from "@azure/functions";
import { isTargetId } from "../../shared/app.ts";
import { openOperations } from "../invocation/invocation-operations.ts";
import { describeCaller } from "./caller.ts";
import type { ProblemError } from "./problem.ts";
import { problemKinds } from "./problem-kinds.ts";
import type { Route } from "./routes.ts";

/**
 * Records a refused write in the ledger: who wanted what, and the kind of the problem. Nothing that the caller sent is repeated, except
 * the id of a target. The answer stays the same whatever happens here.
 */
export async function recordRefusal(
  { action }: Route,
  { kind }: ProblemError,
  request: HttpRequest,
  context: InvocationContext,
): Promise<void> {
  const { status, title } = problemKinds[kind];
  if (!action || status >= 500) return;
  const { target } = request.params;
  try {
    const operations = await openOperations(context);
    await operations.noteRefusal({
      by: describeCaller(request),
      action,
      why: title,
      ...(target !== undefined && isTargetId(target) && { target }),
    });
  } catch {
    // The app cannot open its configuration, which the log says already.
  }
}
