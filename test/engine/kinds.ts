import type { RetireWhen } from "../../shared/core/policy/policy.ts";
import type { Authority } from "../../shared/core/target.ts";

/** A kind of target: its accounts, who changes them, and what its system can do. */
export interface Kind {
  readonly name: string;
  readonly accounts: readonly string[];
  readonly as: Authority["as"];
  readonly propagation?: number;
  readonly retire?: RetireWhen;
  /** The account may have two valid secrets. */
  readonly overlap?: true;
  /** The account exists on two servers. */
  readonly several?: true;
  /**
   * The system creates the secrets. `dated` and `silent`: two keys, with or without the time of their creation; `adds`: it adds a
   * secret beside the others.
   */
  readonly mints?: "dated" | "silent" | "adds";
  /** Milliseconds after which the system ends a secret that it has created. Only of `adds`. Absent: it ends none. */
  readonly lifetime?: number;
  /** People hand over the secrets. */
  readonly people?: true;
  /** Default: a day. */
  readonly verifyEvery?: number | "none";
}

export const singleAdmin: Kind = {
  name: "one account, changed by an admin",
  accounts: ["app"],
  as: "admin",
};
export const singleSelf: Kind = {
  name: "one account that changes itself",
  accounts: ["app"],
  as: "self",
};
export const singleIdentity: Kind = {
  name: "one account, changed by an identity",
  accounts: ["app"],
  as: "identity",
};
export const overlapAdmin: Kind = {
  name: "one account with two secrets, changed by an admin",
  accounts: ["app"],
  as: "admin",
  overlap: true,
};
export const overlapSelf: Kind = {
  name: "one account with two secrets that changes itself",
  accounts: ["app"],
  as: "self",
  overlap: true,
};
export const pairAdmin: Kind = {
  name: "two accounts, changed by an admin",
  accounts: ["app_a", "app_b"],
  as: "admin",
};
export const pairSelf: Kind = {
  name: "two accounts that change themselves",
  accounts: ["app_a", "app_b"],
  as: "self",
};
export const pairProof: Kind = {
  name: "two accounts, changed by an admin, retired on proof",
  accounts: ["app_a", "app_b"],
  as: "admin",
  retire: "proof",
};

/** Every way in which a target can be changed. */
export const kinds: readonly Kind[] = [
  singleAdmin,
  singleSelf,
  singleIdentity,
  overlapAdmin,
  overlapSelf,
  pairAdmin,
  pairSelf,
  pairProof,
];

export const severalSingle: Kind = {
  name: "one account on two servers, changed by an admin",
  accounts: ["app"],
  as: "admin",
  several: true,
};

/** Targets whose account exists on several servers, which are changed one after the other. */
const severalKinds: readonly Kind[] = [
  severalSingle,
  {
    name: "two accounts on two servers, changed by an admin",
    accounts: ["app_a", "app_b"],
    as: "admin",
    several: true,
  },
  {
    name: "one account with two secrets on two servers, changed by an admin",
    accounts: ["app"],
    as: "admin",
    overlap: true,
    several: true,
  },
];

export const mintedPair: Kind = {
  name: "two keys that the system creates, with the time of their creation",
  accounts: ["key_a", "key_b"],
  as: "identity",
  mints: "dated",
};
export const mintedSilent: Kind = {
  name: "two keys that the system creates",
  accounts: ["key_a", "key_b"],
  as: "identity",
  mints: "silent",
};
export const mintedBeside: Kind = {
  name: "secrets that the system creates side by side",
  accounts: ["app"],
  as: "identity",
  mints: "adds",
  overlap: true,
  propagation: 0,
};

/** People hand over the secrets. */
export const handedIn: Kind = {
  name: "one account whose secrets people hand over",
  accounts: ["app"],
  as: "identity",
  people: true,
};

/** Targets whose system creates the secrets. */
export const mintedKinds: readonly Kind[] = [mintedPair, mintedSilent, mintedBeside];

export const allKinds: readonly Kind[] = [...kinds, ...severalKinds, ...mintedKinds];

/** Whether the published secret works at every moment, whatever Keyturn does. */
export const hasNoGap = ({ accounts, overlap }: Kind): boolean =>
  accounts.length === 2 || overlap === true;
