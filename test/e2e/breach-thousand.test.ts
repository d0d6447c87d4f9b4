import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { BreachTargetView, BreachView } from "../../shared/core/breach/views.ts";
import { splitIntoChunks } from "../../shared/core/chunks.ts";
import { claimLength } from "../../shared/core/lifecycle/decide.ts";
import { patient } from "./world/api.ts";
import { startedLater } from "./world/clock.ts";
import { type Line, lineTo } from "./world/line.ts";
import { published, publishedName } from "./world/targets.ts";
import { asJson, newPassword, type Places, startWorld, type World } from "./world/world.ts";

const count = 1_000;

/** 5 % of the targets cannot be rotated: their server stops, or nobody may change them any more. */
const onDeadServers = 25;
const unchangeable = 25;
const liveServers = 8;

/** Every tenth target is a pair, whose accounts take turns. */
const isPair = (index: number) => index % 10 === 0;

/** The last targets are on servers that stop, and those before them lose their administrator. */
const willDie = (index: number) => index >= count - onDeadServers;
const willBeRefused = (index: number) => !willDie(index) && index % 39 === 5;

const idOf = (index: number) => `t${String(index).padStart(4, "0")}`;
const accountsOf = (index: number) =>
  isPair(index) ? [`${idOf(index)}_a`, `${idOf(index)}_b`] : [idOf(index)];
const all = Array.from({ length: count }, (_, index) => index);

let world: World;
let lines: readonly Line[];
/** The first password of each account. */
const first = new Map<string, string>();

beforeAll(async () => {
  world = await startWorld({
    sweep: "*/5 * * * * *",
    config: async (places) => {
      const ports = Array.from({ length: liveServers + 2 }, () => places.postgresql.port);
      lines = await Promise.all(ports.map(lineTo));
      return makeFleet(places, lines);
    },
  });
  for (const account of all.flatMap(accountsOf)) first.set(account, newPassword());
  for (const some of splitIntoChunks([...first], 100)) {
    const statements = some.map(
      ([account, password]) =>
        `CREATE ROLE ${account} LOGIN PASSWORD '${password}'; GRANT ${account} TO rotation_admin WITH ADMIN OPTION;`,
    );
    await world.database.sql(statements.join("\n"));
  }
  for (const some of splitIntoChunks(all, 20)) {
    await Promise.all(
      some.map((index) => {
        const [account = ""] = accountsOf(index);
        return world.store(publishedName(idOf(index)), asJson(account, first.get(account) ?? ""));
      }),
    );
  }
}, 300_000);
afterAll(async () => {
  await Promise.all(lines.map((line) => line.close()));
  await world.close();
});

function makeFleet({ postgresql, vaultUrl }: Places, servers: readonly Line[]): object {
  const retry = { attempts: 2, every: "1s", thenEvery: "1h" };
  const targets = all.map((index) => {
    const server = willDie(index) ? liveServers + (index % 2) : index % liveServers;
    return [
      idOf(index),
      {
        type: "postgresql",
        options: { ...postgresql, port: servers[server]?.port },
        accounts: accountsOf(index),
        admin: { secret: "postgresql-admin" },
        publish: publishedName(idOf(index)),
        tags: { host: "compromised" },
      },
    ] as const;
  });
  return {
    version: 1,
    vaults: { main: { url: vaultUrl } },
    policies: { default: { every: "90d", retry } },
    targets: Object.fromEntries(targets),
  };
}

/** Waits until the breach is as wanted. The app may be restarting. */
const until = (id: string, wanted: (breach: BreachView) => boolean, what: string) =>
  vi.waitFor(
    async () => {
      const breach = await world.api.read<BreachView>(`/api/breaches/${id}`);
      if (!wanted(breach)) throw new Error(`not ${what}: ${JSON.stringify(breach.counts)}`);
      return breach;
    },
    { timeout: 1_200_000, interval: 500 },
  );

async function readReport(id: string): Promise<readonly BreachTargetView[]> {
  const found: BreachTargetView[] = [];
  let next: string | undefined = `/api/breaches/${id}/targets`;
  while (next !== undefined) {
    const page: { targets: BreachTargetView[]; next?: string } = await world.api.read(next);
    found.push(...page.targets);
    ({ next } = page);
  }
  return found;
}

/** Compares a line of the report with the database, and returns what differs. */
async function compare(item: BreachTargetView): Promise<readonly string[]> {
  const index = Number(item.target.slice(1));
  const { database, secrets } = world;
  const { username, password, version } = await published(secrets, item.target);
  const accounts = accountsOf(index);
  const [old = ""] = accounts;
  const isFaulty = willDie(index) || willBeRefused(index);
  const [logsIn, oldWorks] = await Promise.all([
    database.logsIn(username, password),
    database.logsIn(old, first.get(old) ?? ""),
  ]);
  const isRotated = item.state === "rotated";
  const problems = [
    [logsIn, "the published password is refused"],
    [isRotated !== isFaulty, `reported as ${item.state} (${item.outcome ?? ""})`],
    [oldWorks !== isRotated, `the old password ${oldWorks ? "works" : "is refused"}`],
    [!isRotated || item.version?.version === version, "another version is published"],
    [isRotated || item.failure !== undefined, "no failure in the report"],
    [isRotated || username === old, "another account is published"],
  ] as const;
  return problems.filter(([holds]) => !holds).map(([, what]) => `${item.target}: ${what}`);
}

test(
  "A breach of 1,000 targets with 5 % faults, killed twice, ends with a report that every database confirms",
  { timeout: 1_800_000 },
  async () => {
    const began = Date.now();
    const seconds = () => Math.round((Date.now() - began) / 1_000);
    await world.start();
    await vi.waitFor(
      async () => {
        const { targets } = await world.api.read<{ targets: unknown[] }>(
          "/api/targets?health=new&limit=1",
        );
        expect(targets).toEqual([]);
      },
      { ...patient, timeout: 900_000, interval: 1_000 },
    );
    const adopted = seconds();
    for (const line of lines.slice(liveServers)) line.cut();
    const revoked = all.filter(willBeRefused).flatMap(accountsOf);
    await world.database.sql(
      revoked.map((role) => `REVOKE ${role} FROM rotation_admin;`).join("\n"),
    );

    const preview = await world.api.post("/api/breaches", {
      reason: "host compromised",
      tags: ["host:compromised"],
      giveUpAfter: "8m",
    });
    expect(preview.status).toBe(201);
    const { id, summary } = preview.body["breach"] as BreachView;
    expect(summary).toMatchObject({ targets: count, withGap: count - count / 10, obstacles: {} });
    expect((await world.api.post(`/api/breaches/${id}/confirm`, {})).status).toBe(200);

    const progress: number[] = [];
    for (const [kill, enough] of [250, 600].entries()) {
      const { counts } = await until(id, (one) => one.counts.rotated >= enough, "half-way");
      progress.push(counts.rotated);
      await world.host().kill();
      // Claims of the dead process last for two minutes.
      await world.start(startedLater((kill + 1) * (claimLength + 1_000)));
      const repeated = await world.api.post(`/api/breaches/${id}/confirm`, {});
      expect([repeated.status, repeated.body["state"]]).toEqual([200, "running"]);
    }

    const { counts } = await until(id, ({ state }) => state === "ended", "ended");
    const ended = seconds();
    const faulty = onDeadServers + all.filter(willBeRefused).length;
    expect(all.filter(willBeRefused)).toHaveLength(unchangeable);
    expect(counts).toMatchObject({ rotated: count - faulty, waiting: 0, begun: 0, left: 0 });

    const report = await readReport(id);
    expect(report.map(({ target }) => target).sort()).toEqual(all.map(idOf));
    for (const line of lines) line.restore();
    const differences: string[] = [];
    for (const some of splitIntoChunks(report, 8)) {
      differences.push(...(await Promise.all(some.map(compare))).flat());
    }
    expect(differences).toEqual([]);
    console.log(
      `adopted after ${adopted} s; killed at ${progress.join(" and ")} rotated; ended after ${ended} s; ` +
        `compared after ${seconds()} s: ${JSON.stringify(counts)}`,
    );
  },
);
