import { ChangeRefusedError, ConfigError } from "../../core/errors.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import { isAnybodySeen } from "../common/connection/sessions-seen.ts";
import { joinExaminations } from "../common/several/several-decisions.ts";
import { verifyAll } from "../common/several/several-servers.ts";
import { guarded } from "../guarded.ts";
import type { Examination } from "../rotator.ts";
import { changeUser } from "./redis-change.ts";
import { examineAt } from "./redis-examine.ts";
import { clientName } from "./redis-line.ts";
import {
  describeNode,
  findUnfitAccount,
  listNodes,
  type RedisOptions,
  redisOptions,
} from "./redis-options.ts";
import { ask, atPlace, describeGrant, keepSession, type Place, withPlace } from "./redis-place.ts";
import { logIn, requireCheck } from "./redis-session.ts";
import { planOnly, planOverlap, toHash, type User } from "./redis-user.ts";

export type { RedisOptions };

/** Users of Redis and Valkey that log in with a password. The server receives new passwords as hashes only. */
export const redis = guarded<RedisOptions>({
  type: "redis",
  mistakenFor: ["valkey"],
  options: redisOptions,
  capabilities: {
    selfService: true,
    admin: true,
    identity: false,
    propagation: 0,
  },

  endpoint(options) {
    const { host, port, tls } = options;
    const members = listNodes(options).map(describeNode);
    return {
      ...{ engine: "redis", host, port },
      ...(members.length > 1 && { members }),
      ...(tls.mode === "disable" && { tls: false }),
    };
  },

  overlaps: () => true,

  findUnfit,

  findUnfitAccount,

  async apply({ next, keep, ...rest }, signal) {
    const call = { ...rest, account: next.account };
    requireFit(next.account, next.secret);
    const [hash, kept] = [toHash(next.secret), keep && toHash(keep.secret)];
    const plan = kept === undefined ? planOnly(hash) : planOverlap(hash, kept);
    const users = await changeUser(call, { plan }, signal);
    const isKept = judgeKept(users, hash, kept);
    return { credential: next, ...(isKept !== undefined && { kept: isKept }) };
  },

  async verify({ options, credential, connectWithin, mayStay = false, note }, signal) {
    return verifyAll(
      listNodes(options),
      describeNode,
      async (node) => {
        const session = await logIn(node, credential, { signal, connectWithin });
        if (session === "rejected") return "rejected";
        try {
          await requireCheck(session, node, credential);
        } catch (error) {
          await session.close();
          throw error;
        }
        if (mayStay) keepSession(node, credential, session);
        else await session.close();
        return "accepted";
      },
      note,
    );
  },

  async examine(call, signal) {
    const all: Examination[] = [];
    for (const node of listNodes(call.options)) {
      const seen = await withPlace(call, node, signal, (place) => examineAt(place, call)).catch(
        toMissing,
      );
      if (seen === "rejected") {
        call.note?.(`${describeNode(node)} refuses the log-in of the authority.`);
        return seen;
      }
      all.push(seen);
    }
    return joinExaminations(all);
  },

  async hasSessions(look, signal) {
    for (const node of listNodes(look.options)) {
      if (await atPlace(look, node, signal, isInUse)) return true;
    }
    return false;
  },

  /** Leaves the user without a password. It stays on: the next change could not tell `off` from that of a person, which must stay. */
  async retire(call, signal) {
    await changeUser(call, { plan: planOnly() }, signal);
  },

  async discard({ keep, ...rest }, signal) {
    const call = { ...rest, account: keep.account };
    const kept = toHash(keep.secret);
    const findFault = ({ hashes }: User) =>
      hashes.includes(kept)
        ? undefined
        : "the published secret is not among its passwords, so none is removed";
    await changeUser(call, { plan: planOnly(kept), findFault }, signal);
  },
});

/** An authority that may not even read users. */
function toMissing(error: unknown): Examination {
  if (!(error instanceof ChangeRefusedError)) throw error;
  return { obstacles: [], right: { is: "missing", why: error.message } };
}

function findUnfit(secret: Secret): string | undefined {
  return secret.reveal().isWellFormed() ? undefined : "`value` must be well-formed text";
}

function requireFit(account: string, secret: Secret): void {
  if (secret.reveal() === "") throw new ConfigError(`Account ${account}: the secret is empty`);
  if (findUnfit(secret) !== undefined) {
    throw new ChangeRefusedError(
      `Account ${account}: its next password is not well-formed text. Change the password rules of the policy`,
    );
  }
}

/** Pure: whether the secret to keep is valid at every server. False if certainly nothing but the new one is. */
function judgeKept(users: readonly User[], next: string, kept?: string): boolean | undefined {
  if (kept !== undefined && users.every(({ hashes }) => hashes.includes(kept))) return true;
  return users.every(({ hashes }) => hashes.every((hash) => hash === next)) ? false : undefined;
}

/** The list shows connections that are not logged in yet as those of `default`. */
async function isInUse(place: Place): Promise<boolean> {
  const lack = `Keyturn cannot find out who is logged in: ${describeGrant(place, "+client|list")}`;
  const list = String(await ask(place, ["CLIENT", "LIST"], lack));
  const clients = list.split("\n").map((line) => ({
    isOurs: line.includes(` name=${clientName} `),
    isOfAccount: line.includes(` user=${place.account} `),
  }));
  return isAnybodySeen(
    {
      own: clients.some(({ isOurs }) => isOurs),
      others: clients.some(({ isOurs, isOfAccount }) => isOfAccount && !isOurs),
    },
    place.where,
    "+client|list",
  );
}
