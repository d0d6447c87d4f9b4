import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";
import type { Operations, UseInput } from "../shared/app.ts";
import { toAnswer } from "./http/answers.ts";
import { readObject } from "./http/body.ts";
import { handle } from "./http/handle.ts";
import { answerNoSuchTarget, readTargetId } from "./http/parameters.ts";
import { readMoment, readText } from "./http/request-fields.ts";

/** Records that somebody used the secret. Answers 202 with the last known use and when Keyturn rotates the secret. */
async function reportUse(request: HttpRequest, operations: Operations): Promise<HttpResponseInit> {
  const id = readTargetId(request);
  const known = await operations.recordUse(id, readUse(await readObject(request, ["at", "by"])));
  if (!known) throw answerNoSuchTarget(id);
  return toAnswer(202, { target: id, ...known });
}

function readUse({ at, by }: Record<string, unknown>): UseInput {
  return {
    ...(at !== undefined && { at: readMoment(at) }),
    ...(by !== undefined && {
      by: readText("by", "the name of the person or system that used the secret", by),
    }),
  };
}

app.http("api-uses", {
  methods: ["POST"],
  authLevel: "function",
  route: "targets/{target}/uses",
  handler: handle([], reportUse),
});
