import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";
import {
  configProblems,
  editedConfig,
  instantOf,
  isTooCostly,
  limitOf,
  type Operations,
  planFormats,
  type PlanOptions,
} from "../shared/app.ts";
import { readText } from "./http/body.ts";
import { type Answerer, handle } from "./http/handle.ts";
import { problem } from "./http/problem.ts";
import { Refusal } from "./http/refusal.ts";

/** Milliseconds; a year takes long enough. */
const longest = 366 * 24 * 60 * 60 * 1_000;
/** Bytes of an edited configuration. */
const largest = 1024 * 1024;
const yaml = ["text/yaml", "application/yaml"];
const parameters = ["from", "to", "targets", "format", "per-server", "per-vault"];

const types = {
  text: "text/plain; charset=utf-8",
  json: "application/json; charset=utf-8",
  ics: "text/calendar; charset=utf-8",
} as const;

type Format = PlanOptions["format"];

function readWanted({ query }: HttpRequest, formats: readonly Format[]): PlanOptions {
  const from = readMoment("from", query.get("from"));
  const to = readMoment("to", query.get("to"));
  const text = query.get("format") ?? "json";
  const format = formats.find((one) => one === text);
  if (!format) throw new Refusal(400, `format must be one of ${formats.join(", ")}.`);
  if (to !== undefined) {
    const length = Date.parse(to) - (from === undefined ? Date.now() : Date.parse(from));
    if (length <= 0)
      throw new Refusal(400, "to must lie after from, which is now if it is left out.");
    if (length > longest) throw new Refusal(400, "to must lie at most 366 days after from.");
  }
  const targets = query.get("targets");
  // The host joins what a query has twice. No id has a comma.
  if (targets?.includes(",") === true) {
    throw new Refusal(400, "targets takes one pattern, and is given once.");
  }
  return {
    format,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(targets !== null && { targets }),
    limits: { ...readLimit("perServer", query), ...readLimit("perVault", query) },
  };
}

function readMoment(name: string, text: string | null): string | undefined {
  if (text === null) return undefined;
  const moment = instantOf(text);
  if (moment !== undefined) return moment;
  const examples = '"2026-12-20" or "2026-12-20T18:00:00Z"';
  throw new Refusal(400, `${name} must be a day or an instant such as ${examples}.`);
}

const limitNames = { perServer: "per-server", perVault: "per-vault" } as const;

function readLimit(
  field: keyof typeof limitNames,
  query: HttpRequest["query"],
): PlanOptions["limits"] {
  const name = limitNames[field];
  const text = query.get(name);
  if (text === null) return {};
  const limit = limitOf(text);
  if (limit) return { [field]: limit };
  throw new Refusal(400, `${name} must be a number and a time such as 10/10s.`);
}

function plan(format: Format, body: string): HttpResponseInit {
  const headers = { "content-type": types[format], "cache-control": "no-store" };
  return { status: 200, headers, body };
}

/** Plans that a process makes at the same time: each takes memory, and those of edits a thread. */
const [mostPlans, mostEdits] = [4, 2];
const retryAfter = { "retry-after": "5" };

/** Answers 503 while `most` others are being answered. */
function atMost(most: number, answer: Answerer): Answerer {
  let open = 0;
  return async (request, operations) => {
    if (open >= most) {
      const detail = `${most} plans are being made already. Try again in a few seconds.`;
      return problem(503, detail, retryAfter);
    }
    open++;
    try {
      return await answer(request, operations);
    } finally {
      open--;
    }
  };
}

/** What an edit would change: 200, or 422 with every problem of the edited configuration. Changes nothing. */
async function planEdit(request: HttpRequest, operations: Operations): Promise<HttpResponseInit> {
  const wanted = readWanted(request, ["text", "json"]);
  const text = await readText(request, yaml, largest);
  try {
    const edited = await editedConfig(text);
    return plan(wanted.format, await operations.planEdit(edited, wanted));
  } catch (error) {
    if (isTooCostly(error)) return problem(422, `${error.message}.`);
    const problems = configProblems(error);
    if (!problems) throw error;
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    return problem(422, `The configuration has ${count}.`, {}, { problems });
  }
}

/** Every rotation to come: as JSON, as a text table, or as a calendar. */
app.http("api-plan", {
  methods: ["GET"],
  authLevel: "function",
  route: "plan",
  handler: handle(
    parameters,
    atMost(mostPlans, async (request, operations) => {
      const wanted = readWanted(request, planFormats);
      return plan(wanted.format, await operations.plan(wanted));
    }),
  ),
});

/** The same set against what an edited keyturn.yaml, which is the body, would have happen. */
app.http("api-plan-edit", {
  methods: ["POST"],
  authLevel: "function",
  route: "plan",
  handler: handle(parameters, atMost(mostEdits, planEdit)),
});
