import { AccountBlockedError, AuthorityRefusedError } from "../shared/core/errors.ts";

export type ErrorClass = abstract new (...args: never[]) => Error;

/** Errors that extend another one of the contract, and say something else. */
const narrower: readonly ErrorClass[] = [AuthorityRefusedError, AccountBlockedError];

/** Whether the error says what this kind says: not only that it extends the kind. */
export function isOfKind(error: unknown, kind: ErrorClass): boolean {
  const other = narrower.find((one) => error instanceof one);
  return error instanceof kind && (other === undefined || other === kind);
}

/** What the error is, for messages of the suite. */
export function nameKind(error: unknown): string {
  const other = narrower.find((one) => error instanceof one);
  return other?.name ?? (error instanceof Error ? error.constructor.name : typeof error);
}
