import { SecretClient } from "@azure/keyvault-secrets";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { expectNoTrace, failure } from "../../conformance/errors.ts";
import { type KeyVaultEmulator, startKeyVaultEmulator } from "../../local/key-vault/emulator.ts";
import { VaultUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeKeyVault } from "../../shared/vaults/key-vault.ts";
import type { Vault } from "../../shared/vaults/vault.ts";
import { readable } from "../contract/vaults/vault.suite.ts";

const value = `s3cr3t "value" ü/+=`;
const token = "eyJhbGciOiJub25lIn0.live-token";
const signal = new AbortController().signal;
const content = { value: new Secret(value), contentType: "text/plain", tags: { a: "b" } };

describe("Azure Key Vault with a fault", () => {
  let emulator: KeyVaultEmulator;
  let vault: Vault;
  let presented = token;
  let names = 0;
  const newName = () => `secret-${++names}`;
  const credential = {
    getToken: () =>
      Promise.resolve({ token: presented, expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const plainClient = () =>
    new SecretClient(emulator.url, credential, {
      allowInsecureConnection: true,
      disableChallengeResourceVerification: true,
    });

  beforeAll(async () => {
    emulator = await startKeyVaultEmulator({ acceptsToken: (given) => given === token });
    vault = makeKeyVault({ name: "main", url: emulator.url, credential });
  });
  afterEach(() => {
    emulator.faults.clear();
  });
  afterAll(() => emulator.close());

  /** Returns the error after checking its kind and that it contains no secret. */
  async function unavailable(attempt: Promise<unknown>): Promise<string> {
    const error = await failure(attempt);
    expect(error).toBeInstanceOf(VaultUnavailableError);
    expect(error.cause).toBeUndefined();
    expectNoTrace(error, [value, token]);
    return error.message;
  }

  it("returns a version that exists when the reply to a write is lost", async () => {
    const name = newName();
    const lost = emulator.faults.add({
      kind: "lost-reply-after-effect",
      match: { operation: "set-secret" },
    });
    const ref = await vault.write(name, content, signal);
    expect(lost.fired).toBe(1);
    expect(readable(await vault.readCurrent(name, signal)).ref).toEqual(ref);

    const versions = [];
    for await (const each of plainClient().listPropertiesOfSecretVersions(name)) {
      versions.push(each.version ?? "");
    }
    expect(versions).toHaveLength(2);
    for (const version of versions) {
      const found = readable(await vault.readVersion({ ...ref, version }, signal));
      expect(found).toMatchObject({ contentType: "text/plain", tags: { a: "b" } });
      expect(found.value.reveal()).toBe(value);
    }
  });

  it.each([
    { kind: "status", status: 429, retryAfter: 1 },
    { kind: "status", status: 500 },
    { kind: "status", status: 503 },
    { kind: "reset-before-effect" },
  ] as const)("survives a single $kind $status", async (fault) => {
    const name = newName();
    const armed = emulator.faults.add({ ...fault, match: { name } });
    await vault.write(name, content, signal);
    expect(armed.fired).toBe(1);
    expect(readable(await vault.readCurrent(name, signal)).value.reveal()).toBe(value);
  });

  it.each([
    [{ kind: "status", status: 429 }, /throttling.*HTTP 429/],
    [{ kind: "status", status: 429, retryAfter: 3600 }, /throttling.*HTTP 429/],
    [{ kind: "status", status: 500 }, /HTTP 500, InternalServerError, request [0-9a-f-]{36}/],
    [{ kind: "status", status: 503 }, /HTTP 503/],
    [{ kind: "reset-before-effect" }, /could not be reached/],
  ] as const)("stops soon when %j continues", async (fault, message) => {
    const name = newName();
    const ref = await vault.write(name, content, signal);
    emulator.faults.add({ ...fault, match: { name }, times: Infinity });
    const messages = await Promise.all([
      unavailable(vault.write(name, content, signal)),
      unavailable(vault.readCurrent(name, signal)),
      unavailable(vault.readVersion(ref, signal)),
      unavailable(vault.disable(ref, signal)),
    ]);
    for (const each of messages) expect(each).toMatch(message);
  });

  it("stops waiting for a slow vault when the caller does", async () => {
    const name = newName();
    const slow = emulator.faults.add({ kind: "latency", ms: 600_000, match: {}, times: Infinity });
    const caller = new AbortController();
    const waiting = [
      unavailable(vault.write(name, content, caller.signal)),
      unavailable(vault.readCurrent(name, caller.signal)),
    ];
    await expect.poll(() => slow.fired, { timeout: 4_000 }).toBeGreaterThanOrEqual(2);
    caller.abort(new Error(`a reason that holds ${value}`));
    for (const message of await Promise.all(waiting)) expect(message).toMatch(/timed out/);
  });

  it("stops after half a minute even if the caller sets no deadline", async () => {
    const time = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(time.signal);
    emulator.faults.add({ kind: "latency", ms: 600_000, match: {}, times: Infinity });
    const waiting = unavailable(vault.readCurrent(newName(), signal));
    expect(timeout).toHaveBeenCalledExactlyOnceWith(30_000);
    time.abort();
    expect(await waiting).toMatch(/timed out/);
  });

  it("stops waiting for a token when the caller does", async () => {
    const slow = { getToken: () => new Promise<null>(() => undefined) };
    const waiting = makeKeyVault({ name: "main", url: emulator.url, credential: slow });
    const message = await unavailable(waiting.readCurrent("any", AbortSignal.timeout(100)));
    expect(message).toMatch(/timed out/);
  });

  it("reports a missing token without the answer of the token service", async () => {
    const broken = {
      getToken: () => Promise.reject(new Error(`invalid_client: ${value} ${token}`)),
    };
    const lonely = makeKeyVault({ name: "main", url: emulator.url, credential: broken });
    const writing = unavailable(lonely.write("any", content, signal));
    expect(await writing).toMatch(/no token is available/);
  });

  it("reports a refused token, and works when it is accepted", async () => {
    presented = "eyJhbGciOiJub25lIn0.foreign-token";
    try {
      const other = makeKeyVault({ name: "main", url: emulator.url, credential });
      for (const attempt of [
        other.readCurrent("any", signal),
        other.write("any", content, signal),
        other.disable({ vault: "main", name: "any", version: "0".repeat(32) }, signal),
      ]) {
        const error = await failure(attempt);
        expect(error).toBeInstanceOf(VaultUnavailableError);
        expect(error.message).toMatch(/refuses the token.*HTTP 401/);
        expectNoTrace(error, [value, presented]);
      }
    } finally {
      presented = token;
    }
    const name = newName();
    const again = makeKeyVault({ name: "main", url: emulator.url, credential });
    await again.write(name, content, signal);
    expect(readable(await again.readCurrent(name, signal)).value.reveal()).toBe(value);
  });

  it("reports a deleted name as deleted, and says to recover or purge it", async () => {
    const name = newName();
    const ref = await vault.write(name, content, signal);
    const poller = await plainClient().beginDeleteSecret(name);
    await poller.pollUntilDone();

    expect(await vault.readCurrent(name, signal)).toBe("deleted");
    expect(await vault.readVersion(ref, signal)).toBe("deleted");
    await vault.disable(ref, signal);
    const message = await unavailable(vault.write(name, content, signal));
    expect(message).toMatch(/Recover or purge it.*HTTP 409, Conflict, ObjectIsDeleted/);
  });

  it("reports a vault whose address has no listener", async () => {
    const gone = await startKeyVaultEmulator({ acceptsToken: () => true });
    await gone.close();
    const dead = makeKeyVault({ name: "main", url: gone.url, credential });
    expect(await unavailable(dead.readCurrent("any", signal))).toMatch(/ECONNREFUSED/);
    expect(await unavailable(dead.write("any", content, signal))).toMatch(/ECONNREFUSED/);
  });
});
