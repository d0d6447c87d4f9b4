import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";
import {
  editedConfig,
  instantOf,
  isTooCostly,
  limitOf,
  listConfigProblems,
  type Operations,
  planFormats,
  type PlanOptions,
} from "../shared/app.ts";
import { toProblemAnswer } from "./http/answers.ts";
import { readText } from "./http/body.ts";
import { type Answerer, handle } from "./http/handle.ts";
import { RequestError } from "./http/request-error.ts";

/** Milliseconds. Longer periods take too long to compute. */
const maxPeriodMs = 366 * 24 * 60 * 60 * 1_000;
/** Bytes of an edited configuration. */
const maxConfigBytes = 1024 * 1024;
const yaml = ["text/yaml", "application/yaml"];
const parameters = ["from", "to", "targets", "format", "per-server", "per-vault"];

const types = {
  text: "text/plain; charset=utf-8",
  json: "application/json; charset=utf-8",
  ics: "text/calendar; charset=utf-8",
} as const;

type Format = PlanOptions["format"];

function readOptions({ query }: HttpRequest, formats: readonly Format[]): PlanOptions {
  const from = readMoment("from", query.get("from"));
  const to = readMoment("to", query.get("to"));
  const text = query.get("format") ?? "json";
  const format = formats.find((one) => one === text);
  if (!format) throw new RequestError(400, `\`format\` must be one of ${formats.join(", ")}.`);
  if (to !== undefined) {
    const length = Date.parse(to) - (from === undefined ? Date.now() : Date.parse(from));
    if (length <= 0) throw new RequestError(400, "`to` must be later than `from` (default: now).");
    if (length > maxPeriodMs) {
      throw new RequestError(400, "`to` must be at most 366 days after `from`.");
    }
  }
  const targets = query.get("targets");
  // The host joins repeated query parameters with a comma, which no target id contains.
  if (targets?.includes(",") === true) {
    throw new RequestError(400, "`targets` must be a single pattern. Give it once.");
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
  throw new RequestError(400, `\`${name}\` must be a date or time such as ${examples}.`);
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
  throw new RequestError(400, `\`${name}\` must be a number and a duration such as 10/10s.`);
}

function plan(format: Format, body: string): HttpResponseInit {
  const headers = { "content-type": types[format], "cache-control": "no-store" };
  return { status: 200, headers, body };
}

/** Plans that one process computes at the same time. Each needs memory; a plan of an edit also needs a thread. */
const [maxPlans, maxEdits] = [4, 2];
const retryAfter = { "retry-after": "5" };

/** Answers 503 while `max` other requests are being answered. */
function limitConcurrency(max: number, answer: Answerer): Answerer {
  let open = 0;
  return async (request, operations) => {
    if (open >= max) {
      const detail = `The app is computing ${max} plans already, which is the limit. Try again in a few seconds.`;
      return toProblemAnswer(503, detail, retryAfter);
    }
    open++;
    try {
      return await answer(request, operations);
    } finally {
      open--;
    }
  };
}

/**
 * Answers what an edit of the configuration would change: 200, or 422 with every problem of the edited configuration.
 * Changes nothing.
 */
async function planEdit(request: HttpRequest, operations: Operations): Promise<HttpResponseInit> {
  const options = readOptions(request, ["text", "json"]);
  const text = await readText(request, yaml, maxConfigBytes);
  try {
    const edited = await editedConfig(text);
    return plan(options.format, await operations.planEdit(edited, options));
  } catch (error) {
    if (isTooCostly(error)) return toProblemAnswer(422, `${error.message}.`);
    const problems = listConfigProblems(error);
    if (!problems) throw error;
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    return toProblemAnswer(422, `The configuration has ${count}.`, {}, { problems });
  }
}

/** Lists the rotations to come as JSON, as a text table, or as a calendar. */
app.http("api-plan", {
  methods: ["GET"],
  authLevel: "function",
  route: "plan",
  handler: handle(
    parameters,
    limitConcurrency(maxPlans, async (request, operations) => {
      const options = readOptions(request, planFormats);
      return plan(options.format, await operations.plan(options));
    }),
  ),
});

/** Compares the current plan with the plan of the edited keyturn.yaml in the body. */
app.http("api-plan-edit", {
  methods: ["POST"],
  authLevel: "function",
  route: "plan",
  handler: handle(parameters, limitConcurrency(maxEdits, planEdit)),
});
