import type { VersionRef } from "../core/target.ts";

/** The message to a consumer: which secret has a new version, never its value. */
export interface Refresh {
  readonly targetId: string;
  readonly rotationId: string;
  readonly published: VersionRef;
}

/** An application that uses the secret and can be notified of the new version. Throws when it cannot be reached. */
export interface Consumer {
  readonly name: string;
  /** A refresh is safe to repeat: the rotation id stays the same. */
  refresh(refresh: Refresh, signal: AbortSignal): Promise<void>;
}
