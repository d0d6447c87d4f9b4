import { z } from "zod";
import type { OptionFault, Using } from "../rotator.ts";

/** The account of the app's managed identity, for systems that take an Entra token as its password. */
export const identityAccount = z
  .string()
  .regex(/^[^\0]+$/, "must be the name of an account")
  .exactOptional();

interface IdentityOptions {
  readonly identityAccount?: string;
  readonly tls: { readonly mode: "verify-full" | "disable" };
}

/** The faults of options with `identityAccount` for an authority. A token is a password, so it needs TLS. */
export function findIdentityFaults(options: IdentityOptions, as: Using["as"]): OptionFault[] {
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
  ];
}
