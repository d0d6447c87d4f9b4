import { expect, test } from "vitest";
import { entraApp } from "../../shared/rotators/entra-app/entra-app.ts";
import { findOrigins } from "../../shared/rotators/entra-app/entra-app-options.ts";

const rotator = entraApp({
  getToken: () => Promise.reject(new Error("not requested")),
});
const { options } = rotator;
const tenant = "7d6b3f5e-4e0b-4b6a-8c1d-2f3a4b5c6d7e";
const application = "3f1e0c52-6f5b-4a39-9d1f-0a1b2c3d4e5f";

test("The tenant alone is enough", () => {
  expect(options.parse({ tenant })).toEqual({ tenant, cloud: "public", lifetime: "180d" });
});

test.each<[object, string]>([
  [{ tenant: "contoso.onmicrosoft.com" }, "not its domain"],
  [{ tenant, application: "orders" }, "the client id or the object id"],
  [{ tenant, lifetime: "90" }, "such as 180d"],
  [{ tenant, lifetime: "23h" }, "from 1d to 730d"],
  [{ tenant, lifetime: "731d" }, "from 1d to 730d"],
  [{ tenant, graph: "https://graph.microsoft.com" }, "Set cloud instead"],
  [{ tenant, graph: "http://localhost:80" }, "Set cloud instead"],
  [{ tenant, logIn: "https://login.example.com" }, "Set cloud instead"],
  [{ tenant, logIn: "https://localhost:8443/path" }, "Set cloud instead"],
  [{ tenant, graph: "?" }, "Set cloud instead"],
  [{ tenant, propagation: "0s" }, "for a double on this machine only"],
  [
    { tenant, propagation: "0s", graph: "https://localhost:1" },
    "for a double on this machine only",
  ],
])("%j is refused with advice", (written, words) => {
  const [issue] = options.safeParse(written).error?.issues ?? [];
  expect(issue?.message).toContain(words);
});

test("Only a double on this machine may say how long it refuses a new secret", () => {
  const double = { graph: "https://localhost:1", logIn: "https://localhost:2" };
  expect(rotator.findPropagation?.(options.parse({ tenant }))).toBe(300_000);
  expect(rotator.findPropagation?.(options.parse({ tenant, ...double }))).toBe(300_000);
  const instant = options.parse({ tenant, ...double, propagation: "0s" });
  expect(rotator.findPropagation?.(instant)).toBe(0);
  const wrong = options.safeParse({ tenant, ...double, propagation: "soon" });
  expect(wrong.error?.issues.map(({ message }) => message)).toEqual([
    "must be a duration, such as 0s",
  ]);
});

test.each([
  ["public", "https://graph.microsoft.com", "login.microsoftonline.com"],
  ["us-government", "https://graph.microsoft.us", "login.microsoftonline.us"],
  ["us-government-dod", "https://dod-graph.microsoft.us", "login.microsoftonline.us"],
  ["china", "https://microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"],
])("In the cloud %s, Graph is at %s, and consumers log in at %s", (cloud, graph, host) => {
  const parsed = options.parse({ tenant, cloud });
  expect(findOrigins(parsed).graph).toBe(graph);
  expect(rotator.endpoint(parsed)).toEqual({
    ...{ engine: "entra", host, port: 443 },
    more: { tenantId: tenant },
  });
});

test("A target without accounts has the application as its account", () => {
  const upper = application.toUpperCase();
  expect(rotator.defaultAccounts?.(options.parse({ tenant, application: upper }))).toEqual([
    application,
  ]);
  expect(rotator.defaultAccounts?.(options.parse({ tenant }))).toBeUndefined();
});

test("An account must be a client id in lower case", () => {
  expect(rotator.findUnfitAccount?.(application)).toBeUndefined();
  for (const account of ["orders", application.toUpperCase(), `${application}'`]) {
    expect(rotator.findUnfitAccount?.(account)).toContain("must be the client id");
  }
});
