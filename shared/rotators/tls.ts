import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ConfigError } from "../core/errors.ts";

/** PEM file of the authorities to trust instead of the well-known ones. Read at each use. */
export const caFile = z.string().min(1).exactOptional();

/** For systems that may be asked without TLS. */
export const tls = z
  .strictObject({ mode: z.enum(["verify-full", "disable"]).default("verify-full"), caFile })
  .refine(({ mode, caFile: file }) => mode === "verify-full" || file === undefined, {
    path: ["caFile"],
    message: "has no use when mode is disable",
  });

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
