import type { MemorySystem } from "../../shared/rotators/memory.ts";
import type { Rotator } from "../../shared/rotators/rotator.ts";
import { changeAll, verifyAll } from "../../shared/rotators/several/several-servers.ts";
import type { Gate } from "./gate.ts";

type Options = Record<string, never>;

interface Node {
  readonly name: string;
  readonly system: MemorySystem;
  readonly rotator: Rotator<Options>;
}

const options: Options = {};

/** A rotator whose account exists on several servers. Every call that changes one of them goes through the gate. */
export function makeSeveralRotator(nodes: readonly Node[], gate: Gate): Rotator<Options> {
  const [first] = nodes;
  if (!first) throw new RangeError("there is no server");
  const name = (node: Node) => node.name;
  return {
    ...first.rotator,
    async apply(change, signal) {
      const { keep, next } = change;
      const set = (node: Node, secret: typeof next) =>
        gate("node.apply", async () => {
          const only = { ...change, options, next: secret };
          await node.rotator.apply(only, signal);
        });
      const logsIn = async (node: Node, credential: typeof next) =>
        (await node.rotator.verify({ options, credential }, signal)) === "accepted";
      const back = keep && {
        set: (node: Node) => set(node, keep),
        logsIn: (node: Node, which: "new" | "earlier") =>
          logsIn(node, which === "new" ? next : keep),
      };
      const check = async (node: Node) => {
        const { account } = next;
        await node.rotator.examine?.({ ...change, options, account, isProven: true }, signal);
      };
      const steps = { name, check, change: (node: Node) => set(node, next), ...(back && { back }) };
      await changeAll(nodes, steps, signal, 0);
      return { credential: next };
    },
    verify: (call, signal) =>
      verifyAll(nodes, name, (node) => node.rotator.verify(call, signal), call.note),
    async retire(retire, signal) {
      for (const { rotator } of nodes) {
        await gate("node.retire", async () => rotator.retire?.(retire, signal));
      }
    },
    async discard(discard, signal) {
      for (const { rotator } of nodes) {
        await gate("node.discard", async () => rotator.discard?.(discard, signal));
      }
    },
  };
}
