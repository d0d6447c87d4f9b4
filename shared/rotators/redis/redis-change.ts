import { ChangeRefusedError, isKnownError, OutcomeUnknownError } from "../../core/errors.ts";
import { noSuchHash, toChangeError, toFailure, toNoPasswordError } from "./redis-errors.ts";
import { describeNode } from "./redis-options.ts";
import { describeLack, type Place, readUser } from "./redis-place.ts";
import { requireSaving, saveChange } from "./redis-save.ts";
import type { Plan, User } from "./redis-user.ts";

/** Others may change the same user meanwhile, so that a change has to be planned again. */
const maxTries = 5;

export interface Changing {
  readonly plan: Plan;
  readonly saves: boolean;
  /** Why the user must not be changed; undefined if it may. */
  readonly findFault?: (user: User) => string | undefined;
}

/**
 * Changes the user at every server, after each has passed a check, and returns the users as they are then. A failure after the first
 * change is an OutcomeUnknownError with the state of every server.
 */
export async function changeAll(places: readonly Place[], changing: Changing): Promise<User[]> {
  for (const place of places) await check(place, changing, places.length > 1);
  const users: User[] = [];
  for (const place of places) {
    try {
      users.push(await changeAt(place, changing.plan));
      if (changing.saves) await saveChange(place);
    } catch (error) {
      const isOnly = places.length === 1;
      if (isOnly || (place === places[0] && !(error instanceof OutcomeUnknownError))) throw error;
      throw describePartial(places, place, error);
    }
  }
  return users;
}

/** Throws if the server would not make the change, or not save it. Changes nothing. */
async function check(place: Place, { saves, findFault }: Changing, isOfSeveral: boolean) {
  const user = requireUser(place, await readUser(place));
  const fault = findFault?.(user);
  if (fault !== undefined) throw new ChangeRefusedError(`${place.where}: ${fault}`);
  // Without rules, the command changes nothing, but it needs the same right.
  if (isOfSeveral) await setUser(place, []);
  if (saves) await requireSaving(place);
}

/** ACL SETUSER would create a missing user, and a user that logs in with any password has no password to change. */
function requireUser({ where }: Place, user: User | undefined): User {
  if (user === undefined) throw new ChangeRefusedError(`${where}: the account does not exist`);
  if (user.isOpen) throw toNoPasswordError(where);
  return user;
}

async function changeAt(place: Place, plan: Plan): Promise<User> {
  let isChanged = false;
  try {
    for (let time = 1; time <= maxTries; time++) {
      const user = requireUser(place, await readUser(place));
      const rules = plan(user);
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

function describePartial(places: readonly Place[], failed: Place, error: unknown): Error {
  if (!isKnownError(error)) return new OutcomeUnknownError(`${failed.where}: the change failed`);
  const at = places.indexOf(failed);
  const list = places.map(({ node }, index) => {
    const state =
      index < at
        ? "is changed"
        : index > at
          ? "is not changed"
          : error instanceof OutcomeUnknownError
            ? "may be changed"
            : "is not changed";
    return `${describeNode(node)} ${state}`;
  });
  return new OutcomeUnknownError(`${error.message}. The servers differ: ${list.join("; ")}`);
}
