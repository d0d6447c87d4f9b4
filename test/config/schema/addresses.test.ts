import { expect, test } from "vitest";
import { listProblems, load } from "../written.ts";

const noVault =
  "must be https://NAME followed by .vault.azure.net, .vault.azure.cn, .vault.usgovcloudapi.net";
const noTopic =
  "must be on a subdomain of eventgrid.azure.net or eventgrid.azure.us or eventgrid.azure.cn";

const withVault = (url: string) => `version: 1\nvaults: { main: { url: "${url}" } }\n`;
const withNotifier = (fields: string) => `version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
notify:
  - { type: event-grid, ${fields} }
`;

test("addresses outside of Azure are listed together with all other problems", async () => {
  const text = `version: 1
vaults:
  main: { url: https://kv.example }
policies: { default: { every: 90 days } }
notify:
  - { type: event-grid, endpoint: https://topic.example/api/events, kye: x }
`;
  expect(await listProblems(text)).toEqual([
    `keyturn.yaml:3:16  vaults.main.url: ${noVault}`,
    "keyturn.yaml:4:31  policies.default.every: must be a duration such as 30s, 10m, 4h or 90d",
    `keyturn.yaml:6:35  notify[0].endpoint: ${noTopic}`,
    "keyturn.yaml:6:69  notify[0].kye: is not a known key; allowed: type, endpoint, key",
  ]);
});

test.each([
  "https://vault.azure.net",
  "https://kvvault.azure.net",
  "https://kv.vault.azure.net.evil.example",
  "https://kv.vault.azure.net:8443",
  "https://10.0.0.1",
  "https://127.0.0.1.evil.example",
])("%s is rejected as a vault", async (url) => {
  expect(await listProblems(withVault(url))).toEqual([
    `keyturn.yaml:2:24  vaults.main.url: ${noVault}`,
  ]);
});

test.each([
  "https://kv.vault.azure.net",
  "https://kv.vault.azure.cn",
  "https://kv.vault.usgovcloudapi.net",
  "https://kv.privatelink.vault.azure.net",
  "http://127.8.9.10:8300",
  "http://[::1]:8300",
  "https://localhost:8300",
])("%s is accepted as a vault", async (url) => {
  expect((await load(withVault(url))).vaults).toEqual({ main: { url } });
});

test.each(["https://eventgrid.azure.net", "https://topic.eventgrid.azure.net.evil.example"])(
  "%s is refused as a topic",
  async (endpoint) => {
    expect(await listProblems(withNotifier(`endpoint: "${endpoint}"`))).toEqual([
      `keyturn.yaml:4:35  notify[0].endpoint: ${noTopic}`,
    ]);
  },
);

test("plain http to a topic on this machine needs a key, because a token must not be sent unencrypted", async () => {
  const endpoint = "endpoint: http://127.8.9.10:6060/api/events";
  expect(await listProblems(withNotifier(endpoint))).toEqual([
    "keyturn.yaml:4:35  notify[0].endpoint: must begin with https:// unless key is set",
  ]);
  expect(await listProblems(withNotifier(`${endpoint}, key: { secret: topic }`))).toEqual([]);
});
