import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeApi } from "../../../local/start/console/api.ts";
import { openVault, readPublished } from "../../../local/start/demo/vault.ts";
import type { KeyturnEvent } from "../../../local/start/environment/functions-host.ts";
import {
  choosePlaces,
  dataFolder,
  environment,
  isAlive,
  patient,
  start,
  storeLogIn,
} from "./start-fixture.ts";

describe("npm start", () => {
  test("with --once rotates every seeded target from an empty folder, prints a table, and exits with 0", async () => {
    const data = await dataFolder();
    const once = start("--once", "--data", data);
    expect.soft(await once.exited, await once.errors).toBe(0);
    const output = await once.output;
    expect(output).toMatch(/^orders +orders_a → orders_b +\w{8} → \w{8} /m);
    expect(output).toMatch(/^reports +reports_reader +\w{8} → \w{8} /m);
    expect(output).toMatch(/^inventory +inventory_writer +\w{8} → \w{8} /m);
    expect(output).toMatch(/^assistant +key1 → key2 +\w{8} → \w{8} /m);
    expect(output).toMatch(/^partner-api +\w{8}… +\w{8} → \w{8} /m);
    for (const id of ["orders", "assistant", "partner-api"]) {
      expect(output).toMatch(new RegExp(`${id}: \\d+ log-ins, 0 failed`));
    }
    expect(output).toContain("Every new secret logs in, and every superseded secret is refused.");
    for (const name of ["openai-account.json", "entra-application.json"]) {
      expect((await stat(join(data, name))).mode & 0o777, name).toBe(0o600);
    }
    expect(await readdir(data)).not.toContain("environment.json");
  });

  test("leaves no process running after Ctrl-C, or after a kill and the next start, and stores what a person hands over", async () => {
    const data = await dataFolder();
    const first = start("--data", data);
    const before = await choosePlaces(data, first);

    const second = start("--data", data);
    expect(await second.exited).toBe(1);
    expect(await second.errors).toContain(`already running with data folder ${data}`);

    first.child.kill("SIGKILL");
    await first.exited;
    const third = start("--data", data);
    const after = await choosePlaces(data, third);
    for (const { name, pid } of before.processes) expect(isAlive(pid), name).toBe(false);
    expect(after.keyVault).toEqual(before.keyVault);
    expect(after.functions).toEqual(before.functions);

    await storeLogIn(data, "oracle-admin", "admin", "p4ss\n");
    const stored = await readPublished(openVault(after), "oracle-admin");
    expect(stored?.value).toBe('{"username":"admin","password":"p4ss"}');

    third.child.kill("SIGINT");
    expect(await third.exited, await third.errors).toBe(0);
    expect(await third.output).toContain("stopping …");
    for (const { name, pid } of after.processes) expect(isAlive(pid), name).toBe(false);
    expect(await readdir(data)).not.toContain("lock");
  });

  test("lists every problem of a broken configuration, and starts nothing", async () => {
    const data = await dataFolder();
    const config = join(data, "broken.yaml");
    await writeFile(
      config,
      [
        "version: 1",
        "vaults: { main: { url: http://127.0.0.1:1 } }",
        "policies: { default: { every: soon } }",
        "targets:",
        "  orders: { type: postgresq, accounts: [a, b], admin: self, publish: orders }",
      ].join("\n"),
    );
    const broken = start("--data", data, "--config", config);
    expect(await broken.exited).toBe(1);
    const errors = await broken.errors;
    expect(errors).toContain("broken.yaml:3:31  policies.default.every: must be a duration");
    expect(errors).toContain("broken.yaml:5:19  targets.orders.type");
    expect(errors).toContain("broken.yaml:5:44  targets.orders.accounts[1]");
    expect(await readdir(data)).toEqual(["broken.yaml"]);
  });

  test("prints its usage and exits with 2 when an argument is unknown", async () => {
    const unknown = start("--twice");
    expect(await unknown.exited).toBe(2);
    expect(await unknown.errors).toMatch(/--twice[^]*Usage: npm start/);
  });
});

/** The targets of which no log-in may fail. */
const gapless = ["orders", "assistant", "partner-api"];

describe("The environment", () => {
  test("rotates by schedule without a failed log-in for pairs and secrets side by side, also across a killed host and a restart", async () => {
    const data = await dataFolder();
    const events: KeyturnEvent[] = [];
    const onEvent = (event: KeyturnEvent) => events.push(event);
    const { env, killHost } = await environment({ data, every: "10s", onEvent });
    const succeeded = (id: string) =>
      events.filter(({ type, targetId }) => type === "succeeded" && targetId === id).length;
    await expect.poll(() => succeeded("orders"), patient).toBeGreaterThanOrEqual(1);
    // A host that is killed between rotations leaves no claim that must expire first; other tests cover that wait.
    const idle = async () =>
      (await makeApi(env.places().functions).targets()).every(
        ({ rotation }) => rotation === undefined,
      );
    await expect.poll(idle, patient).toBe(true);
    await killHost();
    await expect.poll(() => succeeded("orders"), patient).toBeGreaterThanOrEqual(2);
    await expect.poll(() => succeeded("reports"), patient).toBeGreaterThanOrEqual(2);
    await expect.poll(() => succeeded("inventory"), patient).toBeGreaterThanOrEqual(2);
    for (const id of gapless)
      await expect.poll(() => succeeded(id), patient).toBeGreaterThanOrEqual(2);
    for (const id of gapless) {
      expect(env.counts()[id], id).toMatchObject({ failed: 0, recovered: 0 });
      expect(env.counts()[id]?.logIns, id).toBeGreaterThan(0);
    }
    await env.close();

    events.length = 0;
    const again = await environment({ data, every: "1h", onEvent });
    for (const id of gapless) {
      const target = await makeApi(again.env.places().functions).target(id);
      expect(target, id).toMatchObject({ health: "healthy" });
      const { properties } = await again.env.vault.getSecret(id);
      expect(properties.version, id).toBe(target.published?.version);
      await expect.poll(() => again.env.counts()[id]?.logIns, patient).toBeGreaterThan(3);
      expect(again.env.counts()[id]?.failed, id).toBe(0);
    }
    expect(events.filter(({ type }) => type === "adopted")).toEqual([]);
  }, 400_000);
});
