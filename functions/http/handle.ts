import type {
  HttpHandler,
  HttpRequest,
  HttpResponseInit,
  InvocationContext,
} from "@azure/functions";
import {
  isKeyReused,
  isOurInput,
  isUnavailable,
  type Operations,
  unreadableRow,
} from "../../shared/app.ts";
import { operationsFor } from "../invocation/operations.ts";
import { problem } from "./problem.ts";

/** A request that is answered with a problem instead of what it asked for. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export type Answerer = (request: HttpRequest, operations: Operations) => Promise<HttpResponseInit>;

/** A write whose answer was lost may have been carried out, so this must not say that it was not. */
const unavailable =
  "The journal cannot be asked at the moment. Try again; with the same Idempotency-Key nothing happens twice.";

/** An HTTP handler that answers refusals and a store that is down in plain words. */
export function handle(answer: Answerer): HttpHandler {
  return async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    try {
      return await answer(request, await operationsFor(context));
    } catch (error) {
      if (error instanceof Refusal) return problem(error.status, error.message);
      if (isOurInput(error)) return problem(400, `${error.message}.`);
      if (isKeyReused(error)) return problem(422, `${error.message}.`);
      const unreadable = unreadableRow(error);
      if (unreadable !== undefined) return problem(503, unreadable, { "retry-after": "60" });
      if (!isUnavailable(error)) throw error;
      context.warn(error.message);
      return problem(503, unavailable, { "retry-after": "10" });
    }
  };
}
