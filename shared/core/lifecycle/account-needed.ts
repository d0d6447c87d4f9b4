import type { GivenSecret } from "../record/given.ts";
import type { TargetRecord } from "../record/record.ts";
import { mayHaveChanged } from "../record/rotation.ts";

/** A rotation that changes an account, or publishes it again. */
interface Needing {
  readonly rotationId: string;
  readonly does: "changes" | "publishes";
}

/**
 * The rotation for which a retirement of the account waits: it would disable the new secret that the rotation gives the account, or the one
 * that an undo will publish. An undo of an exposed secret fails, so no retirement waits for it.
 */
export function findNeedOf(record: TargetRecord, account: string): Needing | undefined {
  const { rotation, given } = record;
  const isDoomed = (secret: GivenSecret | undefined) =>
    secret?.by === "undo" && record.exposedVersions?.includes(secret.ref.version) === true;
  const mayEnd = rotation && !mayHaveChanged(rotation) && isDoomed(rotation.given);
  if (rotation?.account === account && !mayEnd) {
    return { rotationId: rotation.id, does: "changes" };
  }
  if (given?.secret.account !== account || isDoomed(given.secret)) return undefined;
  const does = given.secret.by === "undo" ? "publishes" : "changes";
  return { rotationId: given.rotationId, does };
}
