import type { HttpRequest } from "@azure/functions";
import { isTargetId, type Operations } from "../../shared/app.ts";
import { describeCaller } from "./caller.ts";
import type { ProblemError } from "./problem.ts";
import { problemKinds } from "./problem-kinds.ts";
import type { Route } from "./routes.ts";

/**
 * Records a refused write in the ledger: who wanted what, and the kind of the problem. Nothing that the caller sent is repeated, except
 * the id of a target. The answer stays the same whatever happens here. Without operations the app could not open its configuration,
 * which the log says already.
 */
export async function recordRefusal(
  { action }: Route,
  { kind }: ProblemError,
  request: HttpRequest,
  operations: Operations | undefined,
): Promise<void> {
  const { status, title } = problemKinds[kind];
  if (!action || !operations || status >= 500) return;
  const { target } = request.params;
  try {
    await operations.noteRefusal({
      by: describeCaller(request),
      action,
      why: title,
      ...(target !== undefined && isTargetId(target) && { target }),
    });
  } catch {
    // The caller needs the answer more than the ledger needs the refusal.
  }
}
