import { shuffled } from "../world/draw.ts";
import { publishedName } from "../world/targets.ts";
import type { DoorAnswer, Trouble } from "../world/vault.ts";
import { type Begun, type Fault, pickVictims, type Stage } from "./fault.ts";

const second = 1_000;
const holdMs = [6 * second, 20 * second] as const;

const json = (status: number, code: string, headers: Record<string, string> = {}): DoorAnswer => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify({ error: { code, message: "A fault of the soak test." } }),
});

/** The answer of a gateway or of a wrong private DNS. It contains no information about a secret. */
const foreignPage: DoorAnswer = {
  status: 404,
  headers: { "content-type": "text/html" },
  body: "<html><body><h1>404 Not Found</h1><hr>nginx</body></html>",
};

const isWrite = (method: string): boolean => method === "PUT" || method === "PATCH";

/** The proxy of the vault answers some requests itself while a rotation runs. */
async function troubleAtTheDoor(
  { world, targets, draw, ask }: Stage,
  troubleOf: (share: () => number) => Trouble,
): Promise<Begun> {
  const concerns = shuffled(draw, "asked", targets).slice(0, 3);
  await ask(...concerns);
  let asked = 0;
  const share = () => draw(`request ${++asked}`);
  // Half of the time, the fault starts in the middle of the rotations.
  if (draw("late") < 0.5) await world.pause(Math.round(draw("moment") * 500));
  world.vault.trouble(troubleOf(share));
  await ask(...concerns);
  return {
    concerns,
    end() {
      world.vault.restore();
      return Promise.resolve();
    },
  };
}

async function deletePublished(stage: Stage): Promise<Begun> {
  const victims = pickVictims(stage);
  // While the secret cannot be read, a consumer that holds an older version cannot keep up.
  await stage.awaitConsumers(...victims);
  const { secrets } = stage.world.vault;
  const names = victims.map(({ id }) => publishedName(id));
  for (const name of names) await secrets.beginDeleteSecret(name);
  await stage.ask(...victims);
  return {
    concerns: victims,
    async end() {
      for (const name of names) await secrets.beginRecoverDeletedSecret(name);
    },
  };
}

async function disablePublished(stage: Stage): Promise<Begun> {
  const victims = pickVictims(stage);
  // While the secret cannot be read, a consumer that holds an older version cannot keep up.
  await stage.awaitConsumers(...victims);
  const { secrets } = stage.world.vault;
  const disabled: { name: string; version: string }[] = [];
  for (const name of victims.map(({ id }) => publishedName(id))) {
    const { version = "" } = (await secrets.getSecret(name)).properties;
    await secrets.updateSecretProperties(name, version, { enabled: false });
    disabled.push({ name, version });
  }
  await stage.ask(...victims);
  return {
    concerns: victims,
    async end() {
      for (const { name, version } of disabled) {
        await secrets.updateSecretProperties(name, version, { enabled: true });
      }
    },
  };
}

const atTheDoor = (name: string, troubleOf: (share: () => number) => Trouble): Fault => ({
  ...{ name, holdMs },
  begin: (stage) => troubleAtTheDoor(stage, troubleOf),
});

export const vaultFaults: readonly Fault[] = [
  atTheDoor("vault throttles", (share) => () => {
    return share() < 0.6 ? json(429, "Throttled", { "retry-after": "2" }) : undefined;
  }),
  atTheDoor("vault answers 5xx", (share) => () => {
    return share() < 0.7 ? json(503, "ServiceUnavailable") : undefined;
  }),
  atTheDoor("replies of the vault lost", (share) => () => {
    return share() < 0.3 ? "lost-reply" : undefined;
  }),
  atTheDoor("vault unreachable", () => () => "hang-up"),
  atTheDoor("foreign 404 instead of the vault", () => () => foreignPage),
  atTheDoor("vault is read-only", () => ({ method }) => {
    return isWrite(method) ? json(403, "Forbidden") : undefined;
  }),
  { name: "published secret deleted and recovered", holdMs, begin: deletePublished },
  { name: "published version disabled and enabled", holdMs, begin: disablePublished },
];
