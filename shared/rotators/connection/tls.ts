import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import { z } from "zod";
import { ConfigError } from "../../core/errors.ts";

/** PEM file of the authorities to trust instead of the well-known ones. Read at each use. */
export const caFile = z.string().min(1).exactOptional();

/** For systems that may be asked without TLS. */
export const tls = z
  .strictObject({ mode: z.enum(["verify-full", "disable"]).default("verify-full"), caFile })
  .refine(({ mode, caFile: file }) => mode === "verify-full" || file === undefined, {
    path: ["caFile"],
    message: "has no use when mode is disable",
  });

const contexts = new Map<
  string,
  { readonly ca: Buffer | undefined; readonly context: SecureContext }
>();

/**
 * What a client verifies servers with: one context for each file, made anew when the file has another content, or with the
 * well-known authorities when none is named. Throws ConfigError.
 */
export async function secureContextFor(file: string | undefined): Promise<SecureContext> {
  const ca = await readAuthority(file);
  const known = contexts.get(file ?? "");
  if (known && (ca === undefined || known.ca?.equals(ca) === true)) return known.context;
  const context = createSecureContext(ca ? { ca } : {});
  contexts.set(file ?? "", { ca, context });
  return context;
}

/** What the file holds; undefined when none is named. Throws ConfigError. */
export async function readAuthority(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  const field = `options.tls.caFile: ${file}`;
  const ca = await readFile(file).catch((error: unknown) => {
    const code: unknown = error instanceof Error && Reflect.get(error, "code");
    const reason = typeof code === "string" ? code : "unknown reason";
    throw new ConfigError(`${field} cannot be read (${reason})`);
  });
  try {
    new X509Certificate(ca);
  } catch {
    throw new ConfigError(`${field} holds no certificate in PEM`);
  }
  return ca;
}
