import { createECDH, createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { z } from "zod";
import type { LoopbackReply } from "../loopback.ts";
import { parseBody } from "./emulator-limits.ts";
import { takePage } from "./paging.ts";
import { findKey, type KeyEntry, type KeyVersion, type VaultState } from "./state.ts";
import type { Perform, VaultContext } from "./vault-call.ts";
import { badParameter, keyNotFound } from "./vault-error.ts";

/** Keys for signatures with ES256, the only kind that Keyturn uses. The private part leaves the vault in no answer. */
const createBody = z.object({ kty: z.literal("EC"), crv: z.literal("P-256").default("P-256") });
const tagText = z.string().max(256);
const updateBody = z.object({
  tags: z
    .record(tagText, tagText)
    .refine((tags) => Object.keys(tags).length <= 15, "A key has at most 15 tags")
    .nullish(),
});
const signBody = z.object({ alg: z.string(), value: z.base64url() });

export const KEY_OPERATIONS = {
  "create-key": async (vault, { name, body, now }) => {
    parseBody(createBody, body);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "", d = "" } = privateKey.export({ format: "jwk" });
    const version = randomBytes(16).toString("hex");
    const created = Math.floor(now / 1000);
    await vault.commit(() => [{ kind: "key-created", name, version, created, x, y, d }]);
    return toBundle(vault, requireVersion(vault.state, name, version));
  },

  "get-key": (vault, { name, version }) =>
    toBundle(vault, requireVersion(vault.state, name, version)),

  // Only tags change; those in the body replace all.
  "update-key": async (vault, { name, version, body }) => {
    const { tags } = parseBody(updateBody, body);
    const { entry, made } = requireVersion(vault.state, name, version);
    const of = { name: entry.name, version: made.version };
    if (tags) await vault.commit(() => [{ kind: "key-tagged", ...of, tags }]);
    return toBundle(vault, requireVersion(vault.state, name, version));
  },

  "list-key-versions": (vault, { name, query }) => {
    const entry = findKey(vault.state, name);
    const found = (entry?.versions ?? []).flatMap((made) => (entry ? [{ entry, made }] : []));
    const json = takePage(found, {
      key: ({ made }) => made.version,
      show: (one) => ({ kid: kidOf(vault, one), ...describe(vault, one) }),
      url: `${vault.url}/keys/${name}/versions`,
      query,
    });
    return { status: 200, json };
  },

  sign: (vault, { name, version, body }) => {
    const { alg, value } = parseBody(signBody, body);
    const found = requireVersion(vault.state, name, version);
    const digest = Buffer.from(value, "base64url");
    if (alg !== "ES256") {
      throw badParameter(
        `Key and signing algorithm are incompatible. Key https requires 'ES256', actual '${alg}'.`,
      );
    }
    if (digest.length !== 32) {
      throw badParameter(`Invalid length of 'value': ${String(digest.length)} bytes.`);
    }
    const signed = signDigest(digest, found.made);
    const json = { kid: kidOf(vault, found), value: signed.toString("base64url") };
    return { status: 200, json };
  },
} as const satisfies Readonly<Record<string, Perform>>;

interface Found {
  readonly entry: KeyEntry;
  readonly made: KeyVersion;
}

function requireVersion(state: VaultState, name: string, version: string | undefined): Found {
  const entry = findKey(state, name);
  const made = version
    ? entry?.versions.find((each) => each.version === version)
    : entry?.versions.at(-1);
  if (!entry || !made) throw keyNotFound(name, version);
  return { entry, made };
}

const kidOf = ({ url }: VaultContext, { entry, made }: Found): string =>
  `${url}/keys/${entry.name}/${made.version}`;

function toBundle(vault: VaultContext, found: Found): LoopbackReply {
  const { x, y } = found.made;
  const key = { kid: kidOf(vault, found), kty: "EC", key_ops: ["sign", "verify"], crv: "P-256" };
  return { status: 200, json: { key: { ...key, x, y }, ...describe(vault, found) } };
}

/** What an answer has besides the key itself. */
function describe({ policy }: VaultContext, { made: { created, tags } }: Found) {
  const attributes = {
    ...{ enabled: true, created, updated: created, exportable: false },
    ...{ recoveryLevel: "Recoverable+Purgeable", recoverableDays: policy.retentionDays },
  };
  return { attributes, ...(tags && { tags }) };
}

/** The order of the curve P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** ECDSA over a digest: Node only signs what it has hashed itself. For tests on this machine, because its time depends on the key. */
function signDigest(digest: Buffer, { x, y, d }: KeyVersion): Buffer {
  // Throws for a damaged key.
  createPrivateKey({ key: { kty: "EC", crv: "P-256", x, y, d }, format: "jwk" });
  const nonce = createECDH("prime256v1");
  nonce.generateKeys();
  const k = toNumber(nonce.getPrivateKey());
  const r = toNumber(nonce.getPublicKey().subarray(1, 33)) % ORDER;
  const secret = toNumber(Buffer.from(d, "base64url"));
  const s = (invert(k) * (toNumber(digest) + r * secret)) % ORDER;
  return Buffer.concat(
    [r, s].map((part) => Buffer.from(part.toString(16).padStart(64, "0"), "hex")),
  );
}

const toNumber = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString("hex")}`);

/** By Fermat's little theorem, because the order is a prime number. */
function invert(value: bigint): bigint {
  let [result, base, exponent] = [1n, value % ORDER, ORDER - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % ORDER;
    base = (base * base) % ORDER;
  }
  return result;
}
