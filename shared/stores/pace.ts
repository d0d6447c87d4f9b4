import type { Instant } from "../core/time.ts";

/**
 * How fast new versions are created in each vault, by all instances together: about as fast as the vault allows, so that no
 * change begins that cannot be published now. Approximate, and never in the way: without its storage it lets everybody through.
 */
export interface Pace {
  /**
   * Takes room for so many versions, and returns the milliseconds until they may be created. If that were more than `longest`, it
   * takes nothing.
   */
  take(vault: string, creates: number, longest: number): Promise<number>;
  /** Versions that may be created in the vault within 10 seconds. */
  perWindow(vault: string): number;
  /** The vault is full: nothing more is to be created in it for so many milliseconds. */
  slowDown(vault: string, milliseconds: number): Promise<void>;
}

/** From when on there is room in a vault; all instances see the same. */
export interface PaceStore {
  read(vault: string): Promise<PaceMark | undefined>;
  /** Returns undefined if the mark has changed since it was read, or was not there and now is. */
  write(vault: string, freeAt: Instant, etag: string | undefined): Promise<PaceMark | undefined>;
}

export interface PaceMark {
  readonly freeAt: Instant;
  readonly etag: string;
}
