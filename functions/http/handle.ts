import type {
  HttpHandler,
  HttpRequest,
  HttpResponseInit,
  InvocationContext,
} from "@azure/functions";
import {
  isBusy,
  isConfigError,
  isKeyReused,
  isUnavailable,
  type Operations,
  unreadableRow,
} from "../../shared/app.ts";
import { operationsFor } from "../invocation/operations.ts";
import { problem } from "./problem.ts";
import { checkQuery } from "./query.ts";
import { Refusal } from "./refusal.ts";

export type Answerer = (request: HttpRequest, operations: Operations) => Promise<HttpResponseInit>;

/** A write whose answer was lost may have been carried out, so this must not say that it was not. */
const unavailable =
  "The journal cannot be reached at the moment. Try again; with the same Idempotency-Key nothing happens twice.";

/** The write that lost every race changed nothing. */
const busy =
  "Many requests are writing this target at once, and this one was not recorded. Try again.";

/** An HTTP handler that answers refusals and a store that is down in plain words. `parameters`: of the query. */
export function handle(parameters: readonly string[], answer: Answerer): HttpHandler {
  return async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    try {
      checkQuery(request, parameters);
      return await answer(request, await operationsFor(context));
    } catch (error) {
      if (error instanceof Refusal) return problem(error.status, error.message);
      if (isConfigError(error)) return problem(400, `${error.message}.`);
      if (isKeyReused(error)) return problem(422, `${error.message}.`);
      const unreadable = unreadableRow(error);
      if (unreadable !== undefined) return problem(503, unreadable, { "retry-after": "60" });
      if (isBusy(error)) return problem(409, busy, { "retry-after": "1" });
      if (!isUnavailable(error)) throw error;
      context.warn(error.message);
      return problem(503, unavailable, { "retry-after": "10" });
    }
  };
}
