import { expect, test } from "vitest";
import {
  findTokenHostProblem,
  isGraph,
  isLogIn,
  isLoopback,
} from "../../../shared/core/secrets/addresses.ts";
import { openSafely } from "../../../shared/stores/storage-access.ts";

test.each([
  ["http://127.0.0.1:1", true],
  ["http://127.255.0.9", true],
  ["http://127.1", true],
  ["http://[::1]:1", true],
  ["http://localhost", true],
  ["http://a.localhost", false],
  ["http://localhost.evil.example", false],
  ["http://127.0.0.1.evil.example", false],
  ["http://0.0.0.0", false],
  ["http://128.0.0.1", false],
  ["http://[::ffff:10.0.0.1]", false],
])(
  "whether %s stays on the machine: %s; storage is asked in the clear only there",
  (url, stays) => {
    expect(isLoopback(new URL(url))).toBe(stays);
    const open = () => openSafely(() => ({ url }));
    if (stays) expect(open()).toEqual({ url });
    else expect(open).toThrow("only loopback addresses may use http");
  },
);

test.each([
  ["sqlserver", "shop.database.windows.net", true],
  ["sqlserver", "SHOP.Database.Windows.Net.", true],
  ["sqlserver", "shop.privatelink.database.windows.net", true],
  ["sqlserver", "shop.database.usgovcloudapi.net", true],
  ["sqlserver", "database.windows.net", false],
  ["sqlserver", "shop.database.windows.net.example.com", false],
  ["sqlserver", "shopdatabase.windows.net", false],
  ["sqlserver", "shop.postgres.database.azure.com", false],
  ["sqlserver", "10.0.0.4", false],
  ["postgresql", "shop.postgres.database.azure.com", true],
  ["postgresql", "shop.writer.postgres.database.azure.com", true],
  ["postgresql", "shop.mysql.database.azure.com", false],
  ["postgresql", "2001:db8::1", false],
  ["mysql", "shop.mysql.database.chinacloudapi.cn", true],
  ["mysql", "shop.example.com", false],
  ["mysql", "127.0.0.1", true],
  ["mysql", "::1", true],
  ["mysql", "localhost", true],
] as const)("a token for %s may go to %s: %s", (system, host, isAllowed) => {
  const problem = findTokenHostProblem(host, system);
  if (isAllowed) expect(problem).toBeUndefined();
  else expect(problem).toContain("sends its token to no other host");
});

test.each([
  ["https://login.microsoftonline.com", true, false],
  ["https://login.microsoftonline.us", true, false],
  ["https://login.chinacloudapi.cn", true, false],
  ["https://graph.microsoft.com", false, true],
  ["https://dod-graph.microsoft.us", false, true],
  ["https://localhost:8443", true, true],
  ["http://localhost:8443", false, false],
  ["https://localhost:8443/path", false, false],
  ["https://login.microsoftonline.com.example.com", false, false],
  ["https://graph.microsoft.com@example.com", false, false],
  ["http://login.microsoftonline.com", false, false],
] as const)(
  "secrets of applications may go to %s: %s; tokens for Microsoft Graph: %s",
  (origin, mayLogIn, mayCall) => {
    expect(isLogIn(origin)).toBe(mayLogIn);
    expect(isGraph(origin)).toBe(mayCall);
  },
);
