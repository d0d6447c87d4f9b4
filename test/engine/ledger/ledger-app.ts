import type { Head } from "../../../shared/core/ledger/chain.ts";
import { day } from "../../../shared/core/time.ts";
import { makeOperations } from "../../../shared/engine/operations.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import { makeMemoryNotifier } from "../../../shared/notifiers/memory-notifier.ts";
import { makeMemoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { makeMemoryQueue } from "../../../shared/stores/memory/memory-queue.ts";
import type { Signer } from "../../../shared/vaults/signer.ts";
import { keyPair, makeEntry, signHead } from "../../core/ledger/exports.ts";
import { makeWorld, open, singleAdmin } from "../world.ts";

export const pair = keyPair();

/** A key in a vault. `remembers`: the key may keep the head that it signed last. */
export function makeSigner(remembers = true) {
  let last: Head | undefined;
  const signer = {
    isDown: false,
    heads: [] as Head[],
    open() {
      if (signer.isDown) return Promise.reject(new Error("Key Vault main is down."));
      const sign = (head: Head) => {
        const { segment, first, sequence, hash, at } = head;
        const bare = { segment, first, sequence, hash, at };
        signer.heads.push(bare);
        if (remembers) last = bare;
        return Promise.resolve(signHead(head, pair.privateKey).signature);
      };
      return Promise.resolve({ ...(last && { last }), sign });
    },
  };
  return signer satisfies Signer;
}

/** An app without targets that need work, and everything that a sweep shows to others. */
export async function makeApp(more: Partial<Ports> = {}, isSigned = true) {
  const world = await makeWorld(singleAdmin);
  const { emit, ...ports } = world.ports(open);
  const journal = makeMemoryJournal({ now: () => new Date(world.now()), retentionMs: 30 * day });
  const [signer, notifier] = [makeSigner(), makeMemoryNotifier("a")];
  const keyturn = makeOperations({
    ports: {
      ...{ ...ports, journal, notifiers: [notifier] },
      ...(isSigned && { signer }),
      ...more,
    },
    queue: makeMemoryQueue(world.now),
    targets: [],
    vaultAt: () => undefined,
  })(emit);
  let ids = 0;
  const log = (count = 1) =>
    journal.ledger.log(
      Array.from({ length: count }, () => makeEntry(`E${++ids}`, { at: world.now() })),
    );
  return { world, journal, ledger: journal.ledger, keyturn, signer, notifier, log };
}
