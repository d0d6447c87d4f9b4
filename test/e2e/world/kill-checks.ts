import { setTimeout as pause } from "node:timers/promises";
import { published, publishedName } from "./targets.ts";
import type { World } from "./world.ts";

export interface Watch {
  /** Ends the consumer, and returns the number of log-ins and the failures. */
  end(): Promise<{ readonly logIns: number; readonly failures: readonly string[] }>;
}

/** A consumer that logs in repeatedly with the published secret. */
export function consume(world: World, name: string): Watch {
  const failures: string[] = [];
  let [logIns, ending] = [0, false];
  const hasEnded = () => ending;
  const running = (async () => {
    while (!hasEnded()) {
      const { username, password, version } = await published(world.secrets, name);
      logIns += 1;
      if (!(await world.database.logsIn(username, password))) {
        failures.push(`${username} was refused with version ${version} of ${publishedName(name)}`);
      }
      await pause(20);
    }
  })();
  return {
    async end() {
      ending = true;
      await running;
      return { logIns, failures };
    },
  };
}

/** Requests one rotation after another, even while no host answers. */
export function keepAsking(world: World, targetId: string) {
  const accepted = new Set<string>();
  let ending = false;
  const hasEnded = () => ending;
  const running = (async () => {
    while (!hasEnded()) {
      const location = await world.api.rotate(targetId).catch(() => undefined);
      if (location !== undefined) accepted.add(location);
      await pause(location === undefined ? 50 : 250);
    }
  })();
  return {
    /** Returns the path of every accepted rotation. */
    async end(): Promise<readonly string[]> {
      ending = true;
      await running;
      return [...accepted];
    },
  };
}

/** Whether any readable version in the vault logs in for the account, whose target has the same name. */
export async function canLogIn(world: World, account: string): Promise<boolean> {
  for (const { name, version } of await readableVersions(world, account)) {
    const { value = "" } = await world.secrets.getSecret(name, { version });
    const stored = JSON.parse(value) as { username: string; password: string };
    const isTheirs = stored.username === account;
    if (isTheirs && (await world.database.logsIn(account, stored.password))) return true;
  }
  return false;
}

/** Of the secret that consumers read, and of the one in which new passwords wait; newest first. */
async function readableVersions({ secrets }: World, targetId: string) {
  const found: { name: string; version: string; createdOn: number }[] = [];
  for (const name of [publishedName(targetId), `keyturn-pending-${targetId}`]) {
    for await (const { enabled, version = "", createdOn } of secrets.listPropertiesOfSecretVersions(
      name,
    )) {
      if (enabled === true) found.push({ name, version, createdOn: createdOn?.getTime() ?? 0 });
    }
  }
  return found.sort((one, other) => other.createdOn - one.createdOn);
}
