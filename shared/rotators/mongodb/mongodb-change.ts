import { isKnownError } from "../../core/errors.ts";
import type { Retire } from "../rotator.ts";
import { toChangeError, toLoginError } from "./mongodb-errors.ts";
import { chooseMechanisms } from "./mongodb-mechanisms.ts";
import type { MongodbOptions } from "./mongodb-options.ts";
import { describeUnableToChange } from "./mongodb-rights.ts";
import { describeAccount, type Session } from "./mongodb-session.ts";

/**
 * Milliseconds. A change counts once a majority of the replica set has it on disk: a new primary may not have a change that only the
 * old one had, and a crash loses a change that is not on disk. Both limits are well below a minute, because a change that timed out
 * must not take effect much later.
 */
const majority = { w: "majority", j: true, wtimeout: 10_000 };
export const serverPatience = 20_000;

/** Sets the password of the account. */
export async function setPassword(
  session: Session,
  call: Retire<MongodbOptions>,
  password: string,
): Promise<void> {
  const { options, account } = call;
  const { authDatabase } = options;
  const where = describeAccount(options, account, authDatabase);
  let sent = false;
  try {
    const wanted = { authDatabase, account, within: serverPatience, where };
    const mechanisms = await chooseMechanisms(session, wanted);
    sent = true;
    await session.run(authDatabase, {
      updateUser: account,
      pwd: password,
      ...(mechanisms && { mechanisms }),
      writeConcern: majority,
      maxTimeMS: serverPatience,
    });
  } catch (error) {
    if (isKnownError(error)) throw error;
    throw sent
      ? toChangeError(error, where, describeUnableToChange(call))
      : toLoginError(error, where);
  }
}
