import { parsePayload, renderPayload } from "../payload/payload.ts";
import type { Target } from "../target.ts";
import { vaultLimits } from "../vault-limits.ts";
import { type Credential } from "./secret.ts";

/** Characters. Shorter texts occur by chance, so they could not be kept out of messages. */
const minLength = 8;

/** Bytes that the other fields of a published secret may need. */
const roomBytes = 1024;

const nowhere = { engine: "", host: "", port: 0 };

/** Why a secret that somebody else issued cannot be imported; a sentence without a period and without the secret. */
export function findImportProblem(
  { account, secret }: Credential,
  { id, publish }: Pick<Target, "id" | "publish">,
): string | undefined {
  const value = secret.reveal();
  if (value.length < minLength) return `\`value\` must have at least ${minLength} characters`;
  if (!value.isWellFormed()) return "`value` must be valid Unicode";
  if (/\p{Cc}/u.test(value)) {
    return "`value` must not contain control characters, such as a line break at its end";
  }
  const maxBytes = vaultLimits.valueBytes - roomBytes;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > maxBytes) return `\`value\` must have at most ${maxBytes} bytes`;
  // Every other form escapes whatever the value contains.
  if (publish.as !== "password") return undefined;
  const rendered = renderPayload(publish.as, { account, secret }, nowhere);
  const read = parsePayload(rendered.value, [account]);
  if (read?.account === account && read.secret.equals(secret)) return undefined;
  return (
    `\`value\` does not look like a password. Target ${id} publishes the password alone (publish.as: password), ` +
    "and nobody could tell this value from another text"
  );
}
