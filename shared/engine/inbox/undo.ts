import { findUndo } from "../../core/lifecycle/given.ts";
import type { Target } from "../../core/target.ts";
import { readCredential } from "../calls/stored.ts";
import { rethrowUnlessExpected } from "../failure.ts";
import type { Ports } from "../ports.ts";
import { openSession } from "../session.ts";
import { type Before, type GivenInput, type GivenResult, requestGiven } from "./given.ts";

/**
 * Queues a rotation that publishes the previous secret again. Refused where that cannot work: nothing is known to be previous, its
 * account was retired, somebody saw it, its grace is over, or the policy forbids it.
 */
export function requestUndo(ports: Ports, target: Target, input: GivenInput): Promise<GivenResult> {
  return requestGiven(ports, target, input, {
    by: "undo",
    isSame: () => Promise.resolve(true),
    async prepare(before) {
      const undo = findUndo(before.record, target, before.now);
      if ("refused" in undo || (await mayBeReadable(ports, target, before, undo))) return undo;
      const { account, ref } = undo;
      return {
        refused: `the previous secret of ${account} cannot be read (version ${ref.version} of ${ref.name}). Enable it, or request a rotation`,
      };
    },
  });
}

/** Whether the vault has the secret. If the vault cannot be reached, the rotation tries again later. */
async function mayBeReadable(
  ports: Ports,
  target: Target,
  { record, found }: Before,
  { account, ref }: Exclude<ReturnType<typeof findUndo>, { readonly refused: string }>,
): Promise<boolean> {
  const session = openSession(ports, target, ports.newId(), { record, etag: found?.etag });
  try {
    return (await readCredential(session, ref, [account])) !== undefined;
  } catch (error) {
    rethrowUnlessExpected(error);
    return true;
  }
}
