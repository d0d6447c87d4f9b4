import { Secret } from "../../shared/core/secret.ts";
import { wakeAt } from "../../shared/core/decide.ts";
import type { VersionRef } from "../../shared/core/target.ts";
import { hour, second } from "../../shared/core/time.ts";
import { requestRotation } from "../../shared/engine/request.ts";
import { JournalUnavailableError } from "../../shared/stores/journal.ts";
import { VaultUnavailableError } from "../../shared/core/errors.ts";
import { writeByHand } from "./steps.ts";
import { engine, type Worker } from "./stops.ts";
import { type Gate, type Kind, makeWorld, open, type World } from "./world.ts";

/** What happens behind Keyturn's back, at one moment of a rotation or of a retirement. */
export interface Disturbance {
  readonly name: string;
  /** Whether it makes sense for such a target. */
  readonly fits?: (kind: Kind) => boolean;
  strike(world: World): unknown;
  /** What a person or time puts right afterwards. */
  heal?(world: World): unknown;
}

const isPair = ({ accounts }: Kind) => accounts.length === 2;
const byHand = "set by hand";

/** The account that consumers read at this moment, as the vault has it. */
function publishedAccount(world: World): string {
  const newest = world.vault.versions("app-db").at(-1);
  const body = JSON.parse(newest?.value.reveal() ?? "{}") as { username?: string };
  return body.username ?? world.kind.accounts[0] ?? "";
}

function otherAccount(world: World): string {
  const published = publishedAccount(world);
  return world.kind.accounts.find((account) => account !== published) ?? published;
}

/** Passwords that a person changed, as they were before. */
const before = new WeakMap<World, ReadonlyMap<string, Secret>>();

function changeByHand(world: World): void {
  before.set(world, new Map(world.system.passwords));
  world.system.passwords.set(publishedAccount(world), new Secret(byHand));
}

/** Only an account that changes itself needs the person: an admin can give it another password. */
function undoChange(world: World): void {
  for (const [account, secret] of before.get(world) ?? []) {
    const now = world.system.passwords.get(account)?.reveal();
    const isLost = now === undefined || (now === byHand && world.kind.as === "self");
    if (isLost) world.system.passwords.set(account, secret);
  }
}

/** Versions that a person disabled. */
const disabled = new WeakMap<World, VersionRef>();

async function disableNewest(world: World): Promise<void> {
  const newest = world.vault.versions("app-db").at(-1);
  if (!newest) return;
  disabled.set(world, newest.ref);
  await world.vault.disable(newest.ref, new AbortController().signal);
}

function enableAgain(world: World): void {
  const ref = disabled.get(world);
  if (ref) world.vault.enable(ref);
}

export const disturbances: readonly Disturbance[] = [
  {
    name: "the server recovers without its last commits",
    strike: (world) => {
      world.loseLastCommit();
    },
  },
  {
    name: "the published account is changed by hand",
    strike: changeByHand,
    heal: undoChange,
  },
  {
    name: "the published account is changed and stored by hand",
    strike: async (world) => {
      const account = publishedAccount(world);
      world.system.passwords.set(account, new Secret(byHand));
      await writeByHand(world, account, byHand);
    },
  },
  {
    name: "the published account is dropped for an hour",
    strike: (world) => {
      before.set(world, new Map(world.system.passwords));
      world.system.passwords.delete(publishedAccount(world));
    },
    heal: undoChange,
  },
  {
    name: "the published account is locked for an hour",
    strike: (world) => {
      const account = publishedAccount(world);
      world.system.obstacles.set(account, `Account ${account} is locked.`);
    },
    heal: (world) => {
      world.system.obstacles.clear();
    },
  },
  {
    name: "the published secret is deleted for an hour",
    strike: (world) => {
      world.vault.remove("app-db");
    },
    heal: (world) => {
      world.vault.recover("app-db");
    },
  },
  {
    name: "the published version is disabled for an hour",
    strike: disableNewest,
    heal: enableAgain,
  },
  {
    name: "the vault is read-only for an hour",
    strike: (world) => {
      world.setFault((effect) =>
        effect === "vault.write" ? new VaultUnavailableError("no right to write") : undefined,
      );
    },
    heal: (world) => {
      world.setFault(() => undefined);
    },
  },
  {
    name: "the vault is out of reach for an hour",
    strike: (world) => {
      world.setFault((effect) =>
        effect.startsWith("vault.") ? new VaultUnavailableError("a foreign 404") : undefined,
      );
    },
    heal: (world) => {
      world.setFault(() => undefined);
    },
  },
  {
    name: "a person publishes the other account of a pair",
    fits: isPair,
    strike: async (world) => {
      const account = otherAccount(world);
      const password = world.system.passwords.get(account)?.reveal() ?? "";
      if (password !== "") await writeByHand(world, account, password);
    },
  },
];

/** Calls of the engine that change the target, the vault or an account. */
const takes = new Set(["target.apply", "target.retire", "vault.disable", "vault.write"]);

/** From a log-in to the effect that relies on it, the engine makes fewer calls than this. */
const blinkCalls = 7;

interface Ending {
  /** Whether the disturbance came. */
  readonly struck: boolean;
  /** What was found to be wrong. */
  readonly broken: readonly string[];
}

/**
 * Adopts a target, rotates it on request and lets the grace end. Before the n-th call of the engine after the request, the
 * disturbance strikes; an hour later it is healed. Keyturn itself must never take away the last credential that works.
 */
export async function rotateDisturbed(
  kind: Kind,
  disturbance: Disturbance,
  at: number,
  worker: Worker = engine,
): Promise<Ending> {
  const world = await makeWorld(kind);
  const broken: string[] = [];
  let calls = 0;
  let struck = false;
  let strikeAt = "";
  let isHealed = false;
  const gate: Gate = async (effect, call) => {
    calls++;
    if (!struck && !isHealed && calls === at) {
      struck = true;
      strikeAt = world.now();
      await disturbance.strike(world);
    }
    const was = seen(world);
    const result = await call();
    // Nobody can see what changes between a look and the effect that follows it.
    const isBlink = struck && strikeAt === world.now() && calls - at < blinkCalls;
    if (takes.has(effect) && !isBlink) broken.push(...lost(kind, was, seen(world), effect));
    return result;
  };

  async function workUntil(end: number, through: Gate): Promise<void> {
    for (let turn = 0; turn < 60 && Date.parse(world.now()) < end; turn++) {
      await worker(world.ports(through), world).catch((error: unknown) => {
        if (!(error instanceof JournalUnavailableError)) broken.push(`it threw ${String(error)}`);
      });
      const record = (await world.journal.read("app"))?.record;
      const wake = Date.parse((record && wakeAt(record, world.now())) ?? "") || end;
      const now = Date.parse(world.now());
      world.advance(Math.min(Math.max(wake, now + second), end) - now);
    }
  }

  await worker(world.ports(open), world);
  await requestRotation(world.ports(open), world.target, {
    reason: "operator",
    requestedBy: "test",
  });
  await workUntil(Date.parse(world.now()) + hour, gate);
  await workUntil(Date.parse(world.now()) + world.target.grace, gate);
  await workUntil(Date.parse(world.now()) + hour, gate);
  isHealed = true;
  await disturbance.heal?.(world);
  await requestRotation(world.ports(open), world.target, {
    reason: "operator",
    requestedBy: "person",
  });
  await workUntil(Date.parse(world.now()) + 14 * hour, gate);
  broken.push(...(await endings(world)));
  return { struck, broken: [...new Set(broken)] };
}

interface Seen {
  /** Accounts that some stored, readable credential logs in. */
  readonly kept: readonly string[];
  readonly publishedWorks: boolean;
}

function seen(world: World): Seen {
  return {
    kept: world.kind.accounts.filter((account) => world.isKept(account)),
    publishedWorks: world.publishedWorks(),
  };
}

/** What a single call of Keyturn took away. */
function lost({ accounts }: Kind, before: Seen, after: Seen, effect: string): string[] {
  const found: string[] = [];
  if (before.kept.length > 0 && after.kept.length === 0) {
    found.push(`${effect} took away the last credential that works`);
  }
  if (accounts.length === 2 && before.publishedWorks && !after.publishedWorks) {
    found.push(`${effect} broke what consumers of a pair read`);
  }
  return found;
}

async function endings(world: World): Promise<string[]> {
  const record = (await world.journal.read("app"))?.record;
  const found: string[] = [];
  if (!world.publishedWorks()) found.push("what is published does not work at the end");
  if (record?.health !== "healthy")
    found.push(`the target is ${record?.health ?? "unknown"} at the end`);
  return found;
}
