import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../../conformance/faults/listening.ts";
import type { LogInError } from "../../local/azure/graph/log-in.ts";
import {
  AccountBlockedError,
  ConfigError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { judgeLogIn } from "../../shared/rotators/entra-app/entra-app-log-in.ts";
import { startEntraBench } from "../contract/rotators/entra-app-bench.ts";
import { type Kind, patience, useEntra } from "./entra-app-steps.ts";

const entra = useEntra();

function verify(text: string, changed: object = {}, note?: (sentence: string) => void) {
  const { bench } = entra;
  const credential = { account: bench.account, secret: new Secret(text) };
  const check = { options: bench.optionsWith(changed), credential, ...(note && { note }) };
  return bench.rotator().verify(check, patience());
}

test.each(["plain", "a+b%20c&d=e~.-_[]@:/?#", " spaces and ünï-€-😀 ", "x".repeat(128)])(
  "the secret %j arrives as it is",
  async (text) => {
    entra.graph.put({ text });
    expect(await verify(text)).toBe("accepted");
    expect(await verify(`${text}!`)).toBe("rejected");
  },
);

test("no token of an earlier secret is remembered", async () => {
  const { text, keyId } = entra.graph.put();
  expect(await verify(text)).toBe("accepted");
  entra.graph.remove(keyId);
  expect(await verify(text)).toBe("rejected");
});

test("a new secret may be refused by some servers for a while", async () => {
  let time = Date.parse("2026-01-01T00:00:00Z");
  const slow = await startEntraBench({ now: () => time, propagation: 20_000 });
  onTestFinished(() => slow.graph.close());
  const options = slow.optionsWith();
  const minted = await slow.rotator().mint?.(
    {
      ...{ options, account: slow.account },
      using: { as: "identity", getToken: () => Promise.reject(new Error("not used")) },
      mark: { targetId: "orders", rotationId: "01HX0000000000000000000001" },
    },
    patience(),
  );
  if (!minted) throw new Error("nothing was minted");
  const seen = async () => {
    const check = { options, credential: minted.credential };
    const first = await slow.rotator().verify(check, patience());
    return [first, await slow.rotator().verify(check, patience())];
  };
  expect(await seen()).toEqual(["rejected", "rejected"]);
  time += 10_000;
  expect((await seen()).toSorted()).toEqual(["accepted", "rejected"]);
  time += 10_000;
  expect(await seen()).toEqual(["accepted", "accepted"]);
});

test("an expired secret is rejected, with a note", async () => {
  const notes: string[] = [];
  const { text } = entra.graph.put({ end: Date.now() - 1_000 });
  expect(await verify(text, {}, (sentence) => notes.push(sentence))).toBe("rejected");
  expect(notes).toEqual([expect.stringContaining("has expired")]);
});

test("Conditional Access refuses a token only after the secret was right", async () => {
  const notes: string[] = [];
  const { text } = entra.graph.put();
  entra.graph.logIns.blocksAddress = true;
  expect(await verify(text, {}, (sentence) => notes.push(sentence))).toBe("accepted");
  expect(notes).toEqual([expect.stringContaining("Conditional Access")]);
  expect(await verify("other")).toBe("rejected");
});

test.each<[string, () => void, Kind, string]>([
  [
    "a deleted application",
    () => (entra.graph.application.isDeleted = true),
    AccountBlockedError,
    "does not exist in this tenant",
  ],
  [
    "no service principal",
    () => (entra.graph.application.accountEnabled = undefined),
    AccountBlockedError,
    "az ad sp create",
  ],
  [
    "a disabled service principal",
    () => (entra.graph.application.accountEnabled = false),
    AccountBlockedError,
    "is disabled",
  ],
  ["an outage", answering("busy"), TargetUnavailableError, "status 503"],
  ["throttling", answering("tooMany"), TargetUnavailableError, "no more log-ins"],
  ["a wrong scope", answering("badScope"), TargetUnavailableError, "AADSTS70011"],
  [
    "a proxy",
    () => entra.graph.faults.on("log-in", { do: "refuse", with: { page: "<html>", status: 403 } }),
    TargetUnavailableError,
    "not from Entra",
  ],
  [
    "a page that looks like a success",
    () => entra.graph.faults.on("log-in", { do: "refuse", with: { page: "{}", status: 200 } }),
    TargetUnavailableError,
    "not from Entra",
  ],
  [
    "a redirect",
    () => entra.graph.faults.on("log-in", { do: "refuse", with: { page: "", status: 302 } }),
    TargetUnavailableError,
    "not from Entra",
  ],
  [
    "a cut line",
    () => entra.graph.faults.on("log-in", { do: "reset-before-effect" }),
    TargetUnavailableError,
    "the connection was",
  ],
])("%s says nothing of the secret", async (_, arm, kind, words) => {
  const { text } = entra.graph.put();
  arm();
  await entra.fails(verify(text), kind, words);
});

function answering(error: LogInError) {
  return () => entra.graph.faults.on("log-in", { do: "refuse", with: { error } });
}

test("a tenant that does not exist is a mistake in the options", async () => {
  const { text } = entra.graph.put();
  const tenant = "00000000-0000-4000-8000-000000000000";
  await entra.fails(verify(text, { tenant }), ConfigError, "options.tenant and options.cloud");
});

test("a server that does not answer is waited for until the deadline", async () => {
  entra.graph.faults.on("log-in", { do: "hang" });
  const { bench } = entra;
  const credential = { account: bench.account, secret: new Secret("x") };
  const deadline = AbortSignal.timeout(100);
  const call = bench.rotator().verify({ options: bench.optionsWith(), credential }, deadline);
  await entra.fails(call, TargetUnavailableError, "timed out");
});

test("a host that does not complete the connection is not waited for", async () => {
  const silent = await listen(createServer((socket) => socket.resume()));
  onTestFinished(() => silent.close());
  const { bench } = entra;
  const logIn = `https://localhost:${String(silent.port)}`;
  const credential = { account: bench.account, secret: new Secret("x") };
  const check = { options: bench.optionsWith({ logIn }), credential, connectWithin: 50 };
  const call = bench.rotator().verify(check, patience());
  await entra.fails(call, TargetUnavailableError, "connecting to the host timed out");
  await expect.poll(() => silent.connections.open).toBe(0);
  const { text } = entra.graph.put();
  const good = { ...check, options: bench.optionsWith(), connectWithin: 10_000 };
  const right = { ...credential, secret: new Secret(text) };
  expect(await bench.rotator().verify({ ...good, credential: right }, patience())).toBe("accepted");
});

test.each([
  [401, "invalid_client", 7_999_999, "rejected"],
  [400, "unauthorized_client", 7_999_999, "nothing"],
  [400, "something_else", 7_999_999, "nothing"],
  [400, "constructor", 7_999_999, "nothing"],
  [400, "access_denied", 53_003, "accepted"],
] as const)(
  "status %s with the error %s and the number %s means: %s",
  (status, error, number, is) => {
    const text = JSON.stringify({ error, error_codes: [number], error_description: "x" });
    expect(judgeLogIn(status, text).is).toBe(is);
  },
);

test("an answer without numbers counts by its name", () => {
  expect(judgeLogIn(401, JSON.stringify({ error: "invalid_client" })).is).toBe("rejected");
  expect(judgeLogIn(401, "[]").is).toBe("nothing");
  expect(judgeLogIn(200, JSON.stringify({ access_token: "" })).is).toBe("nothing");
});
