import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { second } from "../core/time.ts";
import { type AzureAccess, type AzureRequest, callAzure } from "./azure-call.ts";
import { type AzureReply, isAccepted, listErrorCodes, type Reply } from "./azure-reply.ts";

/** How a request that changes something ended. */
export type Ending =
  /** Azure has done it. `reply` is the last answer. */
  | { readonly is: "done"; readonly reply: Reply }
  /** Azure accepted it, and it failed later, with these error codes. */
  | { readonly is: "failed"; readonly codes: readonly string[] }
  /** Azure accepted it, and its result is not known. It may still take effect. */
  | { readonly is: "unknown" }
  /** Azure did not accept it, as far as is known: a refusal, an answer of a gateway, or no answer. */
  | { readonly is: "not-accepted"; readonly reply: Reply };

/** A poll that fails is repeated, because the operation continues without it. */
const maxMisses = 3;

/**
 * Sends a request that may start a long-running operation, at most once, and waits until the operation has ended or the signal fires.
 * It does not throw, except as `callAzure` does. A poll goes to the origin of the service only.
 */
export async function changeAtAzure(
  access: AzureAccess,
  request: AzureRequest,
  signal: AbortSignal,
): Promise<Ending> {
  const first = await callAzure(access, request, signal);
  if (first.by !== "azure" || !isAccepted(first)) return { is: "not-accepted", reply: first };
  const poll = findPoll(access.origin, request, first);
  if (poll === "none") return { is: "done", reply: first };
  if (poll === undefined) return { is: "unknown" };
  return follow(access, poll, first, signal);
}

async function follow(
  access: AzureAccess,
  poll: Poll,
  first: Reply,
  signal: AbortSignal,
): Promise<Ending> {
  let misses = 0;
  for (let last = first; misses < maxMisses;) {
    const given = last.by === "nobody" ? undefined : last.headers.retryAfter;
    const delay = given ?? access.pollInterval ?? 2 * second;
    await wait(delay, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return { is: "unknown" };
    last = await callAzure(access, { method: "GET", path: poll.path }, signal);
    const news = readPoll(poll.kind, last);
    if (news === "missed") misses += 1;
    else if (news === "running") misses = 0;
    else return news;
  }
  return { is: "unknown" };
}

/** `status`: a report with a field `status`. `result`: 202 until it ends. `resource`: the resource with its provisioning state. */
type PollKind = "status" | "result" | "resource";

interface Poll {
  readonly kind: PollKind;
  readonly path: string;
}

/** Where to look for the end of an accepted request. `none`: it has ended. Undefined: nobody says where, or at a foreign origin. */
function findPoll(
  origin: string,
  request: AzureRequest,
  reply: AzureReply,
): Poll | "none" | undefined {
  const { operation, location } = reply.headers;
  if (operation !== undefined) return toPoll("status", origin, operation);
  if (reply.status === 202) {
    return location === undefined ? undefined : toPoll("result", origin, location);
  }
  const { path } = request;
  return readState(reply.body).provisioning === "running" ? { kind: "resource", path } : "none";
}

function toPoll(kind: PollKind, origin: string, address: string): Poll | undefined {
  const url = URL.parse(address, origin);
  return url?.origin === origin ? { kind, path: `${url.pathname}${url.search}` } : undefined;
}

/** What a poll says. `missed`: nothing, and the next one may say more. */
function readPoll(kind: PollKind, reply: Reply): Ending | "running" | "missed" {
  if (reply.by !== "azure") return "missed";
  if (!isAccepted(reply)) {
    if (reply.status >= 500 || [408, 429].includes(reply.status)) return "missed";
    // The result of an operation that failed is an error. A status that the identity may not read is not.
    const isResult = kind === "result" && ![401, 403, 404].includes(reply.status);
    return isResult ? { is: "failed", codes: reply.codes } : { is: "unknown" };
  }
  const now = reply.status === 202 ? "running" : readEnd[kind](readState(reply.body));
  if (now === "running" || now === "missed") return now;
  return now === "succeeded"
    ? { is: "done", reply }
    : { is: "failed", codes: listErrorCodes(reply.body) };
}

/** How each kind of poll shows the end. A report without a status is none. */
const readEnd: Readonly<Record<PollKind, (states: States) => State | "missed">> = {
  status: ({ status, provisioning }) => status ?? provisioning ?? "missed",
  result: () => "succeeded",
  resource: ({ provisioning }) => provisioning ?? "succeeded",
};

type State = "running" | "succeeded" | "failed";

interface States {
  readonly status?: State;
  readonly provisioning?: State;
}

const stateFields = z.object({
  status: z.string().optional().catch(undefined),
  properties: z
    .object({ provisioningState: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/** The terminal states are the same for all services; every other word means that the operation goes on. */
function readState(body: unknown): States {
  const { status, properties } = stateFields.safeParse(body).data ?? {};
  const provisioning = properties?.provisioningState;
  return {
    ...(status !== undefined && { status: toState(status) }),
    ...(provisioning !== undefined && { provisioning: toState(provisioning) }),
  };
}

function toState(word: string): State {
  if (/^succeeded$/i.test(word)) return "succeeded";
  return /^(?:failed|canceled|cancelled)$/i.test(word) ? "failed" : "running";
}
