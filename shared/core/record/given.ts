import type { VersionRef } from "../target.ts";

/**
 * A secret that Keyturn does not generate.
 *
 * | by | secret |
 * |---|---|
 * | `import` | issued elsewhere; the target may have it already |
 * | `undo` | the previous one of the account |
 */
export interface GivenSecret {
  readonly by: "import" | "undo";
  readonly account: string;
  /** Where the secret is stored before the rotation begins. */
  readonly ref: VersionRef;
  /** False when the target must have the secret already. */
  readonly mayApply: boolean;
  /** The target refused the secret before Keyturn changed anything. */
  readonly wasRefused?: boolean;
  /** The target accepted the secret before Keyturn changed anything, so nothing was set. */
  readonly wasAccepted?: boolean;
  /** The version of the account, current or previous, that has the same secret as an import. */
  readonly sameAs?: string;
}

/** Whether the target may have the secret of an import, because nobody has asked it yet. */
export function mayBeLive(given: GivenSecret | undefined): boolean {
  return given?.by === "import" && given.wasRefused !== true && given.wasAccepted !== true;
}
