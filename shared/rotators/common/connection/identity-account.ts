import { z } from "zod";
import type { Credential } from "../../../core/secrets/secret.ts";
import type { OptionFault, Using } from "../../rotator.ts";
import { findTokenHostFaults, requireNoFault, type TokenServer } from "./option-faults.ts";

/**
 * The account of the app's managed identity, for systems that take an Entra token as its password. `findUnfit`: `findUnfitAccount` of the
 * rotator.
 */
export const identityAccount = (findUnfit: (account: string) => string | undefined) =>
  z
    .string()
    .regex(/^[^\0]+$/, { message: "must be the name of an account", abort: true })
    .superRefine((account, context) => {
      const message = findUnfit(account);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .exactOptional();

interface IdentityOptions {
  readonly identityAccount?: string;
  readonly tls: { readonly mode: "verify-full" | "disable" };
}

/** The faults of options with `identityAccount` for an authority. A token is a password, so it needs TLS, and a host of Azure. */
export function findIdentityFaults(
  options: IdentityOptions,
  as: Using["as"],
  server: TokenServer,
): OptionFault[] {
  const path = ["identityAccount"];
  if (as !== "identity") {
    const message = "has no effect without admin: managed-identity; remove it";
    return options.identityAccount === undefined ? [] : [{ path, message }];
  }
  const missing = {
    path,
    message:
      "is required with admin: managed-identity; write the account that the server has for the app's identity",
  };
  const open = {
    path: ["tls", "mode"],
    message:
      "must not be disable with admin: managed-identity, because the token would cross the network unencrypted",
  };
  return [
    ...(options.identityAccount === undefined ? [missing] : []),
    ...(options.tls.mode === "disable" ? [open] : []),
    ...findTokenHostFaults(server, as),
  ];
}

interface TokenRequest {
  readonly scope: string;
  readonly server: TokenServer;
  /** Describes the account in messages. */
  readonly where: string;
}

/**
 * The log-in of the authority. For the identity it is `identityAccount` with a token, which is fetched now. Throws ConfigError and
 * TargetUnavailableError.
 */
export async function toLogIn(
  { options, using }: { readonly options: IdentityOptions; readonly using: Using },
  { scope, server, where }: TokenRequest,
  signal: AbortSignal,
): Promise<Credential> {
  if (using.as !== "identity") return using.credential;
  requireNoFault(findIdentityFaults(options, using.as, server), where);
  const secret = await using.getToken(scope, signal);
  return { account: nameLogIn({ options, using }), secret };
}

/** The account of that log-in. */
export function nameLogIn({
  options,
  using,
}: {
  readonly options: IdentityOptions;
  readonly using: Using;
}): string {
  return using.as === "identity" ? (options.identityAccount ?? "") : using.credential.account;
}
