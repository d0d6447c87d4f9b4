import { z } from "zod";
import { parseDuration } from "../../core/time.ts";

/**
 * How long a double on this machine may refuse a new secret. The servers of Azure learn of a secret one after the other, so a secret of
 * Azure is proven twice, a minute apart; a double has one server.
 */
export const doublePropagation = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, "must be a duration, such as 0s")
  .exactOptional();

/** Why other targets cannot have the field. */
export const forDoublesOnly =
  "is for a double on this machine only, because Azure needs some minutes until all its servers have a new secret. Remove it";

/** Milliseconds. `otherwise`: those of Azure. */
export const readPropagation = (text: string | undefined, otherwise: number): number =>
  (text === undefined ? undefined : parseDuration(text)) ?? otherwise;
