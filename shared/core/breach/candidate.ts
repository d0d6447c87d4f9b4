import type { TargetRecord } from "../record/record.ts";
import type { Target } from "../target.ts";

/** A configured target with everything that a breach has to know about it. */
export interface Candidate {
  /** With the freezes that apply to it now. */
  readonly target: Target;
  /** Absent: the journal does not know the target yet, or its row cannot be read. */
  readonly record?: TargetRecord;
  /** Why the row cannot be read. */
  readonly unreadable?: string;
  /** The host of the server, as the configuration spells it. */
  readonly host: string;
  /** `host:port`. */
  readonly server: string;
  /** Every address of a system of several servers, as `host:port`. */
  readonly members?: readonly string[];
  /** How many other targets this one changes the passwords of. */
  readonly adminOf: number;
}
