import { type Gate, type Kind, type World } from "./world.ts";

/** Calls of the engine that change the target, the vault or an account. */
const takes = new Set(["target.apply", "target.retire", "vault.disable", "vault.write"]);

/** From a log-in to the effect that relies on it, the engine makes fewer calls than this. */
const blinkCalls = 8;

/** What can be said of a world from outside. */
interface Seen {
  /** Accounts that some stored, readable credential logs in. */
  readonly kept: readonly string[];
  readonly publishedWorks: boolean;
  readonly passwords: Readonly<Record<string, string | undefined>>;
}

/** Watches every call of the engine for what it takes away. */
export interface Watch {
  /** What was found to be wrong. */
  readonly broken: string[];
  /** Something changes behind Keyturn's back now. */
  noteStrike: () => void;
  /** Makes the call, and judges what it has changed. */
  judge: Gate;
}

/** `forbids`: why these accounts must not be changed at this moment. */
export function watch(
  world: World,
  forbids: (changed: readonly string[]) => string | undefined,
): Watch {
  const broken: string[] = [];
  let calls = 0;
  let strike: { readonly at: string; readonly calls: number } | undefined;
  return {
    broken,
    noteStrike() {
      strike = { at: world.now(), calls: calls + 1 };
    },
    async judge(effect, call) {
      calls++;
      // Nobody can see what changes between a look and the effect that follows it.
      const isBlink = strike?.at === world.now() && calls - strike.calls < blinkCalls;
      if (!takes.has(effect) || isBlink) return call();
      const was = look(world);
      const result = await call();
      const is = look(world);
      broken.push(...lost(world.kind, was, is, effect));
      const { accounts } = world.kind;
      const changed = accounts.filter((one) => was.passwords[one] !== is.passwords[one]);
      const isChange = effect === "target.apply" && changed.length > 0;
      const why = isChange ? forbids(changed) : undefined;
      if (why !== undefined) broken.push(`${effect} ${why}`);
      return result;
    },
  };
}

function look(world: World): Seen {
  const { accounts } = world.kind;
  return {
    kept: accounts.filter((account) => world.isKept(account)),
    publishedWorks: world.publishedWorks(),
    passwords: Object.fromEntries(
      accounts.map((one) => [one, world.system.passwords.get(one)?.reveal()]),
    ),
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
  if (effect === "target.retire" && !before.publishedWorks) {
    found.push(`${effect} took an account away while what is published does not work`);
  }
  return found;
}
