import { ConfigError } from "../errors.ts";
import { matchesAnyGlob } from "../policy/glob.ts";
import { maxWhyLength, shorten } from "../shorten.ts";

/** Why somebody wants a change, in their own words. */
export interface Justification {
  readonly reason?: string;
  /** The id of a ticket of another system. */
  readonly ticket?: string;
}

/** Who wants a change, and why. */
export interface Origin extends Justification {
  readonly by: string;
}

/** What every request that changes something must have. */
export interface JustificationRules {
  readonly require?: readonly (keyof Justification)[];
  /** Patterns with `*` and `?`. A ticket must match one of them. */
  readonly ticketPattern?: readonly string[];
}

/** Throws ConfigError, which names what is missing. */
export function requireJustification(
  { require = [], ticketPattern }: JustificationRules,
  given: Justification,
): void {
  const missing = require.filter((field) => given[field] === undefined);
  if (missing.length > 0) {
    const fields = missing.map((field) => `\`${field}\``).join(" and ");
    throw new ConfigError(`The configuration requires ${fields}. Add ${fields} to the request`);
  }
  const { ticket } = given;
  if (ticket === undefined || !ticketPattern || matchesAnyGlob(ticketPattern, ticket)) return;
  throw new ConfigError(`\`ticket\` must match ${ticketPattern.join(" or ")}`);
}

/** The justification in the field of a record. Absent when nothing was given. */
export function storeJustification(given: Justification): {
  readonly justification?: Justification;
} {
  const justification = mapJustification(given, (text) => shorten(text, maxWhyLength));
  return Object.keys(justification).length === 0 ? {} : { justification };
}

/** The justification with both texts changed. */
export function mapJustification(
  { reason, ticket }: Justification,
  map: (text: string) => string,
): Justification {
  return {
    ...(reason !== undefined && { reason: map(reason) }),
    ...(ticket !== undefined && { ticket: map(ticket) }),
  };
}

export function isSameJustification(
  a: Justification | undefined,
  b: Justification | undefined,
): boolean {
  return a?.reason === b?.reason && a?.ticket === b?.ticket;
}

/** Such as `reason: host compromised; ticket: INC0007`, as the continuation of a list. Empty without a justification. */
export function describeJustification({ reason, ticket }: Justification = {}): string {
  const parts = [
    ...(reason === undefined ? [] : [`reason: ${reason}`]),
    ...(ticket === undefined ? [] : [`ticket: ${ticket}`]),
  ];
  return parts.map((part) => `; ${part}`).join("");
}
