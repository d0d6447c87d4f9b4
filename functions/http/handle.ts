import type {
  HttpHandler,
  HttpRequest,
  HttpResponseInit,
  InvocationContext,
} from "@azure/functions";
import {
  findUnreadableRow,
  isBusy,
  isConfigError,
  isKeyReused,
  isUnavailable,
  type Operations,
} from "../../shared/app.ts";
import { openOperations } from "../invocation/invocation-operations.ts";
import { toProblemAnswer } from "./answers.ts";
import { checkQuery } from "./query.ts";
import { RequestError } from "./request-error.ts";

export type Answerer = (request: HttpRequest, operations: Operations) => Promise<HttpResponseInit>;

/** A write may have succeeded although its answer was lost, so this message must not say that it failed. */
const unavailable =
  "The journal is unavailable. Try again; a request repeated with the same `Idempotency-Key` takes effect only once.";

/** A write that lost every race changed nothing. */
const busy =
  "This request was not recorded, because many others are writing to the same target. Try again.";

/** Makes an HTTP handler that turns known errors into problem answers. `parameters` are the allowed query parameters. */
export function handle(parameters: readonly string[], answer: Answerer): HttpHandler {
  return async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    try {
      checkQuery(request, parameters);
      return await answer(request, await openOperations(context));
    } catch (error) {
      if (error instanceof RequestError) return toProblemAnswer(error.status, error.message);
      if (isConfigError(error)) return toProblemAnswer(400, `${error.message}.`);
      if (isKeyReused(error)) return toProblemAnswer(422, `${error.message}.`);
      const unreadable = findUnreadableRow(error);
      if (unreadable !== undefined)
        return toProblemAnswer(503, unreadable, { "retry-after": "60" });
      if (isBusy(error)) return toProblemAnswer(409, busy, { "retry-after": "1" });
      if (!isUnavailable(error)) throw error;
      context.warn(error.message);
      return toProblemAnswer(503, unavailable, { "retry-after": "10" });
    }
  };
}
