import type { TargetRecord } from "./rotation.ts";

/**
 * Whether the target goes before others that are due: a person has asked for its rotation, or its secret was seen. Also holds for the
 * repeats after a failure.
 */
export function goesFirst({ request, rotation, again, exposure }: TargetRecord): boolean {
  const reasons = [request?.reason, rotation?.reason, again?.reason];
  return (
    exposure !== undefined ||
    reasons.some((reason) => reason === "operator" || reason === "exposure")
  );
}
