import type { Endpoint } from "../../target.ts";
import type { Field } from "../field.ts";

/** One named value in a text. */
export interface Part {
  /**
   * `username`, `password`, `host`, `database`, `scheme`, or the name of another parameter in lower case without separators, whatever the
   * text calls it.
   */
  readonly name: string;
  /** Undefined when its value cannot be read with certainty. */
  readonly field: Field | undefined;
  /** The name and the value as they are written, for parts that may be added to another text. */
  readonly whole?: string;
}

export type Parts = readonly Part[];

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** How the clients of one system write the address and the credential in one text. */
export interface TextForm {
  /** The text that Keyturn writes where nothing is published. Every character of a credential is escaped. */
  readonly render: (address: Endpoint, login: Login) => string;
  /** All parts of a text in this form; undefined if the text is not in this form. */
  readonly read: (text: string) => Parts | undefined;
  /** The text with one more part at its end. */
  readonly add: (text: string, whole: string) => string;
  /** The port of an address without one. */
  readonly defaultPort: number;
  /** The account of a text that names none. Absent: the text must name its account. */
  readonly defaultAccount?: string;
  /** Why the text cannot contain this address or one of these accounts, in a clause. Absent: it can contain every name. */
  readonly findUnfit?: (address: Endpoint, accounts: readonly string[]) => string | undefined;
}
