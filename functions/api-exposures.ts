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
  refuseUnknown(body);
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

function refuseUnknown(body: Record<string, unknown>): void {
  const unknown = Object.keys(body).filter((field) => !fields.includes(field));
  if (unknown.length === 0) return;
  const names = unknown.join(", ").slice(0, 100);
  throw new Refusal(400, `The body may hold ${fields.join(", ")}, and not ${names}.`);
}

function readText(field: string, what: string, value: unknown): string {
  if (typeof value === "string" && /^[^\p{Cc}]{1,200}$/u.test(value)) return value;
  throw new Refusal(400, `${field} must say ${what}, in 1 to 200 characters.`);
}

function readVersion(value: unknown): string {
  if (typeof value === "string" && /^\w{1,64}$/.test(value)) return value;
  throw new Refusal(400, "version must be the id of a version of the secret.");
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

app.http("api-exposures", {
  methods: ["POST"],
  authLevel: "function",
  route: "targets/{target}/exposures",
  handler: handle(reportExposure),
});
