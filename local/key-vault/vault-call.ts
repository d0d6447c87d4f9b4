import type { LoopbackReply } from "../loopback.ts";
import type { Bundles } from "./bundles.ts";
import type { VaultPolicy } from "./rules.ts";
import type { Change, VaultState } from "./state.ts";

export interface VaultContext {
  readonly state: VaultState;
  readonly policy: VaultPolicy;
  readonly bundles: Bundles;
  readonly url: string;
  /** Decides on the newest state, makes the changes durable, and then makes them visible. */
  commit(decide: () => readonly Change[]): Promise<void>;
}

export interface Call {
  /** Empty when the path has no name. */
  readonly name: string;
  readonly version: string | undefined;
  readonly query: URLSearchParams;
  readonly body: Buffer | undefined;
  /** Milliseconds. */
  readonly now: number;
}

/** An operation of the vault. */
export type Perform = (vault: VaultContext, call: Call) => Promise<LoopbackReply> | LoopbackReply;
