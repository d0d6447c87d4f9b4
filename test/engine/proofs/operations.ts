import { claimLength } from "../../../shared/core/lifecycle/decide.ts";
import { guessWindowMs } from "../../../shared/core/looks/guesses.ts";
import { parsePayload } from "../../../shared/core/payload/payload.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { hour, minute, plus } from "../../../shared/core/time.ts";
import { type GivenResult } from "../../../shared/engine/inbox/given.ts";
import { importSecret } from "../../../shared/engine/inbox/import.ts";
import { requestRotation } from "../../../shared/engine/inbox/request-rotation.ts";
import { requestUndo } from "../../../shared/engine/inbox/undo.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import { unblockTarget } from "../../../shared/engine/work/unblock.ts";
import { workOn } from "../../../shared/engine/worker.ts";
import { readLedger } from "../ledger/read-ledger.ts";
import { keyed, setPassword, writeByHand } from "../steps.ts";
import { type Kind, open, type World } from "../world.ts";

/** One way in which a person changes what is published. */
export interface Operation {
  readonly name: string;
  /** Whether the operation applies to this kind of target. Absent: it always does. */
  readonly fits?: (kind: Kind) => boolean;
  /** How many entries about its end the ledger has: a rotation that is blocked and continues has two. Default: one. */
  readonly ends?: number;
  /** Happens before the first stop. */
  prepare?(world: World): Promise<unknown>;
  /** Happens outside of Keyturn, directly after an effect. */
  after?(world: World, effect: string): void;
  /** The account of a pair that is no longer published at the end. */
  supersedes(kind: Kind): string;
  /** Makes the request, again with the same key after a crash. Returns the id of the rotation. */
  request(ports: Ports, world: World): Promise<string>;
  /** Conditions that must hold at the end, besides those of every rotation. */
  violations(world: World): Promise<string[]>;
}

const imported = "issued-elsewhere-4711";

const wanted = { requestedBy: "test" };

const firstAccount = ({ accounts }: Kind): string => accounts[0] ?? "";

export const rotation: Operation = {
  name: "rotation",
  supersedes: firstAccount,
  async request(ports, world) {
    const request = { reason: "operator", requestedBy: "test", key: keyed("once") } as const;
    return (await requestRotation(ports, world.target, request)).rotationId;
  },
  violations: () => Promise.resolve([]),
};

const importing: Operation = {
  name: "import",
  fits: ({ mints }) => mints === undefined,
  supersedes: firstAccount,
  request: requestImport,
  async violations(world) {
    return [...notPublished(world, imported), ...(await leaks(world, imported))];
  },
};

/** The database administrator sets the secret while it is imported. */
const importingSet: Operation = {
  ...importing,
  name: "import of a secret that the target has already",
  fits: ({ mints }) => mints !== "adds",
  after(world, effect) {
    const isStored = world.vault.versions("keyturn-pending-app").length > 0;
    if (effect !== "vault.write" || !isStored) return;
    const account = world.kind.accounts.at(-1) ?? "";
    for (const { passwords, seconds } of world.systems) {
      const before = passwords.get(account);
      const isNew = before?.reveal() !== imported;
      if (world.kind.overlap && before && isNew) seconds.set(account, before);
      passwords.set(account, new Secret(imported));
    }
  },
  async violations(world) {
    const isSet = world.applied.size === 0;
    const broken = isSet ? [] : ["Keyturn set a secret that the target had"];
    return [...broken, ...(await importing.violations(world))];
  },
};

const undoing: Operation = {
  name: "undo",
  supersedes: ({ accounts }) => accounts.at(-1) ?? "",
  async prepare(world) {
    await workOn(world.ports(open), world.target);
    await rotation.request(world.ports(open), world);
    await workOn(world.ports(open), world.target);
  },
  async request(ports, world) {
    return idOf(await requestUndo(ports, world.target, { ...wanted, key: keyed("undo") }));
  },
  async violations(world) {
    const previous = `first-secret-of-${firstAccount(world.kind)}`;
    return [...notPublished(world, previous), ...(await leaks(world, previous))];
  },
};

/** Every operation with a secret that Keyturn does not generate. */
export const givenOperations: readonly Operation[] = [importing, importingSet, undoing];

const dating: Operation = {
  ...rotation,
  name: "rotation at a date",
  async request(ports, world) {
    const notBefore = plus(world.now(), hour);
    const request = { reason: "operator", ...wanted, notBefore, key: keyed("once") } as const;
    return (await requestRotation(ports, world.target, request)).rotationId;
  },
};

/** The second account of a pair has a secret of its own. */
const storedIn = ({ accounts }: Kind): string => (accounts.length === 1 ? "app-db" : "app-second");

/** A person stores the password that a blocked target has, and says so. */
const unblocking: Operation = {
  name: "unblock",
  fits: ({ as }) => as === "self",
  ends: 2,
  supersedes: firstAccount,
  async prepare(world) {
    await workOn(world.ports(open), world.target);
    const account = world.kind.accounts.at(-1) ?? "";
    setPassword(world, account, "set by hand");
    await rotation.request(world.ports(open), world);
    await workOn(world.ports(open), world.target);
    world.advance(guessWindowMs);
    await writeByHand(world, account, "set by hand", storedIn(world.kind));
  },
  async request(ports, world) {
    const version = world.vault.versions(storedIn(world.kind)).at(-1)?.ref.version ?? "";
    const input = { by: "test", version, key: keyed("unblock") };
    const { result } = await unblockTarget(ports, world.target, input);
    if ("refused" in result) return `refused: ${result.refused}`;
    // A process died while it tried.
    if ("busy" in result) world.advance(claimLength);
    return ("rotationId" in result && result.rotationId) || "";
  },
  async violations(world) {
    const entries = await readLedger(world.journal);
    const count = entries.filter(({ action }) => action === "target.unblock").length;
    const broken = count === 1 ? [] : [`the ledger has ${count} entries of the unblock`];
    return [...broken, ...(await leaks(world, "set by hand"))];
  },
};

/** When the second server went down. */
const downSince = new WeakMap<World, number>();

/** The second of several servers goes down after the first is changed, and comes back after some tries. */
const interrupted: Operation = {
  ...rotation,
  name: "rotation that a server interrupts",
  fits: ({ several }) => several === true,
  after(world, effect) {
    const since = downSince.get(world);
    const now = Date.parse(world.now());
    if (since === undefined && effect === "node.apply") {
      downSince.set(world, now);
      world.setTrouble(1, "is down");
    } else if (since !== undefined && now - since > 15 * minute) {
      world.setTrouble(1, undefined);
    }
  },
};

/** Every operation whose effects differ from those of a rotation that begins at once. */
export const otherOperations: readonly Operation[] = [
  ...givenOperations,
  dating,
  unblocking,
  interrupted,
];

async function requestImport(ports: Ports, world: World): Promise<string> {
  const input = { ...wanted, value: new Secret(imported), mayApply: true, key: keyed("once") };
  return idOf(await importSecret(ports, world.target, input));
}

function idOf(result: GivenResult): string {
  if ("rotationId" in result) return result.rotationId;
  return "refused" in result ? `refused: ${result.refused}` : "";
}

function notPublished(world: World, password: string): string[] {
  const newest = world.vault.versions("app-db").at(-1);
  const found = newest && parsePayload(newest.value, world.kind.accounts);
  return found?.secret.equals(new Secret(password)) === true
    ? []
    : ["another secret than the given one is published"];
}

/** Where the secret is, although only the vault and the target may have it. */
export async function leaks(world: World, value: string): Promise<string[]> {
  const places: Record<string, unknown> = {
    "the record": await world.journal.read("app"),
    "the history": await world.journal.runs("app", 100),
    "the ledger": await readLedger(world.journal),
    "an idempotency key": [
      await world.journal.request("app", "once"),
      await world.journal.request("app", "undo"),
      await world.journal.request("app", "unblock"),
    ],
    "an alarm": await world.journal.alarms(100),
    "an event": world.events,
    "a notification": world.notifier.sent,
    "a message to a consumer": world.consumer.refreshes,
  };
  return Object.keys(places)
    .filter((place) => JSON.stringify(places[place]).includes(value))
    .map((place) => `the secret is in ${place}`);
}
