import { appIdentity } from "../../../conformance/identity.ts";
import type { MintingFixture } from "../../../conformance/minting-fixture.ts";
import { testRotator } from "../../../conformance/rotator.suite.ts";
import { ChangeRefusedError, OutcomeUnknownError } from "../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { minute } from "../../../shared/core/time.ts";
import {
  hasPassword,
  makeMemorySystem,
  type MemorySystem,
} from "../../../shared/rotators/memory.ts";
import { makeAddingRotator, makeKeysRotator } from "../../../shared/rotators/memory-minting.ts";
import type { Rotator } from "../../../shared/rotators/rotator.ts";

type NoOptions = Record<string, never>;

function start(
  accounts: readonly string[],
  make: (system: MemorySystem) => Rotator<NoOptions>,
): MintingFixture<NoOptions> {
  const system = makeMemorySystem();
  const { passwords, minted, created } = system;
  let [creations, resets] = [0, 0];
  const carry: MemorySystem["carry"] = (request) => {
    creations += 1;
    request();
  };
  const once = (next: MemorySystem["carry"]) => {
    system.carry = (request) => {
      system.carry = carry;
      next(request);
    };
  };
  system.carry = carry;

  return {
    aimed: { rotator: make(system), options: {} },
    endpoint: { engine: "memory", host: "memory", port: 0 },
    using: appIdentity,
    reset() {
      minted.clear();
      created.clear();
      resets += 1;
      return Promise.resolve(
        accounts.map((account): Credential => {
          const secret = new Secret(`first-${resets}-of-${account}-`.padEnd(40, "x"));
          passwords.set(account, secret);
          return { account, secret };
        }),
      );
    },
    works: ({ account, secret }) => Promise.resolve(hasPassword(system, account, secret)),
    snapshot: () => [
      [...passwords].map(([account, secret]) => [account, secret.reveal()]),
      [...minted].flatMap(([account, list]) => list.map(({ id }) => [account, id])),
    ],
    creations: () => creations,
    count: () => [...passwords.keys(), ...[...minted.values()].flat()].length,
    loseReply() {
      once((request) => {
        carry(request);
        throw new OutcomeUnknownError("the answer was lost");
      });
    },
    refuse() {
      once(() => {
        creations += 1;
        throw new ChangeRefusedError("memory refuses");
      });
    },
    stop: () => Promise.resolve(),
  };
}

testRotator("memory with two keys", {
  mints: "pair",
  settles: true,
  stranger: "key3",
  start: () =>
    Promise.resolve(
      start(["key1", "key2"], (system) =>
        makeKeysRotator(system, { settleTime: 15 * minute, datesCreation: true }),
      ),
    ),
});

testRotator("memory that adds secrets", {
  mints: "beside",
  start: () => Promise.resolve(start(["app"], (system) => makeAddingRotator(system))),
});
