import { describe } from "vitest";
import { testExamination } from "../../../conformance/clauses/rotator-examine.suite.ts";
import { testSessions } from "../../../conformance/clauses/rotator-sessions.suite.ts";
import { awkwardNames, type Fixture, type Subject } from "../../../conformance/rotator-fixture.ts";
import { rotatorSteps } from "../../../conformance/rotator-steps.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { makeMemoryRotator, makeMemorySystem } from "../../../shared/rotators/memory.ts";

type NoOptions = Record<string, never>;

const admin: Credential = { account: "admin", secret: new Secret("F1rst~secret-of-admin") };
const powerless: Credential = { account: "powerless", secret: new Secret("N0~rights-at-all") };

function start(): Promise<Fixture<NoOptions>> {
  const system = makeMemorySystem();
  const { passwords, admins, sessions, obstacles, trusted } = system;
  for (const { account, secret } of [admin, powerless]) passwords.set(account, secret);
  admins.add(admin.account);
  const aimed = { rotator: makeMemoryRotator(system), options: {} };
  const stays = new Map<string, number>();

  return Promise.resolve({
    aimed,
    endpoint: { engine: "memory", host: "memory", port: 0 },
    admin,
    powerless,
    account: (name, secret) => {
      passwords.set(name, new Secret(secret));
      return Promise.resolve();
    },
    logsIn: (account, secret) =>
      Promise.resolve(passwords.get(account)?.equals(new Secret(secret)) ?? false),
    stay: (account) => {
      const count = (by: number) => {
        const left = (stays.get(account) ?? 0) + by;
        stays.set(account, left);
        if (left > 0) sessions.add(account);
        else sessions.delete(account);
        return Promise.resolve();
      };
      return count(1).then(() => () => count(-1));
    },
    snapshot: () =>
      Promise.resolve([...passwords].map(([account, secret]) => [account, secret.reveal()])),
    openConnections: () => Promise.resolve(0),
    elsewhere: () => aimed,
    logIns: () => Promise.resolve(system.logIns),
    block: (account) => {
      obstacles.set(account, `${account} is locked`);
      return Promise.resolve(() => Promise.resolve(void obstacles.delete(account)));
    },
    trust: (account) => {
      trusted.add(account);
      return Promise.resolve(() => Promise.resolve(void trusted.delete(account)));
    },
    stop: () => Promise.resolve(),
  });
}

const subject: Subject<NoOptions> = {
  authorities: ["self", "admin", "identity"],
  seesSessions: true,
  blocks: "unnamed",
  trusts: true,
  start,
};

describe("the rotator memory", () => {
  const steps = rotatorSteps(subject);
  testExamination(steps, subject);
  testSessions(steps, awkwardNames);
});
