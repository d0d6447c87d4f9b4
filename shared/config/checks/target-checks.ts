import { type Policy, usualGrace } from "../../core/policy/policy.ts";
import { findMaxGrace } from "../../core/target.ts";
import { formatDuration } from "../../core/time.ts";
import type { Finding } from "../problems.ts";
import { isRecord } from "../yaml/is-record.ts";
import { checkFormat } from "./check-format.ts";
import { choosePolicyFor } from "./choices.ts";
import {
  type CheckContext,
  findOrigin,
  isMalformed,
  isSamePlace,
  listAccounts,
  overlaps,
  resolveSecretName,
  type TargetDraft,
} from "./drafts.ts";

type TargetCheck = (draft: TargetDraft, context: CheckContext) => Finding[];

/** Checks that involve several fields of a target. Paths begin at the target. */
export const targetChecks: readonly TargetCheck[] = [
  checkAuthority,
  ifSupported(checkOptionsOfAuthority),
  checkAccounts,
  checkAccountNames,
  checkPair,
  ifSupported(checkAdministrator),
  ifSupported(checkIdentityAccount),
  checkFormat,
  checkMinted,
  checkGrace,
  ifSupported(checkRetire),
  checkPasswordRules,
  ifSupported(checkFirstLogIn),
  checkOwnSecret,
  checkPendingNames,
  checkConsumers,
];

/** A check of who changes the password, for an authority that the type supports. Another one is a problem without consequences. */
function ifSupported(check: TargetCheck): TargetCheck {
  return (draft, context) => (checkAuthority(draft).length > 0 ? [] : check(draft, context));
}

function checkAuthority(draft: TargetDraft): Finding[] {
  const { fields, rotator } = draft;
  if (fields.admin === undefined || rotator === undefined) return [];
  const { selfService, identity, admin } = rotator.capabilities;
  const possible = {
    self: selfService,
    "managed-identity": identity,
    "{ secret: … }": admin,
  };
  const chosen = typeof fields.admin === "string" ? fields.admin : "{ secret: … }";
  if (possible[chosen]) return [];
  const others = Object.entries(possible).flatMap(([way, works]) => (works ? [way] : []));
  const way =
    findOrigin(draft) === "people"
      ? "remove it: Keyturn does not change such a value"
      : `use ${others.join(" or ")}`;
  const message = `is not supported for ${rotator.type}; ${way}`;
  return [{ path: ["admin"], message }];
}

/** Some options are required, or have no effect, depending on who changes the password. */
function checkOptionsOfAuthority({ fields, rotator, options }: TargetDraft): Finding[] {
  const { admin } = fields;
  if (admin === undefined || options === undefined) return [];
  const chosen = { self: "self", "managed-identity": "identity" } as const;
  const as = typeof admin === "string" ? chosen[admin] : "admin";
  const faults = rotator?.findOptionFaults?.(options, as) ?? [];
  return faults.map(({ path, message }) => ({ path: ["options", ...path], message }));
}

function checkAccounts(draft: TargetDraft): Finding[] {
  const [first, second] = listAccounts(draft);
  // Account names are case-insensitive on some systems.
  if (first?.name.toLowerCase() !== second?.name.toLowerCase() || second === undefined) return [];
  return [
    {
      path: ["accounts", 1],
      message: "is the same account as accounts[0]; a pair needs two accounts",
    },
  ];
}

/** Names that no account of the system can have. */
function checkAccountNames(draft: TargetDraft): Finding[] {
  const { fields, rotator, options } = draft;
  const places = [
    ...listAccounts(draft).map(({ name }, index) => ({ name, path: ["accounts", index] })),
    ...(typeof fields.admin === "object" && fields.admin.account !== undefined
      ? [{ name: fields.admin.account, path: ["admin", "account"] }]
      : []),
  ];
  return places.flatMap(({ name, path }) => {
    const message = rotator?.findUnfitAccount?.(name, options);
    return message === undefined ? [] : [{ path, message }];
  });
}

/** What an account could do instead, if accounts of the system can change themselves. */
const orSelf = ({ rotator }: TargetDraft): string =>
  rotator?.capabilities.selfService === false ? "" : "admin: self, or ";

/** The superseded account of a pair must end, unless the accounts change themselves. */
function checkPair(draft: TargetDraft): Finding[] {
  const { fields, rotator } = draft;
  const { accounts = [], admin } = fields;
  if (accounts.length < 2 || rotator === undefined) return [];
  const mayBeSelf = admin === undefined ? rotator.capabilities.selfService : admin === "self";
  if (mayBeSelf) return [];
  const why = whyNotEnded(draft, rotator);
  return why === undefined ? [] : [{ path: ["accounts"], message: `must be one account: ${why}` }];
}

/** Why the system cannot end the password of an account. */
function whyNotEnded(
  draft: TargetDraft,
  rotator: NonNullable<TargetDraft["rotator"]>,
): string | undefined {
  const { options } = draft;
  if (rotator.retire === undefined) {
    if (findOrigin(draft) === "people") {
      return "write two targets, each with an account name of its own";
    }
    return rotator.mint && rotator.overlaps
      ? "write one; its secrets are side by side"
      : `${rotator.type} cannot end the password of the other account of a pair; write one account`;
  }
  return options === undefined ? undefined : rotator.findRetireFault?.(options);
}

function checkAdministrator(draft: TargetDraft): Finding[] {
  const { admin } = draft.fields;
  if (typeof admin !== "object" || admin.account === undefined) return [];
  const administrator = admin.account.toLowerCase();
  if (!listAccounts(draft).some(({ name }) => name.toLowerCase() === administrator)) return [];
  const message = `is one of the accounts that this target rotates; use ${orSelf(draft)}another administrator`;
  return [{ path: ["admin", "account"], message }];
}

/** Every rotator with an account for the app's identity names it in the same option. */
function checkIdentityAccount(draft: TargetDraft): Finding[] {
  const { entry, fields } = draft;
  const options = isRecord(entry.value) ? entry.value["options"] : undefined;
  const account = isRecord(options) ? options["identityAccount"] : undefined;
  if (fields.admin !== "managed-identity" || typeof account !== "string") return [];
  const name = account.toLowerCase();
  if (!listAccounts(draft).some((one) => one.name.toLowerCase() === name)) return [];
  const message =
    "is one of the accounts that this target rotates; the app's identity needs another account, which has no password";
  return [{ path: ["options", "identityAccount"], message }];
}

/** The secret of the only account of a system that creates its secrets would be taken away before consumers can read the next one. */
function checkMinted(draft: TargetDraft): Finding[] {
  const { fields, rotator } = draft;
  const isSingle = fields.accounts?.length === 1;
  if (!rotator?.mint || !isSingle || overlaps(draft) !== false) return [];
  const message = `must be two: ${rotator.type} creates the secret of one account anew while consumers use that of the other`;
  return [{ path: ["accounts"], message }];
}

function checkGrace(draft: TargetDraft, context: CheckContext): Finding[] {
  const { fields } = draft;
  if (fields.accounts === undefined) return [];
  const hasGrace = fields.accounts.length > 1 || overlaps(draft);
  if (hasGrace === undefined || isMalformed(draft, "grace")) return [];
  if (!hasGrace) {
    if (fields.grace === undefined) return [];
    const message =
      "has no effect with one account, because its old password stops working at the change; remove it";
    return [{ path: ["grace"], message }];
  }
  const choice = choosePolicyFor(draft, context);
  return choice === undefined || "problem" in choice ? [] : checkMaxGrace(fields, choice.policy);
}

function checkMaxGrace({ accounts = [], grace }: TargetDraft["fields"], policy: Policy): Finding[] {
  const { every, grace: usual = usualGrace } = policy;
  if (every === undefined || (grace ?? usual) <= findMaxGrace(policy)) return [];
  const whose = policy.grace === undefined ? "by default" : "by its policy";
  const which = grace === undefined ? `is ${formatDuration(usual)} ${whose}, which is` : "is";
  const why = accounts.length > 1 ? "needs the other account" : "ends the superseded password";
  const message = `${which} longer than every of the policy (${formatDuration(every)}); use a shorter grace, because the next rotation ${why}`;
  return [{ path: ["grace"], message }];
}

/** `retire: proof` needs a rotator that can list sessions, and a target whose accounts are retired. */
function checkRetire(draft: TargetDraft, context: CheckContext): Finding[] {
  const { fields } = draft;
  if (fields.accounts === undefined) return [];
  const isOwn = fields.overrides?.retire === "proof";
  const at = isOwn ? ["overrides", "retire"] : ["type"];
  const never = whyNeverRetired(draft);
  if (never !== undefined)
    return isOwn ? [{ path: at, message: `has no effect ${never}; remove it` }] : [];
  const choice = choosePolicyFor(draft, context);
  if (choice === undefined || "problem" in choice || fields.admin === undefined) return [];
  const why = choice.policy.retire === "proof" ? whyUnproven(draft) : undefined;
  if (why === undefined) return [];
  const source = isOwn ? "" : ` of policy ${choice.policy.name}`;
  const message = `${why}. Replace retire: proof${source} with retire: grace`;
  return [{ path: at, message }];
}

/** Why nobody can see whether an account of the target is in use. */
function whyUnproven({ rotator, options }: TargetDraft): string | undefined {
  if (rotator === undefined) return undefined;
  if (rotator.hasSessions === undefined) {
    return `${rotator.type} cannot report whether an account is in use`;
  }
  return options === undefined ? undefined : rotator.findSessionsFault?.(options);
}

/** The system itself has rules for passwords, which those of the policy must satisfy. */
function checkPasswordRules(draft: TargetDraft, context: CheckContext): Finding[] {
  const { fields, rotator } = draft;
  if (rotator?.findUnfitRules === undefined) return [];
  const choice = choosePolicyFor(draft, context);
  if (choice === undefined || "problem" in choice) return [];
  const problem = rotator.findUnfitRules(choice.policy.password);
  if (problem === undefined) return [];
  const isOwn = fields.overrides?.password !== undefined;
  if (isOwn) return [{ path: ["overrides", "password"], message: problem }];
  return [{ path: ["type"], message: `policy ${choice.policy.name} ${problem}` }];
}

function whyNeverRetired(draft: TargetDraft): string | undefined {
  const { fields } = draft;
  if (fields.accounts?.length === 1) {
    const hasTwoPasswords = overlaps(draft);
    if (hasTwoPasswords === undefined) return "with one account";
    return hasTwoPasswords
      ? "with one account, because its sessions do not show which of its two passwords they logged in with"
      : "with one account, because its old password stops working at the change";
  }
  return fields.admin === "self" ? "with admin: self, because no account is retired" : undefined;
}

function checkFirstLogIn(draft: TargetDraft): Finding[] {
  const [, second] = listAccounts(draft);
  if (draft.fields.admin !== "self" || second === undefined || second.initial !== undefined) {
    return [];
  }
  const message =
    "needs initial (the secret that holds its current password), because with admin: self each account changes its own password";
  return [{ path: ["accounts", 1], message }];
}

function checkOwnSecret(draft: TargetDraft, context: CheckContext): Finding[] {
  const { admin, publish } = draft.fields;
  const published = resolveSecretName(publish, context);
  const findings: Finding[] = [];
  const isAdmin = typeof admin === "object" && checkAuthority(draft).length === 0;
  if (isAdmin && isSamePlace(resolveSecretName(admin, context), published)) {
    const message = `is the secret that this target publishes; use ${orSelf(draft)}another secret`;
    findings.push({ path: ["admin", "secret"], message });
  }
  for (const [index, { initial }] of listAccounts(draft).entries()) {
    if (!isSamePlace(resolveSecretName(initial, context), published)) continue;
    const message = "is the secret that this target publishes; remove initial from the account";
    findings.push({ path: ["accounts", index, "initial"], message });
  }
  return findings;
}

/** Rejects names that Keyturn uses for pending secrets. */
function checkPendingNames(draft: TargetDraft, context: CheckContext): Finding[] {
  const { admin, publish } = draft.fields;
  const places = [
    { path: ["publish"], place: resolveSecretName(publish, context) },
    {
      path: ["admin", "secret"],
      place: typeof admin === "object" ? resolveSecretName(admin, context) : undefined,
    },
    ...listAccounts(draft).map(({ initial }, index) => ({
      path: ["accounts", index, "initial"],
      place: resolveSecretName(initial, context),
    })),
  ];
  return places
    .filter(({ place }) => place?.name.toLowerCase().startsWith("keyturn-pending-"))
    .map(({ path }) => ({
      path,
      message:
        "must not begin with keyturn-pending-, which is reserved for pending secrets of Keyturn",
    }));
}

function checkConsumers({ fields }: TargetDraft): Finding[] {
  const { consumers = [] } = fields;
  const seen = new Set<string>();
  return consumers.flatMap((consumer, index) => {
    if (seen.has(consumer)) return [{ path: ["consumers", index], message: "is listed twice" }];
    seen.add(consumer);
    return [];
  });
}
