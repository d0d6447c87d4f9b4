import { describeDifferences, type Facts } from "../common/connection/twins.ts";

/** What usersInfo shows. Absent: the server does not show it. */
export interface ShownUser {
  readonly roles?: readonly { readonly role: string; readonly db: string }[] | undefined;
  readonly mechanisms?: readonly string[] | undefined;
  readonly authenticationRestrictions?: readonly unknown[] | undefined;
  readonly inheritedAuthenticationRestrictions?: readonly unknown[] | undefined;
  readonly inheritedPrivileges?:
    readonly { readonly resource: object; readonly actions: readonly string[] }[] | undefined;
}

/** Pure: sentences about what consumers would find changed. None if an account does not exist or is hidden. */
export function compareTwins(
  [account, user]: readonly [string, ShownUser | undefined],
  [twin, other]: readonly [string, ShownUser | undefined],
): readonly string[] {
  if (user === undefined || other === undefined) return [];
  return describeDifferences(
    { account, facts: toFacts(user) },
    { account: twin, facts: toFacts(other) },
  );
}

function toFacts(user: ShownUser): Facts {
  const values: readonly (readonly [string, readonly unknown[] | undefined])[] = [
    ["authenticationRestrictions", user.authenticationRestrictions],
    ["authenticationRestrictions of its roles", user.inheritedAuthenticationRestrictions],
    [
      "privileges of its roles",
      user.inheritedPrivileges?.map(({ resource, actions }) => [resource, actions.toSorted()]),
    ],
  ];
  return new Map([
    ...(user.roles ?? []).map(({ role, db }) => [`role ${role} of ${db}`, ""] as const),
    ...(user.mechanisms ?? []).map((name) => [`mechanism ${name}`, ""] as const),
    ...values.flatMap(([fact, all]) => (all === undefined ? [] : [[fact, toText(all)] as const])),
  ]);
}

/** The server may list the same in another order. */
const toText = (all: readonly unknown[]) =>
  all
    .map((one) => JSON.stringify(one))
    .sort()
    .join();
