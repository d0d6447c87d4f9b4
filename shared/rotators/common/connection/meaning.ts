import {
  AccountBlockedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../../core/errors.ts";

/** What an answer of a server means. `where` describes the account in the message. */
export type Meaning = (where: string) => Error;

const meaningOf =
  (Kind: new (message: string) => Error) =>
  (sentence: string): Meaning =>
  (where) =>
    new Kind(`${where}: ${sentence}`);

export const unavailable = meaningOf(TargetUnavailableError);
export const blocked = meaningOf(AccountBlockedError);
export const config = meaningOf(ConfigError);
export const refused = meaningOf(ChangeRefusedError);
export const unknown = meaningOf(OutcomeUnknownError);
