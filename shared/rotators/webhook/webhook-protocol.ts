import { z } from "zod";

/**
 * The protocol between Keyturn and an endpoint that somebody else writes. docs/rotators/webhook-openapi.json is generated from these
 * schemas. A change that an existing endpoint would notice needs a new version.
 */
export const protocolVersion = 1;

const common = z.looseObject({
  version: z.literal(protocolVersion).describe("Version of the protocol."),
  request: z
    .uuid()
    .describe("New for every request, also for a repeated one. Refuse an id that you have seen."),
  target: z.string().exactOptional().describe("The id of the target in Keyturn's configuration."),
  rotation: z
    .string()
    .exactOptional()
    .describe(
      "The id of the rotation. A repeated call of one rotation has the same id. Absent outside of a rotation.",
    ),
  account: z.string().describe("The account that the operation concerns."),
});

const secret = z.string().describe("The secret, in clear text. Never log it.");

export const requests = {
  examine: common.extend({ operation: z.literal("examine") }).meta({
    id: "ExamineRequest",
    description: "May you change this account, and can it log in? Change nothing.",
  }),
  apply: common.extend({ operation: z.literal("apply"), secret }).meta({
    id: "ApplyRequest",
    description: "Set this secret. Safe to repeat: the same secret again is a success.",
  }),
  verify: common.extend({ operation: z.literal("verify"), secret }).meta({
    id: "VerifyRequest",
    description: "Log in to the system with this secret, as a consumer would. Change nothing.",
  }),
  hasSessions: common.extend({ operation: z.literal("hasSessions") }).meta({
    id: "HasSessionsRequest",
    description: "Is anybody logged in as this account? When in doubt: yes. Change nothing.",
  }),
  retire: common.extend({ operation: z.literal("retire") }).meta({
    id: "RetireRequest",
    description:
      "Make every secret of the account useless, without deleting the account. Safe to repeat.",
  }),
} as const;

export const requestSchema = z.discriminatedUnion("operation", [
  requests.examine,
  requests.apply,
  requests.verify,
  requests.hasSessions,
  requests.retire,
]);

export type Operation = keyof typeof requests;

const message = z
  .string()
  .describe("A sentence for the person who must act. It is logged: put no secret into it.");
const sentences = z.array(z.string());

/** Answers with status 200. Unknown fields are ignored, so that an endpoint may add its own. */
const ok = z
  .looseObject({
    answer: z.literal("ok"),
    obstacles: sentences
      .exactOptional()
      .describe(
        "Answer to `examine`: what keeps the account from logging in, whatever its secret, such as a lock.",
      ),
    warnings: sentences
      .exactOptional()
      .describe("Answer to `examine`: what may surprise consumers after the change."),
  })
  .meta({
    id: "Ok",
    description: "To `examine`: you may change the account. To `apply` and `retire`: it is done.",
  });
const accepted = z
  .looseObject({ answer: z.literal("accepted") })
  .meta({ id: "Accepted", description: "To `verify`: the system accepted the secret." });
const rejected = z.looseObject({ answer: z.literal("rejected") }).meta({
  id: "Rejected",
  description: "To `verify`: the system answered, and refused the secret, or has no such account.",
});
const yes = z
  .looseObject({ answer: z.literal("yes") })
  .meta({ id: "Yes", description: "To `hasSessions`: somebody is logged in, or you cannot tell." });
const no = z
  .looseObject({ answer: z.literal("no") })
  .meta({ id: "No", description: "To `hasSessions`: nobody is logged in." });
const refused = z.looseObject({ answer: z.literal("refused"), message }).meta({
  id: "Refused",
  description: "The system, or you, refuse the operation, and nothing was changed.",
});
const unavailable = z
  .looseObject({ answer: z.literal("unavailable"), message: message.exactOptional() })
  .meta({
    id: "Unavailable",
    description:
      "You could not reach the system, or cannot tell because the account is locked. Nothing was changed.",
  });
const unknown = z
  .looseObject({ answer: z.literal("unknown"), message: message.exactOptional() })
  .meta({
    id: "Unknown",
    description: "You sent the change to the system and do not know its result.",
  });

/** The answer with status 401. */
export const unauthorized = z.looseObject({ answer: z.literal("unauthorized") }).meta({
  id: "Unauthorized",
  description:
    "The signature or its time is wrong, or the request id is not new. Nothing was done.",
});

/** What an endpoint may answer to each operation with status 200. */
export const answers = {
  examine: z
    .discriminatedUnion("answer", [ok, refused, unavailable])
    .meta({ id: "AnswerToExamine" }),
  apply: z
    .discriminatedUnion("answer", [ok, refused, unavailable, unknown])
    .meta({ id: "AnswerToApply" }),
  verify: z
    .discriminatedUnion("answer", [accepted, rejected, unavailable])
    .meta({ id: "AnswerToVerify" }),
  hasSessions: z
    .discriminatedUnion("answer", [yes, no, refused, unavailable])
    .meta({ id: "AnswerToHasSessions" }),
  retire: z
    .discriminatedUnion("answer", [ok, refused, unavailable, unknown])
    .meta({ id: "AnswerToRetire" }),
} as const satisfies Record<Operation, z.ZodType>;

export type Answer = z.output<(typeof answers)[Operation]> | z.output<typeof unauthorized>;
