import { X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

/** All PEM. */
export interface Certificate {
  /** The authority that a client must trust. Its key is thrown away, so that it can sign no other certificate. */
  readonly ca: string;
  /** The certificate for localhost, 127.0.0.1 and ::1. */
  readonly cert: string;
  readonly key: string;
}

const day = 24 * 60 * 60 * 1000;

/**
 * Makes a server certificate for this machine's loopback addresses, and the authority that signs it. With a directory, later
 * calls return the same certificate until a month before it expires.
 */
export async function makeCertificate(directory?: string): Promise<Certificate> {
  if (directory === undefined) return sign();
  const file = join(directory, "certificate.json");
  const kept = await readKept(file);
  if (kept !== undefined) return kept;
  const made = await sign();
  await mkdir(directory, { recursive: true });
  // Renamed into place, so that the next start never reads a half-written file.
  await writeFile(`${file}.new`, JSON.stringify(made), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return made;
}

async function readKept(file: string): Promise<Certificate | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const kept = JSON.parse(text) as Certificate;
  const ends = new X509Certificate(kept.cert).validToDate.getTime();
  return ends - Date.now() > 30 * day ? kept : undefined;
}

async function sign(): Promise<Certificate> {
  // The certificate is valid a day earlier, for clients whose clock is behind.
  const period = {
    notBeforeDate: new Date(Date.now() - day),
    notAfterDate: new Date(Date.now() + 365 * day),
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
  } as const;
  const authority = await generate([{ name: "commonName", value: "Keyturn local authority" }], {
    ...period,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: "commonName", value: "localhost" }], {
    ...period,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
          { type: 7, ip: "::1" },
        ],
      },
    ],
  });
  return { ca: authority.cert, cert: server.cert, key: server.private };
}
