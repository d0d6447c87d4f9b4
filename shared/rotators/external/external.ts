import { TargetUnavailableError } from "../../core/errors.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import { exchange, NoReplyError } from "../common/connection/https-line.ts";
import { guarded } from "../guarded.ts";
import type { Check, Rotator } from "../rotator.ts";
import { type ExternalOptions, externalOptions, type Probe } from "./external-options.ts";

export type { ExternalOptions };

/**
 * A system whose values people hand over: there is no way to set one. Values are imported, or written into the vault; a probe shows
 * whether they are valid.
 */
export const external: Rotator<ExternalOptions> = guarded<ExternalOptions>({
  type: "external",
  options: externalOptions,
  capabilities: { selfService: false, admin: false, identity: true, propagation: 0 },

  endpoint: ({ host, port, connection }) => ({
    ...{ engine: "external", host, port },
    ...(Object.keys(connection).length > 0 && { more: connection }),
  }),

  findUnfit: findUnfitHeader,

  findUnfitAccount: findUnfitName,

  async verify(check, signal) {
    const { options, note } = check;
    if (options.probe) return askProbe(options.probe, check, signal);
    note?.(
      `Nobody can prove a value of ${options.host}, so Keyturn takes it as valid. Set options.probe to check it.`,
    );
    return "accepted";
  },
});

/** A header carries printable ASCII only, and a client might cut spaces at its ends. */
function findUnfitHeader(secret: Secret): string | undefined {
  const text = secret.reveal();
  if (/^[\x20-\x7E]*$/.test(text) && text.trim() === text) return undefined;
  return "`value` must have only printable ASCII characters, and no space at its ends";
}

async function askProbe(
  { url, method, header, prefix, accepted, refused, tls }: Probe,
  { credential, connectWithin }: Check<ExternalOptions>,
  signal: AbortSignal,
): Promise<"accepted" | "rejected"> {
  const { host, hostname, port, pathname, search } = new URL(url);
  const where = `the probe of account ${credential.account} at ${host}`;
  const place = {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || 443),
    caFile: tls.caFile,
  };
  const asked = {
    ...{ method, path: `${pathname}${search}`, connectWithin },
    headers: { host, [header.toLowerCase()]: `${prefix}${credential.secret.reveal()}` },
  };
  try {
    const status = await exchange(
      place,
      asked,
      (response) => Promise.resolve(response.statusCode ?? 0),
      signal,
    );
    if (accepted.includes(status)) return "accepted";
    if (refused.includes(status)) return "rejected";
    throw new TargetUnavailableError(
      `${where}: status ${status} says nothing about the value. If it does, add it to options.probe.accepted or options.probe.refused`,
    );
  } catch (error) {
    if (!(error instanceof NoReplyError)) throw error;
    throw new TargetUnavailableError(`${where}: ${error.message}`);
  }
}
