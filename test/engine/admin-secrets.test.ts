import { expect, test } from "vitest";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { second } from "../../shared/core/time.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { adopted, request, setPassword } from "./steps.ts";
import { open, singleAdmin, type World } from "./world.ts";

const never = new AbortController().signal;

/** Rotates with one process, twice in a row, and returns how often the admin's secret was read. */
async function rotateTwice(between: (world: World) => Promise<void>) {
  const world = await adopted(singleAdmin);
  let reads = 0;
  const ports = world.ports(open);
  const vault: typeof ports.vault = (name) => {
    const real = ports.vault(name);
    return (
      real && {
        ...real,
        readCurrent: (secret, signal) => {
          if (secret === "app-admin") reads++;
          return real.readCurrent(secret, signal);
        },
      }
    );
  };
  await request(world);
  await workOn({ ...ports, vault }, world.target);
  await between(world);
  await request(world);
  await workOn({ ...ports, vault }, world.target);
  return { reads, isDone: world.applied.size === 2 && world.publishedWorks() };
}

function storeAdmin(world: World, password: string) {
  const value = new Secret(JSON.stringify({ username: "admin", password }));
  return world.vault.write(
    "app-admin",
    { value, contentType: "application/json", tags: {} },
    never,
  );
}

test("The admin's secret is read once for targets that follow within seconds", async () => {
  expect(await rotateTwice(() => Promise.resolve())).toEqual({ reads: 1, isDone: true });
});

test("The admin's secret is read again after a few seconds", async () => {
  const later = (world: World) => {
    world.advance(6 * second);
    return Promise.resolve();
  };
  expect(await rotateTwice(later)).toEqual({ reads: 2, isDone: true });
});

test("The admin's secret is read again when the server refuses it, and the rotation continues with the new one", async () => {
  const rotated = async (world: World) => {
    setPassword(world, "admin", "a new one");
    await storeAdmin(world, "a new one");
  };
  expect(await rotateTwice(rotated)).toEqual({ reads: 2, isDone: true });
});
