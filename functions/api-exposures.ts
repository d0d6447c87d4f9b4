import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";
import { instantOf, type Operations, type Seen } from "../shared/app.ts";
import { readObject } from "./http/body.ts";
import { handle, Refusal } from "./http/handle.ts";
import { noSuchTarget, targetId } from "./http/parameters.ts";
import { answer } from "./http/problem.ts";

/** Milliseconds by which the clocks of a reporter may be ahead of ours. */
const clockSkew = 5 * 60 * 1_000;

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
  const unknown = Object.keys(body).filter((field) => !fields.includes(field));
  if (unknown.length > 0) {
    const names = unknown.join(", ").slice(0, 100);
    throw new Refusal(400, `The body may hold ${fields.join(", ")}, and not ${names}.`);
  }
  const { by, at, from, version, kind = "exposure" } = body;
  if (!isText(by))
    throw new Refusal(400, "by must say who saw the secret, in 1 to 200 characters.");
  if (from !== undefined && !isText(from)) {
    throw new Refusal(400, "from must say where it was seen, in 1 to 200 characters.");
  }
  if (version !== undefined && !(typeof version === "string" && /^\w{1,64}$/.test(version))) {
    throw new Refusal(400, "version must be the id of a version of the secret.");
  }
  const known = kinds.find((one) => one === kind);
  if (!known) throw new Refusal(400, `kind must be one of ${kinds.join(" and ")}.`);
  return {
    by,
    kind: known,
    ...(at !== undefined && { at: readMoment(at) }),
    ...(from !== undefined && { from }),
    ...(version !== undefined && { version }),
  };
}

function readMoment(at: unknown): string {
  const moment = typeof at === "string" ? instantOf(at) : undefined;
  if (moment === undefined) {
    throw new Refusal(400, 'at must be an instant such as "2026-12-20T18:00:00Z".');
  }
  if (Date.parse(moment) > Date.now() + clockSkew) {
    throw new Refusal(400, "at must not lie in the future.");
  }
  return moment;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && /^[^\p{Cc}]{1,200}$/u.test(value);
}

app.http("api-exposures", {
  methods: ["POST"],
  authLevel: "function",
  route: "targets/{target}/exposures",
  handler: handle(reportExposure),
});
