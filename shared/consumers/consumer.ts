import type { VersionRef } from "../core/target.ts";

/** What a consumer is told: which secret has a new version, never its value. */
export interface Refresh {
  readonly targetId: string;
  readonly rotationId: string;
  readonly published: VersionRef;
}

/** An application that uses the secret and can be asked to take the new one. Throws when it could not be asked. */
export interface Consumer {
  readonly name: string;
  /** Safe to repeat: the rotation id stays the same. */
  refresh(refresh: Refresh, signal: AbortSignal): Promise<void>;
}
