/** Runs the Key Vault emulator in its own process. Its limit can be changed, and its content is kept in a file. */
import "../../../local/host/with-parent.ts";
import { z } from "zod";
import {
  type JournalEntry,
  type KeyVaultEmulator,
  startKeyVaultEmulator,
} from "../../../local/key-vault/emulator.ts";
import { vaultToken } from "../world/bench-vault.ts";
import { answerCalls } from "../world/calls.ts";

const [, , file = ""] = process.argv;
/** Part of the limits of the real vault; null: no limits. JSON has no Infinity. */
const limitedTo = z.number().nullable();

let emulator: KeyVaultEmulator | undefined;
let last: JournalEntry | undefined;
const tally = { creates: 0, throttled: 0, requests: 0 };

/** Counts new requests. The emulator keeps its last 10,000 requests, so this runs before older ones are dropped. */
function count(): void {
  const journal = emulator?.journal ?? [];
  const from = last === undefined ? 0 : journal.lastIndexOf(last) + 1;
  for (const { method, status } of journal.slice(from)) {
    tally.requests += 1;
    if (status === 429) tally.throttled += 1;
    else if (method === "PUT" && status === 200) tally.creates += 1;
  }
  last = journal.at(-1);
}

async function start(share: number | null): Promise<string> {
  const port = emulator === undefined ? 0 : Number(new URL(emulator.url).port);
  count();
  await emulator?.close();
  last = undefined;
  emulator = await startKeyVaultEmulator({
    acceptsToken: (token) => token === vaultToken,
    throttleScale: share ?? Infinity,
    ...{ file, port },
  });
  return emulator.url;
}

setInterval(count, 100).unref();

answerCalls({
  start: (argument) => start(limitedTo.parse(argument)),
  tally() {
    count();
    return tally;
  },
});
