import { ChangeRefusedError, isKnownError, OutcomeUnknownError } from "../../core/errors.ts";
import { changeAll } from "../common/several/several-servers.ts";
import { noSuchHash, toChangeError, toFailure, toNoPasswordError } from "./redis-errors.ts";
import { describeNode, listNodes } from "./redis-options.ts";
import { atPlace, type Call, describeLack, type Place, readUser } from "./redis-place.ts";
import { requireSaving, saveChange } from "./redis-save.ts";
import { type Plan, planNothing, type User } from "./redis-user.ts";

/** Others may change the same user meanwhile, so that a change has to be planned again. */
const maxTries = 5;

export interface Changing {
  readonly plan: Plan;
  /** Why the user must not be changed; undefined if it may. */
  readonly findFault?: (user: User) => string | undefined;
}

/** Changes the user at every server, and returns the users as they are then. Each server saves its users, if the options say so. */
export function changeUser(call: Call, changing: Changing, signal: AbortSignal): Promise<User[]> {
  const saves = call.options.persist === "auto";
  return changeAll(
    listNodes(call.options),
    {
      name: describeNode,
      check: (node) =>
        atPlace(call, node, signal, async (place) => {
          const user = await requireUser(place, changing);
          // The command needs the same right as the change.
          await setUser(place, planNothing()(user));
          if (saves) await requireSaving(place);
        }),
      change: (node) =>
        atPlace(call, node, signal, async (place) => {
          await requireUser(place, changing);
          if (saves) await requireSaving(place);
          const user = await changeAt(place, changing);
          if (saves) await saveChange(place);
          return user;
        }),
    },
    signal,
  );
}

/** ACL SETUSER would create a missing user, and a user that logs in with any password has no password to change. */
async function requireUser(place: Place, { findFault }: Changing): Promise<User> {
  const { where } = place;
  const user = await readUser(place);
  if (user === undefined) throw new ChangeRefusedError(`${where}: the account does not exist`);
  if (user.isOpen) throw toNoPasswordError(where);
  const fault = findFault?.(user);
  if (fault !== undefined) throw new ChangeRefusedError(`${where}: ${fault}`);
  return user;
}

async function changeAt(place: Place, changing: Changing): Promise<User> {
  let isChanged = false;
  try {
    for (let time = 1; time <= maxTries; time++) {
      const user = await requireUser(place, changing);
      const rules = changing.plan(user);
      if (rules.length === 0) return user;
      isChanged = (await setUser(place, rules)) || isChanged;
    }
  } catch (error) {
    if (!isChanged || !isKnownError(error)) throw error;
    throw new OutcomeUnknownError(error.message);
  }
  throw new OutcomeUnknownError(
    `${place.where}: somebody else changes the account again and again`,
  );
}

/** All rules take effect at once, or none does. Returns false if another change has removed a hash before. */
async function setUser(place: Place, rules: readonly string[]): Promise<boolean> {
  try {
    await place.session.send(["ACL", "SETUSER", place.account, ...rules]);
    return true;
  } catch (error) {
    const failure = toFailure(error);
    if (noSuchHash.test(failure.reply ?? "")) return false;
    throw toChangeError(failure, place.where, describeLack(place, "+acl|setuser"));
  }
}
