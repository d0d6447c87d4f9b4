/** One target that is there from the start, to be watched. */
export interface Seed {
  /** Of the target, its database and its published secret alike. */
  readonly id: string;
  /** The first one is what is published to begin with. */
  readonly accounts: readonly [string] | readonly [string, string];
  /** Who changes the password: the administrator, or the account itself. */
  readonly by: "admin" | "self";
  readonly policy: "often" | "now-and-then";
  /** For the person at the console. */
  readonly about: string;
}

export const seeds: readonly Seed[] = [
  {
    id: "orders",
    accounts: ["orders_a", "orders_b"],
    by: "admin",
    policy: "often",
    about: "two accounts take turns; no log-in may ever fail",
  },
  {
    id: "reports",
    accounts: ["reports_reader"],
    by: "admin",
    policy: "now-and-then",
    about: "one account, changed in place by an administrator",
  },
  {
    id: "inventory",
    accounts: ["inventory_writer"],
    by: "self",
    policy: "now-and-then",
    about: "one account that changes its own password",
  },
];

export const adminAccount = "keyturn_admin";

/** Names of secrets that are not published by a target. */
export const adminSecret = "postgres-admin";
export const topicKeySecret = "events-topic-key";
