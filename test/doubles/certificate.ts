import { isIPv4 } from "node:net";
import { generate } from "selfsigned";

export interface Certificate {
  /** PEM. */
  readonly key: string;
  /** PEM; self-signed, so it is also the authority that a client must trust. */
  readonly cert: string;
}

const made = new Map<string, Promise<Certificate>>();

/** One certificate per process and list of names, which may be IPv4 addresses. */
export function certificateFor(...names: readonly string[]): Promise<Certificate> {
  const key = names.join(" ");
  const known = made.get(key);
  if (known !== undefined) return known;
  const fresh = generate([{ name: "commonName", value: names[0] ?? "" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      {
        name: "subjectAltName",
        altNames: names.map((name) =>
          isIPv4(name) ? { type: 7, ip: name } : { type: 2, value: name },
        ),
      },
    ],
  }).then(({ private: privateKey, cert }) => ({ key: privateKey, cert }));
  made.set(key, fresh);
  return fresh;
}

/** For localhost and 127.0.0.1. */
export const localCertificate = (): Promise<Certificate> =>
  certificateFor("localhost", "127.0.0.1");
