import { ChangeRefusedError, OutcomeUnknownError, TargetUnavailableError } from "../core/errors.ts";
import { type Credential, Secret } from "../core/secrets/secret.ts";
import { toInstantAt } from "../core/time.ts";
import { guarded } from "./guarded.ts";
import { makeMemoryRotator, type MemorySystem, type MintedSecret } from "./memory.ts";
import type { Capabilities, Rotator, Using } from "./rotator.ts";

type Options = Record<string, never>;

const byIdentity: Capabilities = {
  selfService: false,
  admin: false,
  identity: true,
  propagation: 0,
};

export interface MintingTraits {
  /** Milliseconds during which a request whose answer was lost may take effect. */
  readonly settleTime: number;
  /** Whether the system shows when a key was created. */
  readonly datesCreation: boolean;
}

/** What the connection strings of the system begin with. */
const connection = "Endpoint=memory;Key=";

/** The parts that do not depend on how secrets are created. */
function makeCommon(system: MemorySystem, capabilities: Partial<Capabilities>): Rotator<Options> {
  const minting: Rotator<Options> = {
    ...makeMemoryRotator(system, { ...byIdentity, ...capabilities }),
  };
  delete minting.apply;
  return minting;
}

async function begin(signal: AbortSignal, using: Using): Promise<void> {
  await Promise.resolve();
  if (signal.aborted) throw new OutcomeUnknownError("the call to memory timed out");
  if (using.as !== "identity") throw new ChangeRefusedError("memory obeys only the identity");
}

/** The reference rotator of a system with two keys, each of which it creates anew when it is asked to. */
export function makeKeysRotator(
  system: MemorySystem,
  { settleTime, datesCreation }: MintingTraits,
  capabilities: Partial<Capabilities> = {},
): Rotator<Options> {
  const { passwords, created } = system;

  function requireUnread(account: string, text: Secret | undefined): Secret {
    const present = passwords.get(account);
    if (!present) throw new ChangeRefusedError(`memory has no key ${account}`);
    if (text?.reveal().includes(present.reveal()) !== true) return present;
    throw new ChangeRefusedError(`${account} has the published secret, so it is not replaced`);
  }

  function replace(account: string): Credential {
    const secret = new Secret(`minted-${++system.mints}-of-${account}`);
    system.carry(() => {
      passwords.set(account, secret);
      created.set(account, system.now());
    });
    return { account, secret };
  }

  return guarded<Options>({
    ...makeCommon(system, capabilities),
    async mint({ account, publishedText, using, isInTime }, signal) {
      await begin(signal, using);
      requireUnread(account, publishedText);
      requireInTime(isInTime);
      return { credential: replace(account) };
    },
    async retire({ account, publishedText, superseded, using, isInTime }, signal) {
      await begin(signal, using);
      const present = requireUnread(account, publishedText);
      if (superseded && !superseded.secret.equals(present)) return;
      requireInTime(isInTime);
      replace(account);
    },
    findSettleTime: () => settleTime,
    async findOwner({ secret, accounts, using }, signal) {
      await begin(signal, using);
      return accounts.find((account) => passwords.get(account)?.equals(secret) === true);
    },
    toConnectionString: (_, { secret }) => new Secret(`${connection}${secret.reveal()}`),
    readConnectionString(text) {
      const written = text.reveal();
      return written.startsWith(connection)
        ? { secret: new Secret(written.slice(connection.length)) }
        : undefined;
    },
    ...(datesCreation && {
      settle: async ({ account, sentAgo, superseded, using }, signal) => {
        await begin(signal, using);
        const secret = passwords.get(account);
        if (secret && superseded?.secret.equals(secret) === true) return "unknown";
        const age = system.now() - (created.get(account) ?? -Infinity);
        return secret && age < sentAgo ? { account, secret } : "unknown";
      },
    }),
  });
}

function requireInTime(isInTime: () => boolean = () => true): void {
  if (!isInTime())
    throw new TargetUnavailableError("this worker was suspended, so nothing was sent");
}

/** Names what Keyturn has created for a target. */
const nameOf = (targetId: string, rotationId = "") => `${targetId} ${rotationId}`;

/**
 * The reference rotator of a system that adds a secret beside the others when it is asked to. `lifetime`: milliseconds after which the system
 * ends a secret that it has created. Absent: it ends none.
 */
export function makeAddingRotator(
  system: MemorySystem,
  capabilities: Partial<Capabilities> = {},
  lifetime?: number,
): Rotator<Options> {
  const { passwords, minted } = system;
  const common = makeCommon(system, capabilities);
  delete common.retire;
  const list = (account: string) => minted.get(account) ?? [];
  const keep = (account: string, kept: (one: MintedSecret) => boolean) => {
    minted.set(account, list(account).filter(kept));
  };

  return guarded<Options>({
    ...common,
    overlaps: () => true,
    async mint({ account, using, mark, published, storedIds = [], isInTime }, signal) {
      await begin(signal, using);
      requireInTime(isInTime);
      const isOurs = ({ name }: MintedSecret) => name.startsWith(nameOf(mark.targetId));
      keep(account, (one) => !isOurs(one) || storedIds.includes(one.id));
      const id = `id-${++system.mints}`;
      const secret = new Secret(`minted-${system.mints}-of-${account}`);
      const name = nameOf(mark.targetId, mark.rotationId);
      const endsAt = lifetime && system.now() + lifetime;
      const isPublished = (one: MintedSecret) => published?.secret.equals(one.secret) === true;
      const publishedId = list(account).find(isPublished)?.id;
      system.carry(() => {
        minted.set(account, [...list(account), { id, name, secret, ...(endsAt && { endsAt }) }]);
      });
      const expiresAt = endsAt && toInstantAt(endsAt);
      const credential = { account, secret, secretId: id, ...(expiresAt && { expiresAt }) };
      return { credential, ...(publishedId !== undefined && { publishedId }) };
    },
    ...(lifetime !== undefined && {
      findLifetime: () => lifetime,
      findEnd: async ({ credential: { account, secret }, using }, signal) => {
        await begin(signal, using);
        const found = list(account).find((one) => one.secret.equals(secret));
        return found?.endsAt === undefined ? undefined : toInstantAt(found.endsAt);
      },
    }),
    async discard({ keep: kept, ended, using, isInTime }, signal) {
      await begin(signal, using);
      requireInTime(isInTime);
      const { targetId = "", ids = [], superseded } = ended ?? {};
      const { account, secret, secretId } = kept;
      const isKept = (one: MintedSecret) => one.id === secretId || one.secret.equals(secret);
      const isEnded = ({ id, name }: MintedSecret) =>
        name.startsWith(nameOf(targetId)) || ids.includes(id);
      system.carry(() => {
        keep(account, (one) => isKept(one) || !isEnded(one));
      });
      const first = passwords.get(account);
      if (superseded && first?.equals(superseded.secret) === true && !first.equals(secret)) {
        passwords.set(account, secret);
      }
    },
  });
}
