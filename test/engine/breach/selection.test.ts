import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../shared/core/errors.ts";
import { hour, minute, second } from "../../../shared/core/time.ts";
import { makeBreachWorld, makeMembers, preview, readStates } from "./breach-world.ts";

describe("A selection", () => {
  test("by an identity finds every secret that it was reported to have seen, also after others", async () => {
    const world = await makeBreachWorld(makeMembers(4));
    const keyturn = world.instance();
    await keyturn.expose("db-1-000", { by: "eve", kind: "exposure" });
    await keyturn.expose("db-1-001", { by: "ben", kind: "exposure" });
    world.advance(second);
    await keyturn.expose("db-1-001", { by: "eve", kind: "exposure" });
    await keyturn.expose("db-1-002", { by: "ben", kind: "exposure" });
    const id = await preview(world, { exposedBy: "eve" });
    expect(await readStates(keyturn, id)).toEqual({ waiting: ["db-1-000", "db-1-001"] });
  });

  test("by an identity does not find a secret that was changed since", async () => {
    const world = await makeBreachWorld(makeMembers(2));
    const keyturn = world.instance();
    for (const { id } of world.targets) await keyturn.expose(id, { by: "eve", kind: "exposure" });
    world.advance(minute);
    await keyturn.request("db-1-000", { reason: "operator", requestedBy: "ben" });
    await world.settle(keyturn);
    const id = await preview(world, { exposedBy: "eve" });
    expect(await readStates(keyturn, id)).toEqual({ waiting: ["db-1-001"] });
  });

  test.each([
    [{ host: "DB-2" }, ["db-2-000"]],
    [{ host: "db-2:5432" }, ["db-2-000"]],
    [{ targets: ["db-2-000", "db-1-000"] }, ["db-1-000", "db-2-000"]],
    [{ vault: "main", type: "memory", policy: "test" }, ["db-1-000", "db-2-000", "tagged"]],
    [{ tags: [["env", "prod"]] as const }, ["tagged"]],
  ])("%j finds %j", async (selection, expected) => {
    const world = await makeBreachWorld([
      ...makeMembers(1),
      ...makeMembers(1, "db-2"),
      { id: "tagged", tags: { env: "prod", owner: "ada" } },
    ]);
    const id = await preview(world, selection);
    expect(await readStates(world.instance(), id)).toEqual({ waiting: expected });
  });

  test.each([
    [{}, "The selection is empty. Give `targets`, or at least one condition"],
    [{ targets: [] }, "`targets` is empty. Give at least one target"],
    [{ targets: ["db-1-00"] }, 'There is no target "db-1-00". Did you mean "db-1-000"?'],
    [{ targets: ["db-1-000"], type: "memory" }, "Give either `targets` or conditions, not both"],
    [{ vault: "mian" }, 'No target has vault "mian". Did you mean "main"?'],
    [{ exposedBy: "eve" }, 'No target has exposedBy "eve"'],
    [
      { host: "db-2", tags: [["env", "prod"]] as const },
      'No target matches all conditions: tag "env=prod" and host "db-2". Each of them alone matches some targets',
    ],
  ])("%j is refused: %s", async (selection, message) => {
    const world = await makeBreachWorld([
      ...makeMembers(1),
      ...makeMembers(1, "db-2"),
      { id: "tagged", tags: { env: "prod" } },
    ]);
    await expect(preview(world, selection)).rejects.toThrow(new ConfigError(message));
    expect((await world.instance().breaches({ limit: 10 })).items).toEqual([]);
  });

  test("is refused while too many breaches are open", async () => {
    const world = await makeBreachWorld(makeMembers(1));
    for (let count = 0; count < 20; count++) await preview(world);
    await expect(preview(world)).rejects.toThrow("At most 20 breaches may be open");
    world.advance(hour);
    expect(await preview(world)).toBeDefined();
  });
});
