import { type RawAnswer, sendRaw } from "../../azure/azure-send.ts";
import { ChangeRefusedError, ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import { isKeyHost } from "../../core/secrets/addresses.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { logIn } from "../redis/redis-session.ts";
import {
  type KeyConcern,
  type ListedKey,
  listKeys,
  type ReadProperties,
  readResource,
} from "./azure-key-calls.ts";
import { makeWrongKey, type Probe, type Proof } from "./azure-key-proofs.ts";
import type { KeyProperties } from "./azure-key-properties.ts";
import { describeTarget, type KeyTarget, nameOf } from "./azure-key-target.ts";

/** How a call to a service is made. */
export interface Calling {
  readonly signal: AbortSignal;
  /** PEM, and the file that has it. For tests with doubles on this machine. */
  readonly ca?: string | undefined;
  readonly caFile?: string | undefined;
  readonly connectWithin?: number | undefined;
  readonly note?: ((sentence: string) => void) | undefined;
}

type Verdict = "accepted" | "rejected";

/** Accepts only the secret that the key of this name has, and that the service accepts. */
export async function verifyKey(
  concern: KeyConcern,
  { secret }: Credential,
  calling: Calling,
  read: ReadProperties = readResource,
): Promise<Verdict> {
  const { target, account } = concern;
  const listed = await orUnavailable(listKeys(concern, calling.signal));
  const key = listed.keys.get(account);
  if (key?.secret.equals(secret) !== true) return "rejected";
  const verdict = await prove(concern, { key, date: listed.date }, calling, read);
  if (verdict === "accepted, like a wrong key") {
    calling.note?.(
      `${describeTarget(target)} does not refuse a wrong key, so its keys are only compared with the list of Azure`,
    );
  }
  return verdict === "rejected" ? verdict : "accepted";
}

/** A key, and the time of the service. Milliseconds since 1970. */
interface Proven {
  readonly key: Pick<ListedKey, "secret" | "id">;
  readonly date: number | undefined;
}

/** Whether the service certainly accepts the key, whatever the list says. Not if it gives no answer about the key. */
export async function isStillAccepted(
  concern: KeyConcern,
  proven: Proven,
  calling: Calling,
  read: ReadProperties,
): Promise<boolean> {
  try {
    return (await prove(concern, proven, calling, read)) === "accepted";
  } catch (error) {
    if (error instanceof TargetUnavailableError) return false;
    throw error;
  }
}

/** What the service says about the key. Undefined: nobody can ask it. */
async function prove(
  concern: KeyConcern,
  { key, date }: Proven,
  calling: Calling,
  read: ReadProperties,
): Promise<Verdict | "accepted, like a wrong key" | undefined> {
  const { target } = concern;
  const { proof } = target.service;
  if (target.comparesOnly || proof === undefined) return undefined;
  if (proof.by === "redis") return proveAtRedis(target, key, calling);
  const properties = await orUnavailable(read(concern, calling.signal));
  return proveByRequest(proof, target, toProbe(target, key, properties, date), calling);
}

/** A missing right of the identity says nothing about the secret. */
export async function orUnavailable<Result>(query: Promise<Result>): Promise<Result> {
  try {
    return await query;
  } catch (error) {
    if (error instanceof ChangeRefusedError) throw new TargetUnavailableError(error.message);
    throw error;
  }
}

/** The service as its clients know it. Throws ConfigError if the options name another host. */
function toProbe(
  target: KeyTarget,
  key: Proven["key"],
  properties: KeyProperties,
  date: number | undefined,
): Probe {
  return {
    // Signatures contain the name in the case in which the resource has it.
    name: properties.name ?? nameOf(target),
    url: findAddress(target, properties),
    key: key.secret.reveal(),
    id: key.id,
    properties,
    // The clock of Azure: a signature is refused if that of the app is wrong.
    now: date ?? Date.now(),
  };
}

/** The address of the service. Keys go to no host that is not of the service. */
export function findAddress(target: KeyTarget, properties: KeyProperties): URL {
  const { service, host, port } = target;
  const stated = service.findEndpoint(properties);
  const url = URL.parse(stated ?? `https://${host.includes(":") ? `[${host}]` : host}:${port}/`);
  if (url?.protocol !== "https:" || !isKeyHost(url, service.system)) {
    throw new ConfigError(
      `${describeTarget(target)}: its address is not one of ${service.noun}s, so no key is sent to it`,
    );
  }
  if (!url.pathname.endsWith("/") && service.system !== "event-grid") url.pathname += "/";
  return url;
}

async function proveByRequest(
  proof: Extract<Proof, { by: "request" }>,
  target: KeyTarget,
  probe: Probe,
  calling: Calling,
): Promise<Verdict | "accepted, like a wrong key" | undefined> {
  const verdict = await askService(proof, target, probe, calling);
  if (verdict !== "accepted" || proof.needsControl !== true) return verdict;
  // How the wrong key is refused does not matter, because the right one is not.
  const control = { ...proof, refuses: ({ status }: RawAnswer) => [401, 403].includes(status) };
  const wrong = { ...probe, key: makeWrongKey(probe.key) };
  const isAnyAccepted = (await askService(control, target, wrong, calling)) === "accepted";
  return isAnyAccepted ? "accepted, like a wrong key" : "accepted";
}

/** Undefined: this resource cannot be asked. Throws TargetUnavailableError for an answer that says nothing about the key. */
async function askService(
  proof: Extract<Proof, { by: "request" }>,
  target: KeyTarget,
  probe: Probe,
  { signal, ca }: Calling,
): Promise<Verdict | undefined> {
  const request = proof.toRequest(probe);
  if (request === undefined) return undefined;
  const { url, ...rest } = request;
  const place = { origin: url.origin, ...(ca !== undefined && { ca }) };
  const answer = await sendRaw(place, { ...rest, path: `${url.pathname}${url.search}` }, signal);
  const where = `${describeTarget(target)} at ${url.host}`;
  if (answer.by === "nobody") {
    const { why, code } = answer;
    const reason = why === "timed-out" ? "timed out" : "could not be reached";
    throw new TargetUnavailableError(
      `${where} ${reason}${code === undefined ? "" : ` (${code})`}. ${advice}`,
    );
  }
  if (proof.accepts.includes(answer.status)) return "accepted";
  if (proof.refuses(answer)) return "rejected";
  throw new TargetUnavailableError(
    `${where} answered ${answer.status}, which says nothing about the key. ${advice}`,
  );
}

const advice =
  "If its network rules do not let the app in, change them, or set options.proof to list: then the key is only compared with the list of Azure";

async function proveAtRedis(
  { host, port }: KeyTarget,
  { secret }: Proven["key"],
  { signal, caFile, connectWithin }: Calling,
): Promise<Verdict> {
  const tls = { mode: "verify-full" as const, ...(caFile !== undefined && { caFile }) };
  const credential = { account: "default", secret };
  const session = await logIn({ host, port, tls }, credential, { signal, connectWithin });
  if (session === "rejected") return session;
  await session.close();
  return "accepted";
}
