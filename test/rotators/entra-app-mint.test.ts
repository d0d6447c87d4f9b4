import { expect, test } from "vitest";
import { failure } from "../../conformance/errors.ts";
import { ChangeRefusedError, ConfigError, OutcomeUnknownError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { toDisplayName } from "../../shared/rotators/entra-app/entra-app-secrets.ts";
import type { Mint } from "../../shared/rotators/rotator.ts";
import { graphErrors } from "../doubles/graph/server.ts";
import { foreignName, mark, ownName, patience, publishing, useEntra } from "./entra-app-steps.ts";

const entra = useEntra();

test("adds one secret with a name that is found again and with an end, and returns when it ends", async () => {
  const before = Date.now();
  const { credential } = await entra.mint({ changed: { lifetime: "90d" } });
  const [added] = entra.graph.application.secrets;
  expect(added).toMatchObject({ keyId: credential.secretId, text: credential.secret.reveal() });
  expect(added?.displayName).toMatch(/^01HX0000000000000000000001 [0-9a-f]{12} orders$/);
  const days = ((added?.end ?? 0) - before) / 86_400_000;
  expect(Math.abs(days - 90)).toBeLessThan(0.01);
  expect(Date.parse(credential.expiresAt ?? "")).toBe(added?.end);
  expect(entra.graph.requests.map(({ method }) => method)).toEqual(["GET", "POST"]);
});

test("keeps the name of a secret short, with the rotation first", () => {
  const name = toDisplayName({ ...mark, targetId: "x".repeat(63) });
  expect(name).toHaveLength(64);
  expect(name.startsWith(mark.rotationId)).toBe(true);
});

test("finds the application by its object id, too", async () => {
  await entra.mint({ changed: { application: entra.graph.application.id } });
  await entra.mint({ changed: { application: entra.bench.account } });
  expect(entra.sent("/addPassword")).toHaveLength(2);
  const other = "00000000-0000-4000-8000-000000000000";
  const asked = entra.mint({
    account: other,
    changed: { application: entra.graph.application.id },
  });
  await entra.fails(asked, ChangeRefusedError, "does not exist");
});

test("removes only secrets of its own target that nobody has stored", async () => {
  const { graph } = entra.bench;
  const published = graph.put({ name: ownName(1) });
  const stored = graph.put({ name: ownName(2) });
  const orphans = [graph.put({ name: ownName(3) }), graph.put({ name: ownName(4) })];
  const others = [graph.put({ name: foreignName }), graph.put({ name: "by hand" }), graph.put()];
  const made = await entra.mint({
    ...publishing(entra.bench.toCredential(published)),
    storedIds: [stored.keyId],
  });
  expect(made.publishedId).toBe(published.keyId);
  const kept = [published, stored, ...others].map(({ keyId }) => keyId);
  expect(entra.bench.ids()).toEqual([...kept, made.credential.secretId]);
  expect(entra.sent("/removePassword").map(({ body }) => body)).toEqual(
    orphans.map(({ keyId }) => ({ keyId })),
  );
});

test("removes orphans where nothing is published", async () => {
  entra.graph.put({ name: ownName(1) });
  const { credential } = await entra.mint();
  expect(entra.bench.ids()).toEqual([credential.secretId]);
});

test("knows the published secret by its first characters if only one secret has them", async () => {
  const { graph } = entra.bench;
  const published = graph.put({ text: "abc~published" });
  graph.put({ text: "abd~other" });
  const made = await entra.mint(publishing(entra.bench.toCredential(published, false)));
  expect(made.publishedId).toBe(published.keyId);
});

test.each<[string, () => Partial<Mint<unknown>>]>([
  [
    "two secrets begin alike",
    () => {
      entra.graph.put({ text: "abc~other", name: ownName(8) });
      return publishing(
        entra.bench.toCredential(entra.graph.put({ text: "abc~published" }), false),
      );
    },
  ],
  [
    "the stored id is that of another secret",
    () => {
      const other = entra.graph.put({ text: "xyz~other" });
      const published = entra.graph.put({ text: "abc~published", hint: null });
      const { keyId: secretId } = other;
      return publishing({ ...entra.bench.toCredential(published), secretId });
    },
  ],
  [
    "Graph shows no first characters of one secret",
    () => {
      entra.graph.put({ text: "whatever", hint: null });
      return publishing(entra.bench.toCredential(entra.graph.put(), false));
    },
  ],
  [
    "the published secret is not in the list",
    () => publishing({ account: entra.bench.account, secret: new Secret("gone~published") }),
  ],
  ["the published text is not readable", () => ({ publishedText: new Secret("?") })],
])("removes nothing while %s", async (_, publish) => {
  entra.graph.put({ name: ownName(1) });
  const call = publish();
  const before = entra.bench.ids();
  const made = await entra.mint(call);
  expect(made.publishedId).toBeUndefined();
  expect(entra.bench.ids()).toEqual([...before, made.credential.secretId]);
});

test("stops adding secrets when too many are left that it may not remove, and names them", async () => {
  const left = [1, 2, 3, 4].map((number) => entra.graph.put({ name: ownName(number) }).keyId);
  const published = { account: entra.bench.account, secret: new Secret("?~gone") };
  await entra.fails(entra.mint(publishing(published)), ChangeRefusedError, left.join(", "));
  expect(entra.bench.ids()).toEqual(left);
});

test("does not advise to remove a secret that may be the published one", async () => {
  const alike = entra.graph.put({ name: ownName(9), text: "abc~other" });
  const published = entra.graph.put({ name: ownName(8), text: "abc~published" });
  const left = [1, 2, 3].map((number) =>
    entra.graph.put({ name: ownName(number), text: `xyz~${String(number)}` }),
  );
  const call = entra.mint(publishing(entra.bench.toCredential(published, false)));
  const ids = left.map(({ keyId }) => keyId).join(", ");
  const { message } = await failure(call);
  expect(message).toContain(`Remove those that nobody uses: ${ids}`);
  for (const { keyId } of [alike, published]) expect(message).not.toContain(keyId);
});

test("an application for personal accounts gets another secret only if an orphan makes room", async () => {
  const { graph } = entra.bench;
  graph.application.signInAudience = "AzureADandPersonalMicrosoftAccount";
  const published = graph.put();
  const orphan = graph.put({ name: ownName(1) });
  const call = publishing(entra.bench.toCredential(published));
  const made = await entra.mint(call);
  expect(entra.bench.ids()).not.toContain(orphan.keyId);
  const { secretId = "" } = made.credential;
  await entra.fails(entra.mint({ ...call, storedIds: [secretId] }), ChangeRefusedError, secretId);
  expect(entra.sent("/addPassword")).toHaveLength(1);
  expect(entra.bench.ids()).toEqual([published.keyId, secretId]);
});

test("a failure to remove an orphan prevents nothing, and is noted", async () => {
  const { keyId } = entra.graph.put({ name: ownName(1) });
  entra.graph.faults.on("remove", { do: "refuse", with: graphErrors.noRights });
  const notes: string[] = [];
  const { credential } = await entra.mint({ note: (sentence) => notes.push(sentence) });
  expect(entra.bench.ids()).toEqual([keyId, credential.secretId]);
  expect(notes).toEqual([expect.stringContaining(keyId)]);
});

test("repeats a list, and no addition, after a short delay that Graph names", async () => {
  entra.graph.faults.on("read", { do: "refuse", with: graphErrors.throttled(0) });
  await entra.mint();
  expect(entra.graph.requests.map(({ method }) => method)).toEqual(["GET", "GET", "POST"]);
});

test("an answer that does not come leaves an orphan, which the next call removes", async () => {
  entra.graph.faults.on("add", { do: "hang", afterEffect: true });
  const deadline = new AbortController();
  const attempt = entra.mint({}, deadline.signal);
  await expect.poll(() => entra.bench.ids().length).toBe(1);
  deadline.abort();
  await entra.fails(attempt, OutcomeUnknownError, "timed out");
  const { credential } = await entra.mint();
  expect(entra.bench.ids()).toEqual([credential.secretId]);
});

test("only the identity of the app may be used", async () => {
  const credential = { account: entra.bench.account, secret: new Secret("x") };
  await entra.fails(
    entra.mint({ using: { as: "admin", credential } }),
    ConfigError,
    "admin: managed-identity",
  );
  expect(entra.graph.requests).toEqual([]);
});

test("a lifetime that ends before the secret may end says what to write", async () => {
  const validUntil = new Date(Date.now() + 199.5 * 86_400_000).toISOString();
  await entra.fails(entra.mint({ validUntil }), ConfigError, "Write lifetime: 201d");
  await entra.mint({ validUntil, changed: { lifetime: "201d" } });
  expect(entra.sent("/addPassword")).toHaveLength(1);
});

test("No secret of an account with an unfit name is looked for", async () => {
  const rotator = entra.bench.rotator();
  const upper = entra.bench.account.toUpperCase();
  expect(rotator.findUnfitAccount?.(entra.bench.account)).toBeUndefined();
  expect(rotator.findUnfitAccount?.(upper)).toContain("in lower case");
  const credential = { account: "orders", secret: new Secret("x") };
  const check = { options: entra.bench.optionsWith(), credential };
  await expect(rotator.verify(check, patience())).rejects.toBeInstanceOf(ConfigError);
});
