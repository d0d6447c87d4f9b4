/** How the console speaks about the secrets of one type of target. */
export interface Words {
  readonly noun: string;
  /** What a rotation makes for an account. */
  readonly change: string;
  /** What a valid secret does. */
  readonly works: string;
  /** What the phase `staging` has done. */
  readonly staged: string;
  /** What the phase `applying` has done. */
  readonly applied: string;
}

const password: Words = {
  ...{ noun: "password", change: "password", works: "logs in" },
  staged: "stored a new password as a pending version",
  applied: "changed the password in the database; it logs in",
};

/** The types whose secrets are no passwords. Azure creates the first two, so they exist before they are stored. */
const others: Readonly<Record<string, Words>> = {
  "azure-key": {
    ...{ noun: "key", change: "value", works: "works" },
    staged: "chose the key that nobody reads",
    applied: "Azure regenerated the key; it is stored as a pending version, and works",
  },
  "entra-app": {
    ...{ noun: "client secret", change: "client secret", works: "logs in" },
    staged: "chose the application; its published secret stays valid",
    applied: "Entra added a secret; it is stored as a pending version, and logs in",
  },
  "azure-sas-key": {
    ...{ noun: "key", change: "value", works: "works" },
    staged: "stored a new key as a pending version",
    applied: "set the key at Azure; it works",
  },
};

/** `type`: undefined if the target is not known. */
export const findWords = (type: string | undefined): Words =>
  (type !== undefined && Object.hasOwn(others, type) ? others[type] : undefined) ?? password;

/** Shortens a client id, as versions are shortened. Other accounts stay as they are. */
export const shortenAccount = (account = ""): string =>
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(account)
    ? `${account.slice(0, 8)}…`
    : account;
