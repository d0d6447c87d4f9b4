import { type Gate, hasNoGap, type Kind, type World } from "./world.ts";

/** Calls that change the target, the vault or an account. */
const takes = ({ several }: Kind): ReadonlySet<string> => {
  const changes = ["apply", "mint", "retire", "discard"];
  // A call that changes several servers can meet a strike between two of them.
  const of = several ? "node" : "target";
  return new Set([...changes.map((name) => `${of}.${name}`), "vault.disable", "vault.write"]);
};

/** The engine makes fewer calls than this between a log-in and the effect that relies on it. */
const blinkCalls = 7;

/** Facts about a world, observed from outside. */
interface Seen {
  /** Accounts that a stored, readable credential can log in to. */
  readonly kept: readonly string[];
  readonly publishedWorks: boolean;
  readonly passwords: Readonly<Record<string, string | undefined>>;
}

/** Watches every engine call for credentials that it removes. */
export interface Watch {
  /** The problems that were found. */
  readonly broken: string[];
  /** Records that something outside of Keyturn changes now. */
  noteStrike: () => void;
  /** Makes the call, and checks its changes. */
  judge: Gate;
}

/** `forbids`: why these accounts must not be changed at this moment. */
export function watch(
  world: World,
  forbids: (changed: readonly string[]) => string | undefined,
): Watch {
  const broken: string[] = [];
  const judged = takes(world.kind);
  let calls = 0;
  let strike: { readonly at: string; readonly calls: number } | undefined;
  return {
    broken,
    noteStrike() {
      strike = { at: world.now(), calls: calls + 1 };
    },
    async judge(effect, call) {
      // The servers of a target are changed within one call of the engine.
      if (!effect.startsWith("node.")) calls++;
      // Keyturn cannot see a change between a check and the effect that follows it.
      const isBlink = strike?.at === world.now() && calls - strike.calls < blinkCalls;
      if (!judged.has(effect) || isBlink) return call();
      const was = look(world);
      const result = await call();
      const is = look(world);
      broken.push(...lost(world.kind, was, is, effect));
      const { accounts } = world.kind;
      const changed = accounts.filter((one) => was.passwords[one] !== is.passwords[one]);
      const isChange = effect.endsWith(".apply") && changed.length > 0;
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
    passwords: Object.fromEntries(accounts.map((one) => [one, passwordsOf(world, one)])),
  };
}

/** The password that the account has on each server. */
function passwordsOf({ systems }: World, account: string): string {
  return systems.map(({ passwords }) => passwords.get(account)?.reveal() ?? "").join("\n");
}

/** Lists what one call of Keyturn removed. */
function lost(kind: Kind, before: Seen, after: Seen, effect: string): string[] {
  const found: string[] = [];
  if (before.kept.length > 0 && after.kept.length === 0) {
    found.push(`${effect} removed the last credential that works`);
  }
  if (hasNoGap(kind) && before.publishedWorks && !after.publishedWorks) {
    found.push(`${effect} broke the published secret`);
  }
  const ends = effect.endsWith(".retire") || effect.endsWith(".discard");
  if (ends && !before.publishedWorks) {
    found.push(`${effect} removed a password while the published secret does not work`);
  }
  return found;
}
