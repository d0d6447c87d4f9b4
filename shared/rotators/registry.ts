import type { TokenCredential } from "@azure/identity";
import { postgresql } from "./postgresql.ts";
import type { Rotator } from "./rotator.ts";

/** Every kind of system that can be rotated: a line each. */
export const rotatorsWith = (_credential: TokenCredential): readonly Rotator[] => [postgresql];
