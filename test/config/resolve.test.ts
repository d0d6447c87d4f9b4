import { expect, test } from "vitest";
import { load } from "./written.ts";

const hour = 3_600_000;

const complete = `version: 1
vaults:
  main: { url: https://kv.vault.azure.net/ }
  team: { url: https://team.vault.azure.net }
policies:
  default: { every: 90d, afterExposure: 4h }
  by-hand:
    manualOnly: true
    password: { length: 64, symbols: "-", exclude: "lI" }
    retry: { attempts: 5, every: 1m, thenEvery: 1d }
targets:
  single:
    type: relational
    options: { host: a.example }
    accounts: [app]
    admin: self
    publish: { secret: single, vault: main, as: password }
  pair:
    type: relational
    options: { host: b.example, port: 6432, database: orders }
    accounts: [a, { name: b, initial: { secret: b-today, vault: team } }]
    admin: { secret: root, vault: team, account: postgres }
    publish: { secret: pair, vault: main }
    policy: by-hand
    grace: 2h
    consumers: [api]
    tags: { env: prod }
  cloud:
    type: cloud-server
    options: { server: c }
    accounts: [a, b]
    admin: managed-identity
    publish: { secret: cloud, vault: team }
consumers:
  api: { type: webhook, url: https://api.example/refresh, key: { secret: api-key, vault: team } }
notify:
  - { type: event-grid, endpoint: https://topic.eventgrid.azure.net/api/events }
  - { type: event-grid, endpoint: https://topic.eventgrid.azure.net/b, key: { secret: topic, vault: main } }
  - { type: webhook, url: http://127.0.0.1:9000/x, key: { secret: hook, vault: main } }
`;

const byDefault = {
  policy: {
    name: "default",
    every: 90 * 24 * hour,
    afterExposure: 4 * hour,
    password: { length: 40, symbols: "-_.~", exclude: "" },
    retry: { attempts: 3, every: hour / 6, thenEvery: 6 * hour },
    verifyEvery: 24 * hour,
  },
  policyWhy: "matches no other policy",
  policiesPassedOver: [{ policy: "by-hand", why: "is only for targets that name it" }],
};

test("every default is filled in and every name is resolved", async () => {
  expect(await load(complete)).toEqual({
    vaults: {
      main: { url: "https://kv.vault.azure.net" },
      team: { url: "https://team.vault.azure.net" },
    },
    targets: [
      {
        id: "single",
        type: "relational",
        options: { host: "a.example", port: 5432, tls: { mode: "verify-full" } },
        slots: [{ account: "app" }],
        authority: { as: "self" },
        publish: { vault: "main", name: "single", as: "password" },
        ...byDefault,
        grace: 0,
        consumers: [],
        tags: {},
      },
      {
        id: "pair",
        type: "relational",
        options: {
          host: "b.example",
          port: 6432,
          database: "orders",
          tls: { mode: "verify-full" },
        },
        slots: [{ account: "a" }, { account: "b", initial: { vault: "team", name: "b-today" } }],
        authority: { as: "admin", secret: { vault: "team", name: "root" }, account: "postgres" },
        publish: { vault: "main", name: "pair", as: "json" },
        policy: {
          name: "by-hand",
          manualOnly: true,
          password: { length: 64, symbols: "-", exclude: "lI" },
          retry: { attempts: 5, every: hour / 60, thenEvery: 24 * hour },
          verifyEvery: 24 * hour,
        },
        policyWhy: "named by the target",
        policiesPassedOver: [{ policy: "default", why: "is only for targets that name it" }],
        grace: 2 * hour,
        consumers: ["api"],
        tags: { env: "prod" },
      },
      {
        id: "cloud",
        type: "cloud-server",
        options: { server: "c" },
        slots: [{ account: "a" }, { account: "b" }],
        authority: { as: "identity" },
        publish: { vault: "team", name: "cloud", as: "json" },
        ...byDefault,
        grace: 24 * hour,
        consumers: [],
        tags: {},
      },
    ],
    consumers: {
      api: {
        type: "webhook",
        url: "https://api.example/refresh",
        key: { vault: "team", name: "api-key" },
      },
    },
    notifiers: [
      { type: "event-grid", endpoint: "https://topic.eventgrid.azure.net/api/events" },
      {
        type: "event-grid",
        endpoint: "https://topic.eventgrid.azure.net/b",
        key: { vault: "main", name: "topic" },
      },
      { type: "webhook", url: "http://127.0.0.1:9000/x", key: { vault: "main", name: "hook" } },
    ],
    warnings: [],
  });
});

test("the only vault need not be named", async () => {
  const { targets } = await load(`version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
policies: { default: { every: 1d } }
targets:
  pair:
    type: relational
    options: { host: a }
    accounts: [{ name: a, initial: a-today }, { name: b, initial: { secret: b-today } }]
    admin: { secret: root }
    publish: pair
`);
  expect(targets).toMatchObject([
    {
      slots: [{ initial: { vault: "main" } }, { initial: { vault: "main" } }],
      authority: { secret: { vault: "main", name: "root" } },
      publish: { vault: "main", name: "pair", as: "json" },
    },
  ]);
});

test("names of built-in object properties are ordinary names", async () => {
  const { targets } = await load(`version: 1
vaults: { constructor: { url: https://kv.vault.azure.net } }
policies: { constructor: { manualOnly: true } }
targets:
  constructor:
    type: relational
    options: { host: a }
    accounts: [constructor]
    admin: self
    publish: { secret: constructor, vault: constructor }
    policy: constructor
`);
  expect(targets).toMatchObject([{ id: "constructor", policy: { name: "constructor" } }]);
});
