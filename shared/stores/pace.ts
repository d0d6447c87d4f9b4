import type { Instant } from "../core/time.ts";

/**
 * Limits how fast all instances together create new versions in each vault, to about the limit of the vault, so that no change begins
 * that cannot be published now. It is approximate and never blocks work: without its storage it permits every version.
 */
export interface Pace {
  /**
   * Reserves room for so many versions, and returns the milliseconds until they may be created. If that is more than `maxWaitMs`, it
   * reserves nothing.
   */
  take(vault: string, creates: number, maxWaitMs: number): Promise<number>;
  /** Versions that may be created in the vault within 10 seconds. */
  perWindow(vault: string): number;
  /** Records that the vault throttles: no instance creates versions in it for so many milliseconds. */
  slowDown(vault: string, milliseconds: number): Promise<void>;
}

/** The mark in storage, shared by all instances, that says from when on a vault has room. */
export interface PaceStore {
  read(vault: string): Promise<PaceMark | undefined>;
  /** Returns undefined if the mark was changed or created since it was read. */
  write(vault: string, freeAt: Instant, etag: string | undefined): Promise<PaceMark | undefined>;
}

export interface PaceMark {
  readonly freeAt: Instant;
  readonly etag: string;
}
