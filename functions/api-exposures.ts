import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";
import type { Operations, Seen } from "../shared/app.ts";
import { readObject } from "./http/body.ts";
import { readMoment, readText, refuseUnknown } from "./http/fields.ts";
import { handle, Refusal } from "./http/handle.ts";
import { noSuchTarget, targetId } from "./http/parameters.ts";
import { answer } from "./http/problem.ts";

const kinds = ["exposure", "breach"] as const;
const fields = ["by", "at", "from", "version", "kind"];

/** Somebody saw the secret: 202, and when it will be changed for that. */
async function reportExposure(
  request: HttpRequest,
  operations: Operations,
): Promise<HttpResponseInit> {
  const id = targetId(request);
  const exposed = await operations.expose(id, readSeen(await readObject(request)));
  if (!exposed) throw noSuchTarget(id);
  return answer(202, { target: id, ...exposed });
}

function readSeen(body: Record<string, unknown>): Seen {
  refuseUnknown(body, fields);
  const { by, at, from, version, kind = "exposure" } = body;
  const known = kinds.find((one) => one === kind);
  if (!known) throw new Refusal(400, `kind must be one of ${kinds.join(" and ")}.`);
  return {
    by: readText("by", "who saw the secret", by),
    kind: known,
    ...(at !== undefined && { at: readMoment(at) }),
    ...(from !== undefined && { from: readText("from", "where it was seen", from) }),
    ...(version !== undefined && { version: readVersion(version) }),
  };
}

function readVersion(value: unknown): string {
  if (typeof value === "string" && /^\w{1,64}$/.test(value)) return value;
  throw new Refusal(400, "version must be the id of a version of the secret.");
}

app.http("api-exposures", {
  methods: ["POST"],
  authLevel: "function",
  route: "targets/{target}/exposures",
  handler: handle(reportExposure),
});
