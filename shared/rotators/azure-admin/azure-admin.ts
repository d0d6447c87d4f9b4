import type { TokenCredential } from "@azure/identity";
import type { ZodType } from "zod";
import type { AzureAccess } from "../../azure/azure-call.ts";
import { ChangeRefusedError, ConfigError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { minute } from "../../core/time.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import {
  findUnfitForSqlServer,
  findUnfitRulesForSqlServer,
  requireComplex,
  requireFit,
} from "../common/sql-server/sql-server-passwords.ts";
import { guarded } from "../guarded.ts";
import type { SettingRotator, Using } from "../rotator.ts";
import { examineServer } from "./azure-admin-examine.ts";
import { type AzureAdminOptions, azureAdminOptions, toTarget } from "./azure-admin-options.ts";
import { changeAdministrator } from "./azure-admin-server.ts";
import { type AdminTarget, describeServer } from "./azure-admin-target.ts";

export type { AzureAdminOptions };

/** For tests with an emulated Azure on this machine. */
export type AzureSeams = Pick<AzureAccess, "ca" | "pollInterval">;

/**
 * Administrators of database servers that only Azure Resource Manager changes, with the rights of the app's Azure identity: see
 * azure-admin-services.ts.
 */
export function azureAdmin(
  credential: TokenCredential,
  seams: AzureSeams = {},
): SettingRotator<AzureAdminOptions> {
  return makeAdminRotator(credential, seams, {
    type: "azure-admin",
    mistakenFor: [
      ...["azure-postgresql", "azure-mysql", "azure-documentdb", "azure-sql-mi"],
      ...["azure-postgresql-server", "azure-mysql-server", "sql-managed-instance", "mongocluster"],
    ],
    options: azureAdminOptions,
    toTarget,
    findUnfitAccount: (account, options) =>
      options ? toTarget(options).service.findUnfitAccount(account) : findUnfitName(account),
  });
}

/** What differs between the types that change an administrator through Azure. */
export interface AdminType<Options> {
  readonly type: string;
  readonly mistakenFor?: readonly string[];
  readonly options: ZodType<Options>;
  readonly toTarget: (options: Options) => AdminTarget;
  readonly findUnfitAccount: (account: string, options?: Options) => string | undefined;
}

/** The account cannot be disabled without a new password, so these rotators have no `retire`. */
export function makeAdminRotator<Options>(
  credential: TokenCredential,
  seams: AzureSeams,
  { toTarget: read, ...type }: AdminType<Options>,
): SettingRotator<Options> {
  const accessTo = ({ resourceManager: origin }: AdminTarget) => ({ credential, origin, ...seams });
  return guarded<Options>({
    ...type,
    capabilities: {
      selfService: false,
      admin: false,
      identity: true,
      propagation: 5 * minute,
    },

    endpoint(options) {
      const { service, place } = read(options);
      return service.logIn.endpoint(place);
    },

    accountRealm: (options) => read(options).service.logIn.realm,

    findPropagation: (options) => read(options).service.propagation,

    findUnfit: (secret) => findUnfitForSqlServer(secret.reveal()),

    findUnfitRules: (rules) => findUnfitRulesForSqlServer(rules, "Azure"),

    // `connectWithin` does not apply: the change goes to Azure, without a connection to the server itself.
    async apply({ options, next, using }, signal) {
      const target = read(options);
      requireIdentity(using, target);
      requireAcceptable(next, target);
      await changeAdministrator(accessTo(target), target, next, signal);
      return { credential: next };
    },

    // `connectWithin` does not apply here either: the query goes to Azure.
    async examine({ options, account, using, isProven }, signal) {
      const target = read(options);
      requireIdentity(using, target);
      return examineServer(accessTo(target), { target, account }, isProven, signal);
    },

    async verify({ options, ...check }, signal) {
      const target = read(options);
      requireFit(check.credential, describeServer(target));
      return target.service.logIn.verify(target.place, check, signal);
    },
  });
}

function requireIdentity(using: Using, target: AdminTarget): void {
  if (using.as === "identity") return;
  throw new ConfigError(
    `${describeServer(target)}: only the app's Azure identity can change the password of the administrator. Set admin: managed-identity`,
  );
}

/** Throws for a password that Azure would refuse, or that clients could not use. */
function requireAcceptable(next: Credential, target: AdminTarget): void {
  const where = describeServer(target);
  requireFit(next, where);
  requireComplex(next, where, target.service.minPassword);
  const unfit = target.service.findUnfitPassword?.(next.secret.reveal());
  if (unfit === undefined) return;
  throw new ChangeRefusedError(
    `${where}: the secret ${unfit}. Restrict the characters in the password rules of the policy`,
  );
}
