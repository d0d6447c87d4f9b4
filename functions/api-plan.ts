import type { z } from "zod";
import { editedConfig, isTooCostly, listConfigProblems, type PlanOptions } from "../shared/app.ts";
import { ProblemError } from "./http/problem.ts";
import { replyText, serve } from "./http/serve.ts";
import { withoutUndefined } from "./http/without-undefined.ts";
import type { getPlan, planEdit } from "./schemas/plans.ts";

const schemas = () => import("./schemas/plans.ts");

const types = {
  text: "text/plain; charset=utf-8",
  json: "application/json; charset=utf-8",
  ics: "text/calendar; charset=utf-8",
} as const;

type Query = z.output<(typeof getPlan)["query"] | (typeof planEdit)["query"]>;

function toOptions(query: Query): PlanOptions {
  const { format, from, to, targets, "per-server": perServer, "per-vault": perVault } = query;
  return {
    ...withoutUndefined({ format, from, to, targets }),
    limits: withoutUndefined({ perServer, perVault }),
  };
}

/** Plans that one process computes at the same time. Each needs memory; a plan of an edit also needs a thread. */
const [maxPlans, maxEdits] = [4, 2];

/** Answers 503 while `max` other requests are being answered. */
function limitConcurrency<Given, Result>(
  max: number,
  answer: (given: Given) => Promise<Result>,
): (given: Given) => Promise<Result> {
  let open = 0;
  return async (given) => {
    if (open >= max) {
      const detail = `The app is computing ${max} plans already, which is the limit. Try again in a few seconds.`;
      throw new ProblemError("too-many-plans", detail, { headers: { "retry-after": "5" } });
    }
    open++;
    try {
      return await answer(given);
    } finally {
      open--;
    }
  };
}

serve(
  "api-plan",
  async () => (await schemas()).getPlan,
  limitConcurrency(maxPlans, async ({ query, operations }) => {
    const options = toOptions(query);
    return replyText(200, await operations.plan(options), types[options.format]);
  }),
);

/** 422 lists every problem of the edited configuration. */
serve(
  "api-plan-edit",
  async () => (await schemas()).planEdit,
  limitConcurrency(maxEdits, async ({ query, body, operations }) => {
    const options = toOptions(query);
    try {
      const edited = await editedConfig(body);
      const text = await operations.planEdit(edited, options);
      return replyText(200, text, types[options.format]);
    } catch (error) {
      if (isTooCostly(error)) {
        throw new ProblemError("configuration-too-costly", `${error.message}.`);
      }
      const problems = listConfigProblems(error);
      if (!problems) throw error;
      const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
      throw new ProblemError("invalid-configuration", `The configuration has ${count}.`, {
        more: { problems },
      });
    }
  }),
);
