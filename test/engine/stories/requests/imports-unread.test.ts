import { expect, test } from "vitest";
import { ChangeRefusedError, ConfigError } from "../../../../shared/core/errors.ts";
import { hour, minute } from "../../../../shared/core/time.ts";
import { expose } from "../../../../shared/engine/inbox/expose.ts";
import { accepted, importInto, issued, publishedIn, undo } from "../../given-steps.ts";
import { adopted, failing, readRecord, rotate, setPassword, work } from "../../steps.ts";
import { open, pairAdmin, singleAdmin, singleSelf, type World } from "../../world.ts";

const runOf = (world: World, id: string) => world.journal.run("app", id);
const never = new AbortController().signal;
const versions = (world: World) => world.vault.versions("keyturn-pending-app");

test.each([
  ["the configuration prevents it", () => new ConfigError("the other content does not fit")],
  ["the version cannot be read for a while", () => new ChangeRefusedError("disabled")],
])(
  "An import that fails before the target is asked leaves its secret as a candidate: %s",
  async (_why, make) => {
    const world = await adopted(singleSelf);
    // The only stored copy of the password that the account has now.
    setPassword(world, "app", issued);
    const id = await accepted(importInto(world));
    await work(world, failing("vault.read", 1, make));
    expect((await runOf(world, id))?.state).toBe("failed");
    const [pending] = versions(world);
    expect((await readRecord(world)).slots[0]?.abandoned).toEqual(pending?.ref);
    world.advance(hour);
    const next = await rotate(world);
    expect((await runOf(world, next))?.state).toBe("done");
    expect(world.publishedWorks()).toBe(true);
  },
);

/** Disables the newest pending version, as a person might before the target is asked about its secret. */
async function losePending(world: World) {
  const pending = versions(world).at(-1);
  if (pending) await world.vault.disable(pending.ref, never);
}

test("Keyturn does not say that the target refuses an imported secret that it could not read", async () => {
  const world = await adopted(singleAdmin);
  const id = await accepted(importInto(world, { mayApply: false }));
  let reads = 0;
  await work(world, async (effect, call) => {
    // The published secret, the pending one, and then the pending one before the log-in.
    if (effect === "vault.read" && ++reads === 3) await losePending(world);
    return call();
  });
  expect(await runOf(world, id)).toMatchObject({
    state: "running",
    failure: { message: expect.stringContaining("no longer read the pending version") as string },
  });
  // Nothing was sent, so nothing is in doubt: a pause or an exposure still counts.
  expect((await readRecord(world)).rotation?.outcomeInDoubt).toBeUndefined();
  world.advance(11 * minute);
  await work(world);
  expect((await runOf(world, id))?.failure?.message).toContain("Import it again");
  expect(world.applied.size).toBe(0);
});

test("An undo whose copy is lost is not in doubt, so an exposure in between still prevents it", async () => {
  const world = await adopted(pairAdmin);
  await rotate(world);
  const id = await accepted(undo(world));
  await work(world, async (effect, call) => {
    const result = await call();
    // The copy has just been stored.
    if (effect === "vault.write") await losePending(world);
    return result;
  });
  expect((await runOf(world, id))?.state).toBe("running");
  const version = (await readRecord(world)).slots.find(({ account }) => account === "app_a")
    ?.current?.version;
  const seen = { by: "ben", kind: "exposure", ...(version !== undefined && { version }) } as const;
  await expose(world.ports(open), world.target, seen);
  world.advance(11 * minute);
  await work(world);
  expect(await runOf(world, id)).toMatchObject({
    state: "failed",
    failure: { message: expect.stringContaining("reported as exposed") as string },
  });
  expect(publishedIn(world).account).toBe("app_b");
});
