import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";
import type { ExposureInput, Operations } from "../shared/app.ts";
import { toAnswer } from "./http/answers.ts";
import { readObject } from "./http/body.ts";
import { handle } from "./http/handle.ts";
import { answerNoSuchTarget, readTargetId } from "./http/parameters.ts";
import { RequestError } from "./http/request-error.ts";
import { readChoice, readMoment, readText } from "./http/request-fields.ts";

const kinds = ["exposure", "breach"] as const;
const fields = ["by", "at", "from", "version", "kind"];

/** Records that somebody saw the secret. Answers 202 with whether and when Keyturn rotates the secret because of it. */
async function reportExposure(
  request: HttpRequest,
  operations: Operations,
): Promise<HttpResponseInit> {
  const id = readTargetId(request);
  const outcome = await operations.expose(id, readExposure(await readObject(request, fields)));
  if (!outcome) throw answerNoSuchTarget(id);
  const { rotationId, ...rest } = outcome;
  return toAnswer(202, {
    target: id,
    ...rest,
    ...(rotationId !== undefined && { rotation: rotationId }),
  });
}

function readExposure(body: Record<string, unknown>): ExposureInput {
  const { by, at, from, version, kind } = body;
  return {
    by: readText("by", "the name of the person or system that saw the secret", by),
    kind: readChoice("kind", kinds, kind),
    ...(at !== undefined && { at: readMoment(at) }),
    ...(from !== undefined && {
      from: readText("from", "the place where the secret was seen", from),
    }),
    ...(version !== undefined && { version: readVersion(version) }),
  };
}

function readVersion(value: unknown): string {
  if (typeof value === "string" && /^\w{1,64}$/.test(value)) return value;
  throw new RequestError(400, "`version` must be the id of a version of the secret.");
}

app.http("api-exposures", {
  methods: ["POST"],
  authLevel: "function",
  route: "targets/{target}/exposures",
  handler: handle([], reportExposure),
});
