import { expect, test } from "vitest";
import { ChangeRefusedError, ConfigError } from "../../../../shared/core/errors.ts";
import { hour } from "../../../../shared/core/time.ts";
import { accepted, importInto, issued } from "../../given-steps.ts";
import { adopted, failing, readRecord, rotate, setPassword, work } from "../../steps.ts";
import { singleSelf, type World } from "../../world.ts";

const runOf = (world: World, id: string) => world.journal.run("app", id);
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
