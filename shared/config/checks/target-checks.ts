import { findLongestGrace } from "../../core/target.ts";
import { day, formatDuration } from "../../core/time.ts";
import type { Finding } from "../problems.ts";
import { isRecord } from "../yaml/is-record.ts";
import { choosePolicyFor } from "./choices.ts";
import {
  type CheckContext,
  listAccounts,
  resolveSecretName,
  samePlace,
  type TargetDraft,
} from "./drafts.ts";

type TargetCheck = (draft: TargetDraft, surroundings: CheckContext) => Finding[];

export const defaultGrace = day;

/** Finds what no single field shows. Paths begin at the target. */
export const targetChecks: readonly TargetCheck[] = [
  checkAuthority,
  checkAccounts,
  checkAdministrator,
  checkFormat,
  checkGrace,
  checkRetire,
  checkFirstLogIn,
  checkOwnSecret,
  checkPendingNames,
  checkConsumers,
];

function checkAuthority({ fields, rotator }: TargetDraft): Finding[] {
  if (fields.admin === undefined || rotator === undefined) return [];
  const { selfService, identity, admin } = rotator.capabilities;
  const possible = {
    self: selfService,
    "managed-identity": identity,
    "{ secret: … }": admin,
  };
  const wanted = typeof fields.admin === "string" ? fields.admin : "{ secret: … }";
  if (possible[wanted]) return [];
  const others = Object.entries(possible).flatMap(([way, works]) => (works ? [way] : []));
  const message = `${rotator.type} cannot be changed that way; possible is ${others.join(" or ")}`;
  return [{ path: ["admin"], message }];
}

function checkAccounts(draft: TargetDraft): Finding[] {
  const [first, second] = listAccounts(draft);
  // Some systems do not tell upper from lower case in names of accounts.
  if (first?.name.toLowerCase() !== second?.name.toLowerCase() || second === undefined) return [];
  return [{ path: ["accounts", 1], message: "is the same account as the first one" }];
}

function checkAdministrator(draft: TargetDraft): Finding[] {
  const { admin } = draft.fields;
  if (typeof admin !== "object" || admin.account === undefined) return [];
  const administrator = admin.account.toLowerCase();
  if (!listAccounts(draft).some(({ name }) => name.toLowerCase() === administrator)) return [];
  const message =
    "is one of the accounts that this target changes; use admin: self, or another administrator";
  return [{ path: ["admin", "account"], message }];
}

function checkFormat({ entry, fields }: TargetDraft): Finding[] {
  // As it is written: a bad name of the secret should not hide this.
  const publish = isRecord(entry.value) ? entry.value["publish"] : undefined;
  const format = isRecord(publish) ? publish["as"] : undefined;
  if (format !== "password" || (fields.accounts ?? []).length < 2) return [];
  const message =
    "must be json for a pair: from the password alone, consumers could not know the account";
  return [{ path: ["publish", "as"], message }];
}

function checkGrace(draft: TargetDraft, surroundings: CheckContext): Finding[] {
  const { fields } = draft;
  if (fields.accounts === undefined) return [];
  if (fields.accounts.length === 1) {
    if (fields.grace === undefined) return [];
    const message = "has no meaning for one account, whose old password ends with the change";
    return [{ path: ["grace"], message }];
  }
  const choice = choosePolicyFor(draft, surroundings);
  if (choice === undefined || "problem" in choice) return [];
  const { every, grace: usual = defaultGrace } = choice.policy;
  const grace = fields.grace ?? usual;
  if (every === undefined || grace <= findLongestGrace(choice.policy)) return [];
  const whose = choice.policy.grace === undefined ? "by default" : "by its policy";
  const which =
    fields.grace === undefined ? `is ${formatDuration(grace)} ${whose}, which is` : "is";
  const message = `${which} longer than the policy's every (${formatDuration(every)}); a pair needs both accounts by then`;
  return [{ path: ["grace"], message }];
}

/** Proof is asked of the system, and only where something is retired at all. */
function checkRetire(draft: TargetDraft, surroundings: CheckContext): Finding[] {
  const { fields, rotator } = draft;
  const isOwn = fields.overrides?.retire === "proof";
  const at = isOwn ? ["overrides", "retire"] : ["type"];
  const never = whyNeverRetired(draft);
  if (never !== undefined) return isOwn ? [{ path: at, message: `has no meaning ${never}` }] : [];
  const choice = choosePolicyFor(draft, surroundings);
  if (choice === undefined || "problem" in choice || rotator === undefined) return [];
  if (choice.policy.retire !== "proof" || rotator.hasSessions !== undefined) return [];
  const whose = isOwn ? "" : ` of policy ${choice.policy.name}`;
  const message = `cannot be: ${rotator.type} does not tell whether an account is in use, which retire: proof${whose} needs`;
  return [{ path: at, message }];
}

function whyNeverRetired({ fields }: TargetDraft): string | undefined {
  if (fields.accounts?.length === 1) {
    return "for one account, whose old password ends with the change";
  }
  return fields.admin === "self" ? "with admin: self, which retires no account" : undefined;
}

function checkFirstLogIn(draft: TargetDraft): Finding[] {
  const [, second] = listAccounts(draft);
  if (draft.fields.admin !== "self" || second === undefined || second.initial !== undefined) {
    return [];
  }
  const message =
    "needs initial (the secret that holds its password today): with admin: self, each account logs in by itself";
  return [{ path: ["accounts", 1], message }];
}

function checkOwnSecret(draft: TargetDraft, surroundings: CheckContext): Finding[] {
  const { admin, publish } = draft.fields;
  const published = resolveSecretName(publish, surroundings);
  const findings: Finding[] = [];
  if (typeof admin === "object" && samePlace(resolveSecretName(admin, surroundings), published)) {
    const message = "is the secret that this target publishes; use admin: self, or another secret";
    findings.push({ path: ["admin", "secret"], message });
  }
  for (const [index, { initial }] of listAccounts(draft).entries()) {
    if (!samePlace(resolveSecretName(initial, surroundings), published)) continue;
    const message =
      "is the secret that this target publishes; leave it out for the account that is in there";
    findings.push({ path: ["accounts", index, "initial"], message });
  }
  return findings;
}

/** Keyturn keeps new secrets under these names until they are live. */
function checkPendingNames(draft: TargetDraft, surroundings: CheckContext): Finding[] {
  const { admin, publish } = draft.fields;
  const places = [
    { path: ["publish"], place: resolveSecretName(publish, surroundings) },
    {
      path: ["admin", "secret"],
      place: typeof admin === "object" ? resolveSecretName(admin, surroundings) : undefined,
    },
    ...listAccounts(draft).map(({ initial }, index) => ({
      path: ["accounts", index, "initial"],
      place: resolveSecretName(initial, surroundings),
    })),
  ];
  return places
    .filter(({ place }) => place?.name.toLowerCase().startsWith("keyturn-pending-"))
    .map(({ path }) => ({
      path,
      message: "begins with keyturn-pending-, which Keyturn uses itself",
    }));
}

function checkConsumers({ fields }: TargetDraft): Finding[] {
  const { consumers = [] } = fields;
  const seen = new Set<string>();
  return consumers.flatMap((consumer, index) => {
    if (seen.has(consumer)) return [{ path: ["consumers", index], message: "is there twice" }];
    seen.add(consumer);
    return [];
  });
}
