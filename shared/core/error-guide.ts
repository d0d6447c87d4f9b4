import type { ErrorKind } from "./errors.ts";

/** What a kind of error means to a person. The table in docs/reference/errors.md shows the same texts. */
export interface ErrorGuide {
  readonly means: string;
  readonly reaction: string;
  /** What a person does. Absent when there is nothing to do. */
  readonly cure?: string;
  /** The page that explains the cure, as a link from docs/reference/. */
  readonly see?: string;
  /** Whether the cause often ends by itself, so that waiting is a good choice. */
  readonly mayPass: boolean;
}

export const errorGuide: Readonly<Record<ErrorKind, ErrorGuide>> = {
  config: {
    means: "the configuration, or a secret that it names, is wrong. Nothing was sent to the target",
    reaction:
      "before a change: ends the rotation as `failed` and schedules another. After a change: tries again",
    cure: "Correct what the message names: an option, an admin secret that is missing, or a published secret that is too large",
    see: "[configuration](configuration.md)",
    mayPass: false,
  },
  "target-unavailable": {
    means:
      "the target did not answer, refused the connection, or names an obstacle such as a lock. Keyturn learned nothing new about the password",
    reaction:
      "before a change: tries again as `retry` of the policy says, then ends the rotation as `failed`. After a change: tries again",
    cure: "Check the server, the network and the account that the message names",
    see: "[the database is down](../runbook.md#the-database-is-down)",
    mayPass: true,
  },
  "vault-unavailable": {
    means:
      "Key Vault did not answer, throttles, or refuses access. Also: the published secret was deleted or disabled, or no longer exists",
    reaction:
      "before a change: tries again, then ends the rotation as `failed`; the target is not changed. A vault that throttles uses up no attempt. After a change: tries to publish until it succeeds",
    cure: "Read the status and the missing right in the message. Grant the right, or recover or enable the secret",
    see: "[the vault is down](../runbook.md#the-vault-is-down)",
    mayPass: true,
  },
  "change-refused": {
    means:
      "the target refused the change: a right is missing, a password rule is not met, or the target names an obstacle. Nothing changed. Or, if the message says so, the target refuses the published password: no change was sent",
    reaction:
      "for a refused change: ends the rotation as `failed`; schedules another with a fresh password. For a refused password: see [drift](../explanation/lifecycle.md#drift)",
    cure: "For a refused change: run the statement in the message, remove the obstacle that it names, or change the `password` rules of the policy. For a refused password: request a rotation; with `admin: self`, store the current password",
    see: "[permissions](permissions.md)",
    mayPass: false,
  },
  "outcome-unknown": {
    means:
      "Keyturn does not know which password the account has now. Either the connection was lost during the change, or a later check disproved the result of an earlier phase, for example after a change by hand; the message names the cause. Every possible password is stored",
    reaction:
      "logs in with the new password first. Then it continues, repeats the same change, or goes back to the phase that can fix the result. It creates no other password while it can still try this one",
    cure: "Nothing, unless it lasts: then check the server",
    see: "[what `outcome-unknown` means](../runbook.md#what-does-outcome-unknown-mean)",
    mayPass: true,
  },
  "no-live-credential": {
    means: "the target refused every stored password of the account that Keyturn could read",
    reaction: "stops: the rotation is `blocked`",
    cure: "Enable or recover the version that the message names, or set a password on the server and store the same one in the published secret",
    see: "[a target is blocked](../runbook.md#a-target-is-blocked)",
    mayPass: false,
  },
  "lease-lost": {
    means: "another worker has claimed the target",
    reaction: "stops without a report; the other worker continues. Never a `lastFailure`",
    mayPass: true,
  },
  bug: {
    means: "an error that Keyturn does not expect: a mistake in Keyturn or in a rotator",
    reaction:
      "before a change: tries again, then ends the rotation as `failed`. After a change: tries again. Outside the phases of a rotation: pauses the target for `retry.every` and raises an alarm",
    cure: "Report the error with its message to the maintainers of Keyturn",
    mayPass: false,
  },
};
