import { z } from "zod";
import type { AzureAccess } from "../../azure/azure-call.ts";
import { ChangeRefusedError } from "../../core/errors.ts";
import type { Examination } from "../rotator.ts";
import { type Concern, describe } from "./entra-app-errors.ts";
import { readApplication, readIfAllowed, toApplicationPath } from "./entra-app-graph.ts";
import { readLifetime } from "./entra-app-options.ts";
import { findBroken } from "./entra-app-rules.ts";

const owners = z.object({ value: z.array(z.unknown()) });
const principal = z.object({ accountEnabled: z.boolean().nullish() });

/**
 * Shows what the identity may read. Graph does not say whether an identity may change an application, so the right is `likely` unless it
 * may not even read it.
 */
export async function examineApplication(
  access: AzureAccess,
  concern: Concern,
  isProven: boolean,
  signal: AbortSignal,
): Promise<Examination> {
  const root = toApplicationPath(concern);
  const read = (path: string) => readIfAllowed(access, path, signal);
  const [found, owned, own, tenant, enabled] = await Promise.all([
    readApplication(access, concern, signal).catch(keepRefusal),
    read(`${root}/owners?$select=id`),
    read(`${root}/appManagementPolicies`),
    read("/v1.0/policies/defaultAppManagementPolicy"),
    isProven
      ? undefined
      : read(`/v1.0/servicePrincipals(appId='${concern.account}')?$select=accountEnabled`),
  ]);
  if (found instanceof Error) {
    return { obstacles: [], right: { is: "missing", why: found.message } };
  }
  const { application } = found;
  const { createdDateTime } = application;
  const obstacles = isProven ? [] : findObstacles(concern, application, enabled);
  const warnings = [
    ...findBroken(
      { own: own?.body, tenant: tenant?.body },
      { createdDateTime, lifetime: readLifetime(concern.options) },
    ),
    ...(owners.safeParse(owned?.body).data?.value.length === 0 ? [noOwners(concern)] : []),
  ];
  return { obstacles, right: { is: "likely" }, ...(warnings.length > 0 && { warnings }) };
}

/** An identity that may not read the application cannot change it, and an application that does not exist has no secrets. */
function keepRefusal(error: unknown): ChangeRefusedError {
  if (error instanceof ChangeRefusedError) return error;
  throw error;
}

function findObstacles(
  concern: Concern,
  {
    disabledByMicrosoftStatus: status = "NotDisabled",
  }: { disabledByMicrosoftStatus?: string | undefined },
  enabled: { readonly status: number; readonly body: unknown } | undefined,
): readonly string[] {
  const where = describe(concern);
  const isOff = principal.safeParse(enabled?.body).data?.accountEnabled === false;
  return [
    ...(status === "NotDisabled"
      ? []
      : [`${where} cannot log in: Microsoft has disabled the application.`]),
    ...(isOff
      ? [
          `${where} cannot log in: its service principal is disabled. Run: az ad sp update --id ${concern.account} --set accountEnabled=true`,
        ]
      : []),
    ...(enabled?.status === 404
      ? [
          `${where} cannot log in: it has no service principal. Run: az ad sp create --id ${concern.account}`,
        ]
      : []),
  ];
}

const noOwners = ({ account }: Concern): string =>
  "The application has no owners, so Keyturn's identity cannot change it with Application.ReadWrite.OwnedBy. Run: " +
  `az ad app owner add --id ${account} --owner-object-id <object id of the identity>`;
