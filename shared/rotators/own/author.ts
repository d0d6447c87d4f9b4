/**
 * What the author of a rotator imports, as `keyturn/rotator`: `defineRotator`, the contract, the errors, and parts that most rotators need.
 * docs/adding-a-rotator.md explains how to use them.
 */
export {
  AccountBlockedError,
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  OperationOpenError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
export { type Credential, Secret } from "../../core/secrets/secret.ts";
export type { Endpoint } from "../../core/target.ts";
export { findUnfitName } from "../common/connection/account-name.ts";
export { connectLimit } from "../common/connection/connect-limit.ts";
export { hasFired } from "../common/connection/heard-signal.ts";
export { host } from "../common/connection/host.ts";
export { describeConnectionError } from "../common/connection/lost-line.ts";
export { isAnybodySeen } from "../common/connection/sessions-seen.ts";
export { caFile, makeSecureContext, readAuthority, tls } from "../common/connection/tls.ts";
export type {
  Applied,
  Capabilities,
  Change,
  Check,
  Discard,
  Ended,
  Examination,
  Examine,
  Look,
  Mark,
  Mint,
  Minted,
  OptionFault,
  Ownerless,
  Retire,
  Right,
  Rotator,
  ServerReport,
  SetBack,
  Settled,
  Settling,
  Using,
} from "../rotator.ts";
export { defineRotator } from "./define.ts";
/** The schema library of Keyturn, so that the options are of the version that Keyturn reads. */
export { z } from "zod";
