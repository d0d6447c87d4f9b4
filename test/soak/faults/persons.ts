import { pick } from "../world/draw.ts";
import { newPassword, readPublished, store, type Stored } from "../world/stored.ts";
import { isPair, publishedName, type SoakTarget } from "../world/targets.ts";
import type { World } from "../world/world.ts";
import { type Begun, type Fault, pickVictims, type Stage } from "./fault.ts";

const second = 1_000;
const holdMs = [6 * second, 20 * second] as const;

async function findPublishedBy({ vault }: World, { id }: SoakTarget): Promise<Stored> {
  const found = await readPublished(vault.secrets, id);
  if (found === undefined) throw new Error(`Nothing readable is published for ${id}.`);
  return found;
}

/** A person changes the password of the published account in the database, and publishes it. */
async function changeAndStore(stage: Stage): Promise<Begun> {
  const { world, ask, excuse } = stage;
  const victims = pickVictims(stage);
  for (const target of victims) {
    const { username } = await findPublishedBy(world, target);
    const password = newPassword();
    excuse(target);
    await world.database.setPassword(username, password);
    await store(world.vault.secrets, publishedName(target.id), { username, password });
  }
  await ask(...victims);
  return { concerns: victims, end: () => Promise.resolve() };
}

/**
 * A person changes the password of the published account, and does not store it. An account that changes itself then needs a
 * person, who finally stores the right password. Keyturn must repair all others.
 */
async function changeAndStoreLater(stage: Stage): Promise<Begun> {
  const { world, ask, excuse } = stage;
  const victims = pickVictims(stage);
  const changed: { target: SoakTarget; username: string; password: string }[] = [];
  for (const target of victims) {
    const { username } = await findPublishedBy(world, target);
    const password = newPassword();
    excuse(target);
    await world.database.setPassword(username, password);
    changed.push({ target, username, password });
  }
  await ask(...victims);
  return {
    concerns: victims,
    async end() {
      for (const { target, username, password } of changed) {
        if (target.by === "admin") continue;
        const isUnchanged = (await world.database.logIn(username, password)) === "accepted";
        if (!isUnchanged) continue;
        await store(world.vault.secrets, publishedName(target.id), { username, password });
      }
    },
  };
}

/** A person publishes the other account of a pair, with a password that works. */
async function publishOther(stage: Stage): Promise<Begun> {
  const { world, targets, draw, ask, excuse, awaitConsumers } = stage;
  const target = pick(draw, "target", targets.filter(isPair));
  await awaitConsumers(target);
  const { username: current } = await findPublishedBy(world, target);
  const username = target.accounts.find((account) => account !== current) ?? current;
  const password = newPassword();
  // Its schedule may change the account that consumers have just read before they read again.
  if (target.policy !== "default") excuse(target);
  await world.database.setPassword(username, password);
  await store(world.vault.secrets, publishedName(target.id), { username, password });
  await ask(target);
  return { concerns: [target], end: () => Promise.resolve() };
}

/** A setting of the published account, or of all accounts of a target, prevents log-ins with any password. */
async function obstruct(stage: Stage, on: string, off: string): Promise<Begun> {
  const { world, draw, ask, excuse } = stage;
  const victims = pickVictims(stage);
  const accounts: string[] = [];
  for (const target of victims) {
    excuse(target);
    const { username } = await findPublishedBy(world, target);
    accounts.push(...(draw("all") < 0.3 ? target.accounts : [username]));
  }
  await world.database.sql(...accounts.map((account) => `ALTER ROLE ${account} ${on}`));
  await ask(...victims);
  return {
    concerns: victims,
    end: () => world.database.sql(...accounts.map((account) => `ALTER ROLE ${account} ${off}`)),
  };
}

const obstacle = (name: string, on: string, off: string): Fault => ({
  ...{ name, holdMs },
  begin: (stage) => obstruct(stage, on, off),
});

export const personFaults: readonly Fault[] = [
  { name: "password changed by hand and stored", holdMs, begin: changeAndStore },
  { name: "password changed by hand, stored late or never", holdMs, begin: changeAndStoreLater },
  { name: "other account of a pair published by hand", holdMs, begin: publishOther },
  obstacle("account locked and unlocked", "NOLOGIN", "LOGIN"),
  obstacle("connection limit 0 and restored", "CONNECTION LIMIT 0", "CONNECTION LIMIT -1"),
  obstacle("account expired and extended", "VALID UNTIL '2020-01-01'", "VALID UNTIL 'infinity'"),
];
