import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { Instant } from "../../core/time.ts";
import type { Mint, Minted, Ownerless, Settled, Settling } from "../../rotators/rotator.ts";
import { asAuthority, type Authority } from "../looks/authority.ts";
import type { Proof } from "../looks/proof.ts";
import type { TargetSession } from "../session.ts";
import { callTarget } from "./external-call.ts";
import { checkDeadline, sendChange, toCall } from "./reach.ts";

/** What a system needs to know to create a secret, besides the target. */
export type Wanted = Omit<Mint<unknown>, "options" | "using" | "mark"> & {
  readonly rotationId: string;
};

/**
 * Lets the system create a secret. Of a pair, it takes the place of the account's present secret, so `wanted.account` must not be published.
 * `proof` shows that the authority may do it.
 */
export function mintSecret(
  session: TargetSession,
  { rotationId, ...wanted }: Wanted,
  authority: Authority,
  proof: Proof,
): Promise<Minted> {
  const { target } = session;
  const { account, published } = wanted;
  if (target.slots.length > 1 && account === published?.account) {
    throw new RangeError(`Account ${account} is published: its secret must stay.`);
  }
  const mark = { targetId: target.id, rotationId };
  const what = "nobody knows whether the system has created a secret";
  return sendChange(session, { authority, proof, what }, async (rotator, call, signal) => {
    if (!rotator.mint) throw new ConfigError(`${rotator.type} creates no secrets`);
    const minted = await rotator.mint({ ...call, ...wanted, mark }, signal);
    session.guard(minted.credential.secret);
    return minted;
  });
}

/** What became of an earlier request to replace the secret of the account. */
export async function askSettled(
  session: TargetSession,
  sent: Pick<Settling<unknown>, "account" | "sentAgo" | "operation" | "superseded">,
  authority: Authority,
): Promise<Settled> {
  const { ports, target } = session;
  const rotator = ports.rotator(target.type);
  if (!rotator.settle) return "unknown";
  await session.hold();
  const signal = checkDeadline(session);
  const what = "the question about an earlier request failed with an unexpected error";
  const settled = await asAuthority(session, authority, () =>
    callTarget(session, TargetUnavailableError, what, async () => {
      const call = { ...toCall(session, "stays"), ...sent, using: authority.using };
      return (await rotator.settle?.(call, signal)) ?? "unknown";
    }),
  );
  if (typeof settled === "object") session.guard(settled.secret);
  return settled;
}

/** Which account has the secret. Undefined: none. */
export async function askOwner(
  session: TargetSession,
  ownerless: Pick<Ownerless<unknown>, "secret" | "accounts">,
  authority: Authority,
): Promise<string | undefined> {
  const { ports, target } = session;
  const rotator = ports.rotator(target.type);
  session.guard(ownerless.secret);
  await session.hold();
  const signal = checkDeadline(session);
  const what = "the question whose secret it is failed with an unexpected error";
  return asAuthority(session, authority, () =>
    callTarget(session, TargetUnavailableError, what, async () => {
      const call = { ...toCall(session, "stays"), ...ownerless, using: authority.using };
      return rotator.findOwner?.(call, signal);
    }),
  );
}

/** When the system ends the secret. Undefined: it does not say. */
export async function askEnd(
  session: TargetSession,
  credential: Credential,
  authority: Authority,
): Promise<Instant | undefined> {
  const { ports, target } = session;
  const rotator = ports.rotator(target.type);
  await session.hold();
  const signal = checkDeadline(session);
  const what = "the question when the secret ends failed with an unexpected error";
  return asAuthority(session, authority, () =>
    callTarget(session, TargetUnavailableError, what, async () => {
      const call = { ...toCall(session, "stays"), credential, using: authority.using };
      return rotator.findEnd?.(call, signal);
    }),
  );
}
