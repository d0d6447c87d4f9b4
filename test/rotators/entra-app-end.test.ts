import { expect, test } from "vitest";
import { appIdentity } from "../../conformance/identity.ts";
import { ConfigError } from "../../shared/core/errors.ts";
import type { Using } from "../../shared/rotators/rotator.ts";
import { type Credential, patience, publishing, useEntra } from "./entra-app-steps.ts";

const entra = useEntra();
const end = "2031-05-06T07:08:09.000Z";
const endsAt = Date.parse(end);

function findEnd(credential: Credential, using: Using = appIdentity) {
  const { bench } = entra;
  const asked = { options: bench.optionsWith(), credential, using };
  const answer = bench.rotator().findEnd?.(asked, patience());
  if (!answer) throw new Error("no findEnd");
  return answer;
}

test("The end of a secret is found by its id", async () => {
  const { credential } = await entra.mint();
  expect(await findEnd(credential)).toBe(credential.expiresAt);
});

test("The end of a secret that somebody has made is found by its first characters, if only one has them", async () => {
  const { bench, graph } = entra;
  const made = graph.put({ text: "abc-made-in-the-portal", end: endsAt });
  graph.put({ text: "xyz-another-one" });
  expect(await findEnd(bench.toCredential(made, false))).toBe(end);
  graph.put({ text: "abc-a-third-one" });
  expect(await findEnd(bench.toCredential(made, false))).toBeUndefined();
  expect(await findEnd(bench.toCredential(made))).toBe(end);
});

test("The id in copied tags is not believed if the secret begins differently", async () => {
  const { bench, graph } = entra;
  const earlier = graph.put({ text: "xyz-the-earlier-one" });
  const made = graph.put({ text: "abc-made-in-the-portal", end: endsAt });
  const copied = { ...bench.toCredential(made, false), secretId: earlier.keyId };
  expect(await findEnd(copied)).toBe(end);
});

test("Without first characters in the list, nothing is known", async () => {
  const { bench, graph } = entra;
  const made = graph.put({ text: "abc-made-in-the-portal", hint: null, end: endsAt });
  expect(await findEnd(bench.toCredential(made))).toBeUndefined();
});

test("The question changes nothing, and needs the identity", async () => {
  const { bench, graph } = entra;
  const made = bench.toCredential(graph.put({ end: endsAt }));
  const before = bench.ids();
  graph.requests.splice(0);
  await findEnd(made);
  expect(graph.requests.map(({ method }) => method)).toEqual(["GET"]);
  expect(bench.ids()).toEqual(before);
  const { published } = publishing(made);
  await entra.fails(findEnd(made, { as: "admin", credential: published }), ConfigError, "identity");
});
