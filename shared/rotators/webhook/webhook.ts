import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import { guarded } from "../guarded.ts";
import type { Check, Examination, Examine, Rotator, Using } from "../rotator.ts";
import { toSafeSentences } from "./webhook-answers.ts";
import {
  ask,
  type Asking,
  describe,
  listSecrets,
  type Question,
  requireAdmin,
} from "./webhook-ask.ts";
import {
  findEndpoint,
  findPropagation,
  findRealm,
  findUnsupported,
  type Supported,
  type WebhookOptions,
  webhookOptions,
} from "./webhook-options.ts";

export type { WebhookOptions };

const refusedKey =
  "the endpoint refused the signature. Store the key of the endpoint in the admin secret of the target, and check the clock of the endpoint";

/**
 * A system behind an HTTPS endpoint that somebody else writes, which speaks the protocol in docs/rotators/webhook.md. The admin's secret
 * signs every request and is never sent. `now` is for tests.
 */
export function makeWebhook(now: () => Date = () => new Date()): Rotator<WebhookOptions> {
  /** Asks with the authority of `using`. Throws AuthorityRefusedError if the endpoint refuses its signature. */
  async function askAs(
    asking: Asking,
    using: Using,
    about: Omit<Question, "admin">,
    signal: AbortSignal,
  ) {
    const question = { ...about, admin: requireAdmin(using) };
    const answer = await ask(asking, question, now(), signal);
    if (answer.answer !== "unauthorized") return answer;
    throw new AuthorityRefusedError(`${describe(asking, question)}: ${refusedKey}`);
  }

  return guarded<WebhookOptions>({
    type: "webhook",
    options: webhookOptions,
    capabilities: {
      ...{ selfService: false, admin: true, identity: false, propagation: 0 },
      verifiesWithAdmin: true,
    },
    endpoint: findEndpoint,
    accountRealm: findRealm,
    findPropagation,
    findUnfitAccount: findUnfitName,
    findSessionsFault: (options) => findUnsupported(options, "hasSessions"),
    findRetireFault: (options) => findUnsupported(options, "retire"),

    async apply({ next, using, ...asking }, signal) {
      const { account, secret } = next;
      await askAs(asking, using, { operation: "apply", account, secret }, signal);
      return { credential: next };
    },

    verify: (check, signal) => logsIn(check, now(), signal),

    examine: (examine, signal) => examineAccount(examine, now(), signal),

    async hasSessions({ account, using, ...asking }, signal) {
      requireSupported(asking.options, "hasSessions");
      const question = { operation: "hasSessions", account } as const;
      const { answer } = await askAs(asking, using, question, signal);
      return answer !== "no";
    },

    async retire({ account, using, ...asking }, signal) {
      requireSupported(asking.options, "retire");
      await askAs(asking, using, { operation: "retire", account }, signal);
    },
  });
}

/** Whether the endpoint accepts the secret of the account, or the signature of the admin. */
async function logsIn(
  { credential, as, admin, ...asking }: Check<WebhookOptions>,
  now: Date,
  signal: AbortSignal,
): Promise<"accepted" | "rejected"> {
  if (as === "admin") return isKey(asking, credential, now, signal);
  const { account, secret } = credential;
  if (!admin) {
    throw new ConfigError("a webhook verifies only with an admin. Set admin: { secret: … }");
  }
  const question: Question = { operation: "verify", account, secret, admin };
  const { answer } = await ask(asking, question, now, signal);
  if (answer === "unauthorized") {
    throw new TargetUnavailableError(`${describe(asking, question)}: ${refusedKey}`);
  }
  return answer === "accepted" ? "accepted" : "rejected";
}

async function examineAccount(
  { account, isProven, using, ...asking }: Examine<WebhookOptions>,
  now: Date,
  signal: AbortSignal,
): Promise<Examination | "rejected"> {
  const question: Question = { operation: "examine", account, admin: requireAdmin(using) };
  try {
    const answer = await ask(asking, question, now, signal);
    if (answer.answer === "unauthorized") return "rejected";
    return toExamination(answer.answer === "ok" ? answer : {}, question, isProven);
  } catch (error) {
    if (!(error instanceof ChangeRefusedError)) throw error;
    return { obstacles: [], right: { is: "missing", why: error.message } };
  }
}

function requireSupported(options: WebhookOptions, operation: Supported): void {
  const problem = findUnsupported(options, operation);
  if (problem !== undefined) throw new ConfigError(problem);
}

/** Whether the endpoint accepts the signature of this admin. */
async function isKey(
  asking: Asking,
  admin: Question["admin"],
  now: Date,
  signal: AbortSignal,
): Promise<"accepted" | "rejected"> {
  const question: Question = { operation: "examine", account: admin.account, admin };
  const isRefused = await ask(asking, question, now, signal).then(
    ({ answer }) => answer === "unauthorized",
    (error: unknown) => {
      // The endpoint refuses the account, so it has accepted the signature.
      if (error instanceof ChangeRefusedError) return false;
      throw error;
    },
  );
  return isRefused ? "rejected" : "accepted";
}

/** Only the change itself proves the right: the endpoint may not have queried the system. */
function toExamination(
  answer: { readonly obstacles?: readonly string[]; readonly warnings?: readonly string[] },
  question: Question,
  isProven: boolean,
): Examination {
  const { obstacles = [], warnings = [] } = answer;
  const { account } = question;
  const named = (said: string) => `Account \`${account}\`: ${said}`;
  const safe = (texts: readonly string[]) =>
    toSafeSentences(texts, listSecrets(question)).map(named);
  return {
    obstacles: isProven ? [] : safe(obstacles),
    right: { is: "likely" },
    ...(warnings.length > 0 && { warnings: safe(warnings) }),
  };
}
