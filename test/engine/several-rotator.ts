import {
  AuthorityRefusedError,
  ChangeRefusedError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import {
  changeAll,
  setBackAll,
  verifyAll,
} from "../../shared/rotators/common/several/several-servers.ts";
import type { MemorySystem } from "../../shared/rotators/memory.ts";
import type { Examination, Examine, SettingRotator, Using } from "../../shared/rotators/rotator.ts";
import type { Gate } from "./gate.ts";

type Options = Record<string, never>;

/** What is wrong with one server: it does not answer, or it refuses to set passwords. */
export type Trouble = "is down" | "refuses changes";

export interface Node {
  readonly name: string;
  readonly system: MemorySystem;
  readonly rotator: SettingRotator<Options>;
  readonly trouble: () => Trouble | undefined;
  /** Receives the result of each log-in with a password. A session that has stayed needs none. */
  readonly heard: (logIn: Omit<LogIn, "server" | "at">) => void;
}

/** A log-in with a password at one of several servers. */
export interface LogIn {
  readonly server: string;
  readonly account: string;
  readonly accepted: boolean;
  readonly at: string;
}

const options: Options = {};

/** A rotator whose account exists on several servers. Every call that changes one of them goes through the gate. */
export function makeSeveralRotator(nodes: readonly Node[], gate: Gate): SettingRotator<Options> {
  const [first] = nodes;
  if (!first) throw new RangeError("there is no server");
  const name = (node: Node) => node.name;
  const change = (node: Node, effect: string, call: () => Promise<unknown>) =>
    gate(effect, async () => {
      requireUp(node);
      await call();
    });
  const set = (
    node: Node,
    apply: Parameters<SettingRotator<Options>["apply"]>[0],
    signal: AbortSignal,
  ) =>
    change(node, "node.apply", () => {
      if (node.trouble() === "refuses changes")
        throw new ChangeRefusedError(`${node.name} refuses`);
      return hearRefusal(node, apply.using, () => node.rotator.apply(apply, signal));
    });
  const examine = async (node: Node, look: Examine<Options>, signal: AbortSignal) => {
    requireUp(node);
    const found = await node.rotator.examine?.(look, signal);
    if (found === "rejected") hear(node, look.using, false);
    return found;
  };
  const log = async (node: Node, credential: Credential, signal: AbortSignal) => {
    requireUp(node);
    const verdict = await node.rotator.verify({ options, credential }, signal);
    node.heard({ account: credential.account, accepted: verdict === "accepted" });
    return verdict;
  };

  return {
    ...first.rotator,
    async apply(applied, signal) {
      const { next, using } = applied;
      const check = async (node: Node) => {
        const { mayStay = false } = applied;
        const look = { options, account: next.account, using, isProven: true, mayStay };
        const found = await examine(node, look, signal);
        if (found === "rejected") throw new AuthorityRefusedError(`${node.name} refuses the admin`);
        if (found?.right.is === "missing") throw new ChangeRefusedError(found.right.why);
      };
      const steps = { name, check, change: (node: Node) => set(node, applied, signal) };
      await changeAll(nodes, steps, signal, 0);
      return { credential: next };
    },
    verify: ({ credential, note }, signal) =>
      verifyAll(nodes, name, async (node) => log(node, credential, signal), note),
    async examine(look, signal) {
      const found: Examination[] = [];
      for (const node of nodes) {
        const seen = await examine(node, look, signal);
        if (seen === "rejected") return seen;
        if (seen) found.push(seen);
      }
      return {
        obstacles: found.flatMap(({ obstacles }) => obstacles),
        right: found.find(({ right }) => right.is === "missing")?.right ?? { is: "proven" },
      };
    },
    ...(first.rotator.discard === undefined && {
      hasSeveralServers: () => true,
      setBack: ({ earlier, next, ...call }, signal) =>
        setBackAll(nodes, {
          name,
          logsIn: async (node, which) =>
            (await log(node, which === "new" ? next : earlier, signal)) === "accepted",
          set: (node) => set(node, { ...call, options, next: earlier }, signal),
        }),
    }),
    async retire(retire, signal) {
      for (const node of nodes) {
        await change(node, "node.retire", async () => node.rotator.retire?.(retire, signal));
      }
    },
    async discard(discard, signal) {
      for (const node of nodes) {
        await change(node, "node.discard", async () => node.rotator.discard?.(discard, signal));
      }
    },
  };
}

async function hearRefusal<Result>(
  node: Node,
  using: Using,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof AuthorityRefusedError) hear(node, using, false);
    throw error;
  }
}

function hear({ heard }: Node, using: Using, accepted: boolean): void {
  if (using.as !== "identity") heard({ account: using.credential.account, accepted });
}

function requireUp({ name, trouble }: Node): void {
  if (trouble() === "is down") throw new TargetUnavailableError(`${name} is down`);
}
