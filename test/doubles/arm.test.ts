import { SqlManagementClient } from "@azure/arm-sql";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import {
  type ArmCredential,
  type ArmDouble,
  type ArmDoubleOptions,
  armErrors,
  startArmDouble,
} from "./arm/server.ts";
import { startTdsDouble, type TdsDouble } from "./tds/server.ts";

const first = "First~Secret1";
const second = "Second~Secret2";
const group = "rg-orders";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const double of open.splice(0)) await double.close();
});

async function start(
  options: Omit<ArmDoubleOptions, "resources"> = {},
): Promise<{ arm: ArmDouble; tds: TdsDouble }> {
  const tds = await startTdsDouble({ logins: [{ account: "ktadmin", password: first }] });
  const arm = await startArmDouble({
    resources: [
      {
        name: "sql-orders",
        resourceGroup: group,
        administratorLogin: "ktadmin",
        setPassword: (login, password) => {
          tds.setPassword(login, password);
        },
      },
      { name: "sql-entra", resourceGroup: group, administratorLogin: "ktadmin", entraOnly: true },
    ],
    ...options,
  });
  open.push(tds, arm);
  return { arm, tds };
}

function client(
  arm: ArmDouble,
  credential: ArmCredential = arm.credential(),
  maxRetries = 0,
): SqlManagementClient {
  return new SqlManagementClient(credential, arm.subscriptionId, {
    endpoint: arm.endpoint,
    tlsOptions: { ca: arm.ca },
    retryOptions: { maxRetries, retryDelayInMs: 1 },
  });
}

function setPassword(
  azure: SqlManagementClient,
  password: string,
  server = "sql-orders",
): Promise<unknown> {
  const change = { administratorLoginPassword: password };
  const options = { updateIntervalInMs: 1 };
  return azure.servers.beginUpdateAndWait(group, server, change, options);
}

/** Checks the shape and not the class, because the client contains a second copy of the class. */
const restError = z.object({
  name: z.literal("RestError"),
  statusCode: z.number().optional(),
  code: z.string().optional(),
  message: z.string(),
});

async function refusal(work: Promise<unknown>) {
  const error = await work.then(
    () => "no refusal",
    (thrown: unknown) => thrown,
  );
  const { statusCode: status, code, message } = restError.parse(error);
  return { status, code, message };
}

const statuses = (arm: ArmDouble) =>
  arm.inspection.requests.map(({ method, status }) => `${method} ${String(status)}`);

test("a server shows its administrator and whether it accepts passwords", async () => {
  const { arm } = await start();
  const azure = client(arm);
  const server = await azure.servers.get(group, "sql-orders");
  expect(server).toMatchObject({ administratorLogin: "ktadmin", state: "Ready" });
  const modes = azure.serverAzureADOnlyAuthentications;
  const normal = await modes.get(group, "sql-orders", "Default");
  const entra = await modes.get(group, "sql-entra", "Default");
  expect(normal.azureADOnlyAuthentication).toBe(false);
  expect(entra.azureADOnlyAuthentication).toBe(true);
});

test("a new administrator password is accepted, polled, and valid in the database", async () => {
  const { arm, tds } = await start();
  await setPassword(client(arm), second);
  expect(tds.inspection.accepts("ktadmin", second)).toBe(true);
  expect(tds.inspection.accepts("ktadmin", first)).toBe(false);
  expect(statuses(arm)).toEqual(["PATCH 202", "GET 200", "GET 200", "GET 200"]);
  expect(arm.inspection.landed("sql-orders")).toBe(1);
});

test("a password can take effect only when its operation succeeds", async () => {
  const { arm, tds } = await start({ effectAt: "completion", ticks: 3 });
  const change = { administratorLoginPassword: second };
  const poller = await client(arm).servers.beginUpdate(group, "sql-orders", change);
  expect(tds.inspection.accepts("ktadmin", first)).toBe(true);
  expect(poller.isDone()).toBe(false);
  await arm.settle();
  await poller.pollUntilDone();
  expect(tds.inspection.accepts("ktadmin", second)).toBe(true);
});

test("an operation ends even when no client polls it", async () => {
  const { arm, tds } = await start({ effectAt: "completion", ticks: 1 });
  const azure = client(arm);
  const change = { administratorLoginPassword: second };
  await azure.servers.beginUpdate(group, "sql-orders", change);
  while (arm.inspection.isBusy("sql-orders")) await azure.servers.get(group, "sql-orders");
  expect(tds.inspection.accepts("ktadmin", second)).toBe(true);
});

test("a second change is refused while the first is in progress", async () => {
  const { arm, tds } = await start({ ticks: 100 });
  const azure = client(arm);
  const change = { administratorLoginPassword: second };
  await azure.servers.beginUpdate(group, "sql-orders", change);
  expect(await refusal(setPassword(azure, "Third~Secret3"))).toMatchObject({
    status: 409,
    code: "ConflictingServerOperation",
  });
  expect(tds.inspection.accepts("ktadmin", second)).toBe(true);
});

test("a server with Entra-only authentication refuses a password", async () => {
  const { arm } = await start();
  expect(await refusal(setPassword(client(arm), second, "sql-entra"))).toMatchObject({
    status: 400,
    code: "AadOnlyAuthenticationIsEnabled",
  });
});

test.each([
  ["too short", "Ab1-xyz", "PasswordTooShort"],
  ["too long", "Ab1-".padEnd(129, "x"), "PasswordTooLong"],
  ["of two kinds of characters", "abcdefgh12345678", "PasswordNotComplex"],
  ["naming the account", "Very-KTadmin-1234", "PasswordNotComplex"],
])("a password %s is refused and changes nothing", async (_, password, code) => {
  const { arm, tds } = await start();
  expect(await refusal(setPassword(client(arm), password))).toMatchObject({ status: 400, code });
  expect(tds.inspection.accepts("ktadmin", first)).toBe(true);
});

test("each missing resource has its own error", async () => {
  const { arm } = await start();
  const azure = client(arm);
  const get = (inGroup: string, name: string) => refusal(azure.servers.get(inGroup, name));
  expect(await get(group, "sql-none")).toMatchObject({ status: 404, code: "ResourceNotFound" });
  expect(await get("rg-none", "x")).toMatchObject({ status: 404, code: "ResourceGroupNotFound" });
  azure.subscriptionId = "00000000-0000-0000-0000-000000000000";
  expect(await get(group, "x")).toMatchObject({ status: 404, code: "SubscriptionNotFound" });
});

test.each([
  ["forged", 401, "InvalidAuthenticationToken"],
  ["expired", 401, "ExpiredAuthenticationToken"],
  ["stranger", 403, "AuthorizationFailed"],
  ["reader", 403, "AuthorizationFailed"],
] as const)("the token of one %s changes nothing: %i %s", async (role, status, code) => {
  const { arm, tds } = await start();
  const work = setPassword(client(arm, arm.credential(role)), second);
  expect(await refusal(work)).toMatchObject({ status, code });
  expect(tds.inspection.accepts("ktadmin", first)).toBe(true);
});

test("a request without a token gets no information", async () => {
  const { arm } = await start();
  const { pipeline, servers } = client(arm);
  pipeline.removePolicy({ name: "bearerTokenAuthenticationPolicy" });
  expect(await refusal(servers.get(group, "sql-orders"))).toMatchObject({ status: 401 });
});

test("a caller who may write but not poll still changes the password", async () => {
  const { arm, tds } = await start();
  const work = setPassword(client(arm, arm.credential("writer")), second);
  expect(await refusal(work)).toMatchObject({ status: 403 });
  expect(tds.inspection.accepts("ktadmin", second)).toBe(true);
});

test("an operation can fail after it was accepted", async () => {
  const { arm, tds } = await start();
  const failed = { code: "InternalServerError", message: "it broke" };
  arm.faults.on("operation", { do: "refuse", with: failed });
  await expect(setPassword(client(arm), second)).rejects.toThrow(/failed|it broke/);
  expect(tds.inspection.accepts("ktadmin", first)).toBe(true);
  await setPassword(client(arm), second);
});

test("a lost reply leaves the password changed; the client's own retry meets a conflict", async () => {
  const { arm, tds } = await start();
  const fault = arm.faults.on("patch", { do: "lost-reply-after-effect" });
  expect(await refusal(setPassword(client(arm), second))).toMatchObject({ status: undefined });
  expect(fault.fired).toBe(1);
  expect(tds.inspection.accepts("ktadmin", second)).toBe(true);
  await arm.settle();
  arm.faults.on("patch", { do: "lost-reply-after-effect" });
  const retrying = client(arm, arm.credential(), 3);
  expect(await refusal(setPassword(retrying, second))).toMatchObject({ status: 409 });
});

test("a reset before the effect does not change the password", async () => {
  const { arm, tds } = await start();
  arm.faults.on("patch", { do: "reset-before-effect" });
  expect(await refusal(setPassword(client(arm), second))).toMatchObject({ status: undefined });
  expect(tds.inspection.accepts("ktadmin", first)).toBe(true);
});

test("a lost poll does not affect the operation", async () => {
  const { arm, tds } = await start();
  arm.faults.on("poll", { do: "reset-before-effect" });
  expect(await refusal(setPassword(client(arm), second))).toMatchObject({ status: undefined });
  expect(tds.inspection.accepts("ktadmin", second)).toBe(true);
});

test("throttling names the seconds to wait, which the client's own retries respect", async () => {
  const { arm } = await start();
  arm.faults.on("patch", { do: "refuse", with: armErrors.throttled(0), times: 2 });
  expect(await refusal(setPassword(client(arm), second))).toMatchObject({ status: 429 });
  await setPassword(client(arm, arm.credential(), 3), second);
  expect(statuses(arm).slice(0, 3)).toEqual(["PATCH 429", "PATCH 429", "PATCH 202"]);
});

test("an abort signal ends a request to a platform that never answers", async () => {
  const { arm, tds } = await start();
  arm.faults.on("patch", { do: "hang", afterEffect: true });
  const change = { administratorLoginPassword: second };
  const controller = new AbortController();
  const work = client(arm).servers.beginUpdate(group, "sql-orders", change, {
    abortSignal: controller.signal,
  });
  const given = expect(work).rejects.toMatchObject({ name: "AbortError" });
  await expect.poll(() => arm.inspection.landed("sql-orders"), { timeout: 4000 }).toBe(1);
  controller.abort();
  await given;
  expect(tds.inspection.accepts("ktadmin", second)).toBe(true);
});

test("a hostile platform repeats the password in its errors, an honest one never does", async () => {
  const { arm } = await start();
  const azure = client(arm, arm.credential("reader"));
  expect((await refusal(setPassword(azure, second))).message).not.toContain(second);
  arm.faults.hostile = true;
  expect((await refusal(setPassword(azure, second))).message).toContain(second);
});

test("an untrusted certificate ends the request before the token is sent", async () => {
  const { arm } = await start();
  const azure = new SqlManagementClient(arm.credential(), arm.subscriptionId, {
    endpoint: arm.endpoint,
    retryOptions: { maxRetries: 0 },
  });
  const { message } = await refusal(azure.servers.get(group, "sql-orders"));
  expect(message).toMatch(/self.signed certificate/);
  expect(arm.inspection.requests).toEqual([]);
});
