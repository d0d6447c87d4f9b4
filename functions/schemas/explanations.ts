import { z } from "zod";
import { actionKinds, explainedStates, stepKinds } from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import { instant, list, rotationId, targetId, targetParams } from "./common.ts";

const state = z
  .enum(explainedStates)
  .describe(
    [
      "The state in one word.",
      "`new`: not adopted yet.",
      "`healthy`: nothing is due.",
      "`retiring`: healthy, and the superseded account of the pair still has its password.",
      "`due`: a rotation starts with the next sweep.",
      "`waiting`: something delays a rotation that is requested, due or open.",
      "`rotating`: a rotation continues now.",
      "`retrying`: a rotation waits for its next attempt.",
      "`stalled`: all attempts are used up, but the password may have changed, so the rotation stays open.",
      "`failing`: the last rotation, check or adoption failed, and Keyturn tries again.",
      "`blocked`: no stored password is known to work, and a person must act.",
      "`resting`: an error in Keyturn itself postpones all work. A pause by a person is no state; `summary` names it.",
      "`unreadable`: this version of Keyturn cannot read the journal row.",
    ].join(" "),
  );

const step = z
  .object({
    kind: z
      .enum(stepKinds)
      .describe(
        "The work of Keyturn: `adopt`, `join` (a request joins the open rotation), `start`, `resume` (of a rotation), `check` (of the published secret), `retire` (of a superseded account) or `notify`. `claim-ends`: a worker has released the target, or another one takes it. `person`: nothing until a person acts.",
      ),
    what: z.string(),
    at: instant
      .optional()
      .describe("When. Absent while a worker does it, and if no time is known."),
    why: z.string(),
  })
  .meta({ id: "NextStep" });

const action = z
  .object({
    kind: z
      .enum(actionKinds)
      .describe(
        "`fix`: remove the cause of the last failure. `request-rotation`: a request takes effect at once. `lift-freeze`: a request takes effect at once only if it lifts the freeze. `cancel-rotation`: a rotation is scheduled for a date. `end-pause`: the target is paused. `override-pause`: a request takes effect at once only if it has `force`. `wait`: Keyturn continues by itself.",
      ),
    do: z.string(),
    why: z.string(),
    rotation: rotationId.optional().describe("The scheduled rotation that can be cancelled."),
    command: z
      .string()
      .optional()
      .describe(
        "A shell command. `$KEYTURN` stands for the address of the app, and `$KEY` for a function key.",
      ),
  })
  .meta({ id: "Action" });

export const explainTarget = endpoint({
  group: "Targets",
  route: "api-explanation",
  summary: "Explain why a target is in its state, what happens next, and what you can do",
  description:
    "Computed from the journal and the configuration, without a call to the vault or the database. The texts are for people and may change; `state` and the kinds are for programs.",
  params: targetParams,
  answers: {
    200: {
      description: "The explanation.",
      content: {
        "application/json": z
          .object({
            target: targetId,
            state,
            summary: z.string().describe("What a person on duty reads first."),
            because: list(z.string()).describe(
              "The facts behind the state, the most important first: failures, holds, claims, requests, exposures.",
            ),
            next: list(step).describe(
              "What happens next, in order. The first step with a time is what Keyturn does at that time.",
            ),
            actions: list(action).describe("What a person can do now with an effect."),
          })
          .meta({ id: "Explanation" }),
      },
    },
  },
  problems: ["target-not-found"],
});
