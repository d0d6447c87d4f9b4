import { ChangeRefusedError, ConfigError } from "../../core/errors.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import { isAnybodySeen } from "../connection/sessions-seen.ts";
import { guarded } from "../guarded.ts";
import { changeAll } from "./redis-change.ts";
import { examineAll } from "./redis-examine.ts";
import { clientName } from "./redis-line.ts";
import { verifyAll } from "./redis-nodes.ts";
import {
  describeNode,
  findUnfitAccount,
  listNodes,
  type RedisOptions,
  redisOptions,
} from "./redis-options.ts";
import { ask, atPlaces, isRefused, keepSession, type Place, withPlaces } from "./redis-place.ts";
import { logIn, requireCheck } from "./redis-session.ts";
import { planOnly, planOverlap, toHash, type User } from "./redis-user.ts";

export type { RedisOptions };

const savesIn = ({ persist }: RedisOptions): boolean => persist === "auto";

/** Users of Redis and Valkey that log in with a password. The server receives new passwords as hashes only. */
export const redis = guarded<RedisOptions>({
  type: "redis",
  options: redisOptions,
  capabilities: {
    selfService: true,
    admin: true,
    identity: false,
    propagation: 0,
  },

  endpoint(options) {
    const { host, port } = options;
    const members = listNodes(options).map(describeNode);
    return { engine: "redis", host, port, ...(members.length > 1 && { members }) };
  },

  overlaps: () => true,

  findUnfit,

  findUnfitAccount,

  async apply({ next, keep, ...rest }, signal) {
    const call = { ...rest, account: next.account };
    requireFit(next.account, next.secret);
    const [hash, kept] = [toHash(next.secret), keep && toHash(keep.secret)];
    const plan = kept === undefined ? planOnly(hash) : planOverlap(hash);
    const users = await atPlaces(call, signal, (places) =>
      changeAll(places, { plan, saves: savesIn(call.options) }),
    );
    const isKept = judgeKept(users, hash, kept);
    return { credential: next, ...(isKept !== undefined && { kept: isKept }) };
  },

  async verify({ options, credential, connectWithin, mayStay = false, note }, signal) {
    return verifyAll(
      listNodes(options),
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
    try {
      const outcome = await withPlaces(call, signal, (places) => examineAll(places, call));
      if (!isRefused(outcome)) return outcome;
      call.note?.(`${describeNode(outcome.refusedBy)} refuses the log-in of the authority.`);
      return "rejected";
    } catch (error) {
      // The authority may not even read users.
      if (!(error instanceof ChangeRefusedError)) throw error;
      return { obstacles: [], right: { is: "missing", why: error.message } };
    }
  },

  async hasSessions(look, signal) {
    return atPlaces(look, signal, async (places) => {
      for (const place of places) if (await isInUse(place)) return true;
      return false;
    });
  },

  /** Leaves the user without a password. It stays on: the next change could not tell `off` from that of a person, which must stay. */
  async retire(call, signal) {
    const saves = savesIn(call.options);
    await atPlaces(call, signal, (places) => changeAll(places, { plan: planOnly(), saves }));
  },

  async discard({ keep, ...rest }, signal) {
    const call = { ...rest, account: keep.account };
    const kept = toHash(keep.secret);
    const findFault = ({ hashes }: User) =>
      hashes.includes(kept)
        ? undefined
        : "the published secret is not among its passwords, so none is removed";
    await atPlaces(call, signal, (places) =>
      changeAll(places, { plan: planOnly(kept), saves: savesIn(call.options), findFault }),
    );
  },
});

function findUnfit(secret: Secret): string | undefined {
  return secret.reveal().isWellFormed() ? undefined : "`value` must be well-formed text";
}

function requireFit(account: string, secret: Secret): void {
  if (secret.reveal() === "")
    throw new ConfigError(`Redis account ${account}: the secret is empty`);
  if (findUnfit(secret) !== undefined) {
    throw new ChangeRefusedError(
      `Redis account ${account}: its next password is not well-formed text. Change the password rules of the policy`,
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
  const list = String(await ask(place, ["CLIENT", "LIST"], "+client|list"));
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
