/** A target that `npm start` creates for the demo. */
export interface Seed {
  /** The name of the target, of its database and of its published secret. */
  readonly id: string;
  /** The first account is published at the beginning. */
  readonly accounts: readonly [string] | readonly [string, string];
  /** Who changes the password: the administrator, or the account itself. */
  readonly by: "admin" | "self";
  readonly policy: "often" | "now-and-then";
  /** Describes the target to the person at the console. */
  readonly about: string;
}

export const seeds: readonly Seed[] = [
  {
    id: "orders",
    accounts: ["orders_a", "orders_b"],
    by: "admin",
    policy: "often",
    about: "two accounts that take turns; no log-in may fail",
  },
  {
    id: "reports",
    accounts: ["reports_reader"],
    by: "admin",
    policy: "now-and-then",
    about: "one account; an administrator changes its password",
  },
  {
    id: "inventory",
    accounts: ["inventory_writer"],
    by: "self",
    policy: "now-and-then",
    about: "one account; it changes its own password",
  },
];

export const adminAccount = "keyturn_admin";

/** Names of the secrets that no target publishes. */
export const adminSecret = "postgres-admin";
export const topicKeySecret = "events-topic-key";
