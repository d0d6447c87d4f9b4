import { expect, onTestFinished, test } from "vitest";
import { failure } from "../../conformance/errors.ts";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { startEntraBench } from "../contract/rotators/entra-app-bench.ts";
import { graphErrors } from "../doubles/graph/server.ts";
import { foreignName, ownName, patience, useEntra } from "./entra-app-steps.ts";

const entra = useEntra();

test("removes what it is given and everything of the target, and nothing else", async () => {
  const { graph } = entra.bench;
  const keep = graph.put({ name: ownName(1) });
  const [given] = [graph.put({ name: "by hand" }), graph.put({ name: ownName(2) })];
  const others = [graph.put({ name: foreignName }), graph.put()];
  await entra.discard(entra.bench.toCredential(keep), { ids: [given.keyId, keep.keyId] });
  expect(entra.bench.ids()).toEqual([keep, ...others].map(({ keyId }) => keyId));
});

test("finds a superseded secret without an id by its first characters", async () => {
  const superseded = entra.graph.put({ text: "old~superseded" });
  const keep = entra.graph.put({ text: "new~published" });
  await entra.discard(entra.bench.toCredential(keep), {
    superseded: entra.bench.toCredential(superseded, false),
  });
  expect(entra.bench.ids()).toEqual([keep.keyId]);
});

test("leaves a secret alone that begins like a superseded one which has ended", async () => {
  const superseded = entra.graph.put({ text: "old~superseded" });
  const keep = entra.bench.toCredential(entra.graph.put({ text: "new~published" }));
  const end = () =>
    entra.discard(keep, { superseded: entra.bench.toCredential(superseded, false) });
  await end();
  const alike = entra.graph.put({ text: "old~of somebody else" });
  await end();
  expect(entra.bench.ids()).toEqual([keep.secretId, alike.keyId]);
});

test("names the secrets of which one may be the superseded one, unless it is useless already", async () => {
  const { graph } = entra.bench;
  const superseded = graph.put({ text: "old~superseded" });
  const alike = graph.put({ text: "old~of somebody else" });
  const keep = entra.bench.toCredential(graph.put({ text: "new~published" }));
  const end = () =>
    entra.discard(keep, { superseded: entra.bench.toCredential(superseded, false) });
  await entra.fails(end(), ChangeRefusedError, `${superseded.keyId}, ${alike.keyId}`);
  graph.application.secrets = graph.application.secrets.filter((one) => one !== superseded);
  await end();
  expect(entra.sent("/removePassword")).toEqual([]);
});

test("removes nothing while it does not know which secret is published, and names only others to remove", async () => {
  const given = entra.graph.put({ name: ownName(1), text: "old~superseded" });
  const alike = entra.graph.put({ name: ownName(2), text: "abc~other" });
  const keep = entra.graph.put({ name: ownName(3), text: "abc~published" });
  const before = entra.bench.ids();
  const ids = [given.keyId, alike.keyId];
  const error = await failure(entra.discard(entra.bench.toCredential(keep, false), { ids }));
  expect(error).toBeInstanceOf(ChangeRefusedError);
  expect(error.message).toContain(`Their ids are ${given.keyId}`);
  for (const { keyId } of [alike, keep]) expect(error.message).not.toContain(keyId);
  expect(entra.bench.ids()).toEqual(before);
});

test("does nothing where nothing has ended", async () => {
  const keep = entra.graph.put();
  await entra.discard(entra.bench.toCredential(keep));
  await entra.discard(entra.bench.toCredential(keep));
  expect(entra.bench.ids()).toEqual([keep.keyId]);
  expect(entra.sent("/removePassword")).toEqual([]);
});

test("looks again until lists of several servers show the end", async () => {
  const several = await startEntraBench({ servers: 3, lag: 3 });
  onTestFinished(() => several.graph.close());
  const [keep, given] = [several.graph.put(), several.graph.put()];
  await entra.discard(several.toCredential(keep), { ids: [given.keyId] }, patience(), several);
  expect(several.ids()).toEqual([keep.keyId]);
  // A server that did not know the secret yet has said that it does not exist.
  const lists = several.graph.requests.filter(({ method }) => method === "GET");
  expect(lists.length).toBeGreaterThan(3);
});

test.each<[string, () => void]>([
  ["the answer is lost", () => entra.graph.faults.on("remove", { do: "lost-reply-after-effect" })],
  ["the request is lost", () => entra.graph.faults.on("remove", { do: "reset-before-effect" })],
  [
    "Graph is busy",
    () => entra.graph.faults.on("remove", { do: "refuse", with: graphErrors.throttled(1) }),
  ],
  [
    "another change is under way",
    () => entra.graph.faults.on("remove", { do: "refuse", with: graphErrors.conflict }),
  ],
  [
    "one server does not know it yet",
    () => entra.graph.faults.on("remove", { do: "refuse", with: graphErrors.noCredential("x") }),
  ],
])("sends a removal again if the list still shows the secret: %s", async (_, arm) => {
  arm();
  const [keep, given] = [entra.graph.put(), entra.graph.put()];
  await entra.discard(entra.bench.toCredential(keep), { ids: [given.keyId] });
  expect(entra.bench.ids()).toEqual([keep.keyId]);
});

test("says that the end is not confirmed if Graph never removes it", async () => {
  const refusal = graphErrors.noCredential("x");
  entra.graph.faults.on("remove", { do: "refuse", with: refusal, times: Infinity });
  const [keep, given] = [entra.graph.put(), entra.graph.put()];
  const call = entra.discard(entra.bench.toCredential(keep), { ids: [given.keyId] });
  await entra.fails(call, OutcomeUnknownError, given.keyId);
});

test("stops at a missing right", async () => {
  entra.graph.faults.on("remove", { do: "refuse", with: graphErrors.noRights });
  const [keep, given] = [entra.graph.put(), entra.graph.put()];
  const call = entra.discard(entra.bench.toCredential(keep), { ids: [given.keyId] });
  await entra.fails(call, ChangeRefusedError, "Application.ReadWrite.OwnedBy");
});

test("sends nothing after the signal has fired", async () => {
  const [keep, given] = [entra.graph.put(), entra.graph.put()];
  const call = entra.discard(
    entra.bench.toCredential(keep),
    { ids: [given.keyId] },
    AbortSignal.abort(),
  );
  await entra.fails(call, TargetUnavailableError);
  expect(entra.graph.requests).toEqual([]);
});
