import { randomUUID } from "node:crypto";
import {
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import type { Credential, Secret } from "../../core/secrets/secret.ts";
import { nameServer } from "../../core/target.ts";
import { requireSigningKey, signedHeaders } from "../../http/signed-headers.ts";
import type { Using } from "../rotator.ts";
import { readReply, toSafeSentence } from "./webhook-answers.ts";
import { NoReplyError, post, type Reply } from "./webhook-line.ts";
import { findEndpoint, type WebhookOptions } from "./webhook-options.ts";
import { type Answer, type Operation, protocolVersion } from "./webhook-protocol.ts";

/** What every question to the endpoint needs. */
export interface Asking {
  readonly options: WebhookOptions;
  readonly targetId?: string;
  readonly rotationId?: string;
  readonly connectWithin?: number;
}

export interface Question {
  readonly operation: Operation;
  readonly account: string;
  readonly secret?: Secret;
  /** Its secret signs the request. */
  readonly admin: Credential;
}

const changes: readonly Operation[] = ["apply", "retire"];

/** Names the endpoint, the account and the key in messages. */
export function describe(
  { options }: Asking,
  { account, admin }: Pick<Question, "account" | "admin">,
): string {
  return `webhook at ${nameServer(findEndpoint(options))}, account ${account}, signed as ${admin.account}`;
}

/** The admin whose secret signs. Throws ConfigError for any other authority. */
export function requireAdmin(using: Using): Credential {
  if (using.as === "admin") return using.credential;
  throw new ConfigError(
    "a webhook needs an admin whose secret signs the requests. Set admin: { secret: … }",
  );
}

/** The secrets that no message of the endpoint may show. */
export function listSecrets({ secret, admin }: Question): readonly Secret[] {
  return [admin.secret, ...(secret ? [secret] : [])];
}

/**
 * Sends a signed request and returns the endpoint's answer, including `unauthorized`. Throws ChangeRefusedError for `refused`, and
 * TargetUnavailableError or OutcomeUnknownError by what is known.
 */
export async function ask(
  asking: Asking,
  question: Question,
  now: Date,
  signal: AbortSignal,
): Promise<Good> {
  const where = describe(asking, question);
  const unclear = changes.includes(question.operation)
    ? OutcomeUnknownError
    : TargetUnavailableError;
  requireSigningKey(question.admin.secret, `${where}: the secret of the admin`);
  const reply = await send(asking, question, now, signal).catch((error: unknown) => {
    if (!(error instanceof NoReplyError)) throw error;
    throw error.sent
      ? new unclear(`${where}: no valid answer, because ${error.message}`)
      : new TargetUnavailableError(`${where}: ${error.message}`);
  });
  const read = readReply(question.operation, reply);
  if ("why" in read) {
    const Kind = read.nothingDone ? TargetUnavailableError : unclear;
    throw new Kind(`${where}: the endpoint ${read.why}`);
  }
  const { answer } = read;
  if (!isBad(answer)) return answer;
  const { what, Kind = unclear } = meanings[answer.answer];
  const { message = "" } = answer;
  const said = message === "" ? "" : `: ${toSafeSentence(message, listSecrets(question))}`;
  throw new Kind(`${where}: the endpoint ${what}${said}`);
}

type Bad = Extract<Answer, { answer: "refused" | "unavailable" | "unknown" }>;
type Good = Exclude<Answer, Bad>;

function isBad(answer: Answer): answer is Bad {
  return Object.hasOwn(meanings, answer.answer);
}

/** What the answers mean that are no results. Without `Kind`, it depends on the operation. */
const meanings: Readonly<
  Record<Bad["answer"], { readonly what: string; readonly Kind?: new (message: string) => Error }>
> = {
  refused: { what: "refused", Kind: ChangeRefusedError },
  unavailable: { what: "cannot reach the system", Kind: TargetUnavailableError },
  unknown: { what: "does not know the result" },
};

function send(
  { options, targetId, rotationId, connectWithin }: Asking,
  { operation, account, secret, admin }: Question,
  now: Date,
  signal: AbortSignal,
): Promise<Reply> {
  const content = {
    ...{ version: protocolVersion, request: randomUUID(), operation },
    ...(targetId !== undefined && { target: targetId }),
    ...(rotationId !== undefined && { rotation: rotationId }),
    account,
    ...(secret && { secret: secret.reveal() }),
  };
  const body = JSON.stringify(content);
  const signed = { body, contentType: "application/json", key: admin.secret };
  return post(options, { body, headers: signedHeaders(signed, now), connectWithin }, signal);
}
