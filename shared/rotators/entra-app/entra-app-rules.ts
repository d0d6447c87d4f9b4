import { z } from "zod";
import { day, formatLength, hour, minute, second } from "../../core/time.ts";

/** What the rules of a tenant say about new secrets. Everything here is pure. */

const restriction = z.object({
  restrictionType: z.string(),
  state: z.string().nullish(),
  maxLifetime: z.string().nullish(),
  restrictForAppsCreatedAfterDateTime: z.string().nullish(),
});

const restrictions = z.object({ passwordCredentials: z.array(restriction).nullish() }).nullish();

const ownRules = z.object({
  value: z.array(z.object({ isEnabled: z.boolean().nullish(), restrictions })),
});
const tenantRules = z.object({
  isEnabled: z.boolean().nullish(),
  applicationRestrictions: restrictions,
});

type Restriction = z.output<typeof restriction>;

/** The rules that were read. An absent one could not be read. */
export interface Rules {
  /** Those of the application itself. */
  readonly own: unknown;
  /** Those of the whole tenant. */
  readonly tenant: unknown;
}

/** Why the tenant would refuse a new secret, as whole sentences. It may exempt callers, so these are warnings. */
export function findBroken(
  rules: Rules,
  {
    createdDateTime,
    lifetime,
  }: { readonly createdDateTime?: string | undefined; readonly lifetime: number },
): readonly string[] {
  return listRestrictions(rules)
    .filter((one) => applies(one, createdDateTime))
    .flatMap(({ restrictionType, maxLifetime }) => {
      if (restrictionType === "passwordAddition") {
        return [
          "A rule of the tenant forbids new secrets of this application. Use a federated credential or a certificate instead, or exempt the application.",
        ];
      }
      if (restrictionType !== "passwordLifetime") return [];
      const most = readIsoDuration(maxLifetime ?? "");
      return most !== undefined && lifetime > most
        ? [
            `A rule of the tenant permits secrets for ${formatLength(most)} at most. Write a shorter options.lifetime.`,
          ]
        : [];
    });
}

/** Rules of the application replace those of the tenant. */
function listRestrictions({ own, tenant }: Rules): readonly Restriction[] {
  const assigned = ownRules.safeParse(own).data?.value.find(({ isEnabled }) => isEnabled === true);
  if (assigned) return assigned.restrictions?.passwordCredentials ?? [];
  const general = tenantRules.safeParse(tenant).data;
  return general?.isEnabled === true
    ? (general.applicationRestrictions?.passwordCredentials ?? [])
    : [];
}

function applies(
  { state, restrictForAppsCreatedAfterDateTime: from }: Restriction,
  createdDateTime: string | undefined,
): boolean {
  if (state === "disabled") return false;
  if (!from || createdDateTime === undefined) return true;
  return !(Date.parse(createdDateTime) < Date.parse(from));
}

/** Milliseconds of days and times, as in P90D or P4DT12H. Undefined for anything else. */
export function readIsoDuration(text: string): number | undefined {
  const match =
    /^P(?=.)(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.\d+)?S)?)?$/.exec(
      text,
    );
  if (!match) return undefined;
  const sizes = [day, hour, minute, second];
  return sizes.reduce((sum, size, index) => sum + size * Number(match[index + 1] ?? 0), 0);
}
