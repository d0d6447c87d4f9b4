import type { VersionRef } from "../target.ts";

export interface UnreadableVersion {
  readonly ref: VersionRef;
  readonly why: "disabled" | "deleted" | "absent" | "holds no credential";
}

export interface NoLiveCredential {
  readonly targetId: string;
  readonly account: string;
  /** Versions whose credential the target refused. */
  readonly refused: readonly VersionRef[];
  /** Versions that could not be tried, the most likely to work first. */
  readonly unreadable: readonly UnreadableVersion[];
}

/** Messages are cut at 1,000 characters; the advice must stay within them. */
const maxVersions = 3;

/** Says why Keyturn cannot change the account and what an operator can do. */
export function describeNoLiveCredential(found: NoLiveCredential): string {
  return [
    `No stored secret of ${found.account} logs in to ${found.targetId}.`,
    ...causes(found),
    remedy(found),
  ].join(" ");
}

const states: Readonly<Record<UnreadableVersion["why"], string>> = {
  disabled: "disabled",
  deleted: "deleted",
  absent: "missing",
  "holds no credential": "without a credential",
};

function causes({ refused, unreadable }: NoLiveCredential): string[] {
  const found = Object.entries(states).map(([why, state]) => {
    const refs = unreadable.filter((one) => one.why === why).map(({ ref }) => ref);
    return { refs, state };
  });
  return [
    ...(refused.length > 0 ? [`The target refuses ${list(refused)}.`] : []),
    ...found
      .filter(({ refs }) => refs.length > 0)
      .map(
        ({ refs, state }) => `${capital(list(refs))} ${refs.length === 1 ? "is" : "are"} ${state}.`,
      ),
  ];
}

function remedy({ account, refused, unreadable }: NoLiveCredential): string {
  const enable = unreadable.filter(({ why }) => why === "disabled").map(({ ref }) => ref);
  const recover = unreadable.filter(({ why }) => why === "deleted").map(({ ref }) => ref);
  const steps = [
    ...(enable.length > 0 ? [`enable ${list(enable)}`] : []),
    ...(recover.length > 0 ? [`recover the deleted secret ${formatSecretNames(recover)}`] : []),
  ];
  if (steps.length === 0) {
    const where = refused.length + unreadable.length === 0 ? "No version is known. " : "";
    return `${where}Store the current password of ${account} in the published secret, and request a rotation.`;
  }
  return (
    `${capital(steps.join(" and "))}, and request a rotation. If that does not help, store the current ` +
    `password of ${account} in the published secret.`
  );
}

function list(refs: readonly VersionRef[]): string {
  const shown = refs
    .slice(0, maxVersions)
    .map(({ vault, name, version }) => `${version} of ${name} in the vault ${vault}`);
  const more = refs.length - shown.length;
  const names = more > 0 ? [...shown, `${more} more`] : shown;
  const noun = refs.length === 1 ? "version" : "versions";
  const [last = "", ...others] = names.toReversed();
  return `${noun} ${others.length === 0 ? last : `${others.toReversed().join(", ")} and ${last}`}`;
}

function formatSecretNames(refs: readonly VersionRef[]): string {
  const names = new Set(refs.map(({ vault, name }) => `${name} in the vault ${vault}`));
  return [...names].slice(0, maxVersions).join(" and ");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
