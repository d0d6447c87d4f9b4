import { type actionKinds } from "../answer-words.ts";

/** Something that a person can do now, and that has an effect in this state. */
export interface Action {
  readonly kind: (typeof actionKinds)[number];
  readonly do: string;
  readonly why: string;
  /** The rotation that the action concerns, if it is a scheduled one. */
  readonly rotation?: string;
  /** A shell command. `$KEYTURN` is the address of the app, `$KEY` a function key. */
  readonly command?: string;
}
