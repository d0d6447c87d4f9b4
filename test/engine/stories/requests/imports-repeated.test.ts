import { expect, test } from "vitest";
import { Secret } from "../../../../shared/core/secrets/secret.ts";
import { accepted, importInto } from "../../given-steps.ts";
import { adopted, keyed, work } from "../../steps.ts";
import { singleAdmin } from "../../world.ts";

const key = keyed("ticket-7");

test("A repeated import gets the answer that leads to the failure of the first", async () => {
  const world = await adopted(singleAdmin);
  const id = await accepted(importInto(world, { mayApply: false, key }));
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("failed");
  expect(world.vault.versions("keyturn-pending-app").some(({ enabled }) => enabled)).toBe(false);
  expect(await accepted(importInto(world, { mayApply: false, key }))).toBe(id);
  expect(world.vault.versions("keyturn-pending-app")).toHaveLength(1);
});

test("A repeated import is refused if the first succeeded and its value can no longer be read", async () => {
  const world = await adopted(singleAdmin);
  const id = await accepted(importInto(world, { key }));
  await work(world);
  const { published } = (await world.journal.run("app", id)) ?? {};
  if (published) await world.vault.disable(published, new AbortController().signal);
  for (const value of ["issued-elsewhere-4711", "another-value-4712"]) {
    const repeated = importInto(world, { key, value: new Secret(value) });
    await expect(repeated).rejects.toThrow(
      `import ${id}, whose value can no longer be read, so the values cannot be compared`,
    );
  }
});
