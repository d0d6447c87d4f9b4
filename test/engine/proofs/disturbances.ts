import { OutcomeUnknownError, VaultUnavailableError } from "../../../shared/core/errors.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import type { VersionRef } from "../../../shared/core/target.ts";
import { type Instant, plus } from "../../../shared/core/time.ts";
import type { MemorySystem } from "../../../shared/rotators/memory.ts";
import { writeByHand } from "../steps.ts";
import type { Kind, World } from "../world.ts";

/** An external event that Keyturn does not see, at one moment of a rotation or retirement. */
export interface Disturbance {
  readonly name: string;
  /** Whether the disturbance applies to this kind of target. */
  readonly fits?: (kind: Kind) => boolean;
  strike(world: World): unknown;
  /** Why Keyturn must not change these accounts while the disturbance lasts. */
  forbids?(world: World, changed: readonly string[]): string | undefined;
  /** What must not be so at the end of a try while the disturbance lasts. */
  leaves?(world: World): string | undefined;
  /** Ends the disturbance, as a person or time would. */
  heal?(world: World): unknown;
}

const isPair = ({ accounts }: Kind) => accounts.length === 2;
const isSeveral = ({ several }: Kind) => several === true;
/** Two keys of a service are never the same. */
const byHandFor = (account: string) => `set by hand for ${account}`;

/** The account in the published secret, as the vault has it now. */
function publishedAccount(world: World): string {
  const newest = world.vault.versions("app-db").at(-1);
  const body = JSON.parse(newest?.value.reveal() ?? "{}") as { username?: string };
  return body.username ?? world.kind.accounts[0] ?? "";
}

function otherAccount(world: World): string {
  const published = publishedAccount(world);
  return world.kind.accounts.find((account) => account !== published) ?? published;
}

/** The previous passwords of accounts that a person changed. */
const before = new WeakMap<MemorySystem, ReadonlyMap<string, Secret>>();

function remember(systems: readonly MemorySystem[]): void {
  for (const system of systems) before.set(system, new Map(system.passwords));
}

function changeByHand(world: World, systems = world.systems): void {
  remember(systems);
  setPasswords(systems, publishedAccount(world));
}

function setPasswords(systems: readonly MemorySystem[], account: string): void {
  for (const { passwords } of systems) passwords.set(account, new Secret(byHandFor(account)));
}

/** Only an account that changes itself needs a person to restore it: an admin can set another password. */
function undoChange(world: World): void {
  for (const system of world.systems) {
    for (const [account, secret] of before.get(system) ?? []) {
      const now = system.passwords.get(account)?.reveal();
      const isLost = now === undefined || (now === byHandFor(account) && world.kind.as === "self");
      if (isLost) system.passwords.set(account, secret);
    }
  }
}

function lock(world: World, systems = world.systems): void {
  const account = publishedAccount(world);
  for (const { obstacles } of systems) obstacles.set(account, `Account ${account} is locked.`);
}

function unlock({ systems }: World): void {
  for (const { obstacles } of systems) obstacles.clear();
}

const changesLocked: Disturbance["forbids"] = ({ systems }, changed) =>
  changed.some((account) => systems.some(({ obstacles }) => obstacles.has(account)))
    ? "changed an account that cannot log in"
    : undefined;

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

/** The account that was published until a person published the other one, and the end of its grace. */
const superseded = new WeakMap<World, { readonly account: string; readonly until: Instant }>();

export const disturbances: readonly Disturbance[] = [
  {
    name: "the server recovers without its last commits",
    strike: (world) => {
      world.loseLastCommit();
    },
  },
  {
    name: "the published account is changed by hand",
    strike: (world) => {
      changeByHand(world);
    },
    heal: undoChange,
  },
  {
    name: "the published account is changed by hand on one of several servers",
    fits: isSeveral,
    strike: (world) => {
      changeByHand(world, world.systems.slice(1));
    },
    heal: undoChange,
  },
  {
    name: "the published account is changed and stored by hand",
    strike: async (world) => {
      const account = publishedAccount(world);
      setPasswords(world.systems, account);
      await writeByHand(world, account, byHandFor(account));
    },
  },
  {
    name: "the published account is dropped for an hour",
    strike: (world) => {
      remember(world.systems);
      for (const { passwords } of world.systems) passwords.delete(publishedAccount(world));
    },
    heal: undoChange,
  },
  {
    name: "the published account is locked for an hour",
    strike: (world) => {
      lock(world);
    },
    forbids: changesLocked,
    heal: unlock,
  },
  {
    name: "the published account is locked on one of several servers for an hour",
    fits: isSeveral,
    strike: (world) => {
      lock(world, world.systems.slice(1));
    },
    heal: unlock,
  },
  {
    name: "the published secret is deleted for an hour",
    strike: (world) => {
      world.vault.remove("app-db");
    },
    forbids: () => "changed an account although nothing can be published",
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
    name: "the server requests no password and loses changes for an hour",
    strike: (world) => {
      for (const { trusted } of world.systems) {
        for (const account of world.kind.accounts) trusted.add(account);
      }
      world.setFault((effect) =>
        effect === "target.apply" ? new OutcomeUnknownError("the line was lost") : undefined,
      );
    },
    heal: (world) => {
      for (const { trusted } of world.systems) trusted.clear();
      world.setFault(() => undefined);
    },
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
  ...(["is down", "refuses changes"] as const).map((trouble): Disturbance => ({
    name: `one of several servers ${trouble} for an hour`,
    fits: isSeveral,
    strike: (world) => {
      world.setTrouble(1, trouble);
    },
    leaves: (world) =>
      world.publishedWorks(world.systems.slice(0, 1))
        ? undefined
        : "the published secret does not work at a server without trouble",
    heal: (world) => {
      world.setTrouble(1, undefined);
    },
  })),
  {
    name: "a person publishes the other account of a pair",
    fits: isPair,
    strike: async (world) => {
      const account = otherAccount(world);
      const password = world.system.passwords.get(account)?.reveal() ?? "";
      if (password === "") return;
      const until = plus(world.now(), world.target.grace);
      superseded.set(world, { account: publishedAccount(world), until });
      await writeByHand(world, account, password);
    },
    forbids: (world, changed) => {
      const { account = "", until = "" } = superseded.get(world) ?? {};
      return world.now() < until && changed.includes(account)
        ? "changed an account within the grace that a publication by hand began"
        : undefined;
    },
  },
];
