import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import { z } from "zod";
import { ConfigError } from "../../../core/errors.ts";

/** A PEM file with the authorities to trust instead of the well-known ones. It is read at each use. */
export const caFile = z.string().min(1).exactOptional();

/** The options of systems that permit connections without TLS. */
export const tls = z
  .strictObject({ mode: z.enum(["verify-full", "disable"]).default("verify-full"), caFile })
  .refine(({ mode, caFile: file }) => mode === "verify-full" || file === undefined, {
    path: ["caFile"],
    message: "has no effect when mode is disable",
  });

const contexts = new Map<
  string,
  { readonly ca: Buffer | undefined; readonly context: SecureContext }
>();

/**
 * The context with which a client verifies servers: one for each file, created again when the content of the file changes. Without a
 * file it uses the well-known authorities. Throws ConfigError.
 */
export async function makeSecureContext(file: string | undefined): Promise<SecureContext> {
  const ca = await readAuthority(file);
  const known = contexts.get(file ?? "");
  if (known && (ca === undefined || known.ca?.equals(ca) === true)) return known.context;
  const context = createSecureContext(ca ? { ca } : {});
  contexts.set(file ?? "", { ca, context });
  return context;
}

/** The content of the file; undefined without a file. Throws ConfigError. */
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
    throw new ConfigError(`${field} contains no PEM certificate`);
  }
  return ca;
}
