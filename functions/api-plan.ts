import { app, type HttpRequest } from "@azure/functions";
import { instantOf, planFormats, type PlanWanted } from "../shared/app.ts";
import { handle, Refusal } from "./http/handle.ts";

/** Milliseconds; a year takes long enough. */
const longest = 366 * 24 * 60 * 60 * 1_000;

const types = {
  text: "text/plain; charset=utf-8",
  json: "application/json; charset=utf-8",
  ics: "text/calendar; charset=utf-8",
} as const;

function readWanted({ query }: HttpRequest): PlanWanted {
  const from = readMoment("from", query.get("from"));
  const to = readMoment("to", query.get("to"));
  const text = query.get("format") ?? "json";
  const format = planFormats.find((one) => one === text);
  if (!format) throw new Refusal(400, `format must be one of ${planFormats.join(", ")}.`);
  if (to !== undefined) {
    const length = Date.parse(to) - (from === undefined ? Date.now() : Date.parse(from));
    if (length <= 0)
      throw new Refusal(400, "to must lie after from, which is now if it is left out.");
    if (length > longest) throw new Refusal(400, "to must lie at most 366 days after from.");
  }
  return { format, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function readMoment(name: string, text: string | null): string | undefined {
  if (text === null) return undefined;
  const moment = instantOf(text);
  if (moment !== undefined) return moment;
  const examples = '"2026-12-20" or "2026-12-20T18:00:00Z"';
  throw new Refusal(400, `${name} must be a day or an instant such as ${examples}.`);
}

/** Every rotation to come: as JSON, as a text table, or as a calendar. */
app.http("api-plan", {
  methods: ["GET"],
  authLevel: "function",
  route: "plan",
  handler: handle(async (request, operations) => {
    const wanted = readWanted(request);
    return {
      status: 200,
      headers: { "content-type": types[wanted.format], "cache-control": "no-store" },
      body: await operations.plan(wanted),
    };
  }),
});
