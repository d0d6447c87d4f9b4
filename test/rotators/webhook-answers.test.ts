import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failure } from "../../conformance/errors.ts";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import {
  admin,
  apply,
  optionsFor,
  startWebhookBench,
  type WebhookBench,
} from "../doubles/webhook-endpoint.ts";
import {
  json,
  names,
  next,
  operationsAt,
  operationsOf,
  rotator,
  startServer,
} from "./webhook-steps.ts";

let bench: WebhookBench;
let caFile: string;
beforeAll(async () => {
  bench = await startWebhookBench();
  caFile = bench.options.tls.caFile ?? "";
});
afterAll(() => bench.stop());

test.each(["apply", "retire"] as const)(
  "%s has no known result if the endpoint does not know it",
  async (name) => {
    const operations = await operationsOf(caFile, (request, response) => {
      json(200, { answer: "unknown" })(response, request);
    });
    expect(await failure(operations[name]())).toBeInstanceOf(OutcomeUnknownError);
  },
);

test("a refusal names its reason: of a change, of a list of sessions, or as a missing right", async () => {
  const operations = await operationsOf(caFile, (request, response) => {
    json(200, { answer: "refused", message: "orders may not change app" })(response, request);
  });
  for (const name of ["apply", "retire", "hasSessions"] as const) {
    const error = await failure(operations[name]());
    expect(error).toBeInstanceOf(ChangeRefusedError);
    expect(error).not.toBeInstanceOf(AuthorityRefusedError);
    expect(error.message).toMatch(/the endpoint refused: orders may not change app$/);
  }
  expect(await operations.examine()).toMatchObject({
    right: { is: "missing", why: expect.stringContaining("orders may not change app") as string },
  });
  // It is no answer to the question whether a secret works.
  expect(await failure(operations.verify())).toBeInstanceOf(TargetUnavailableError);
});

test("an examination shows obstacles and warnings, and no obstacles of an account that has just logged in", async () => {
  const { port } = await startServer((request, response) => {
    json(200, { answer: "ok", obstacles: ["it is locked"], warnings: ["it is an owner"] })(
      response,
      request,
    );
  });
  const [options, signal] = [optionsFor(port, caFile), AbortSignal.timeout(20_000)];
  const examine = (isProven: boolean) =>
    rotator.examine?.(
      { options, account: "app", using: { as: "admin", credential: admin }, isProven },
      signal,
    );
  const warnings = ["Account `app`: it is an owner"];
  const right = { is: "likely" };
  expect(await examine(false)).toEqual({
    obstacles: ["Account `app`: it is locked"],
    right,
    warnings,
  });
  expect(await examine(true)).toEqual({ obstacles: [], right, warnings });
});

describe("a line that is cut", () => {
  test.each(["apply", "retire"] as const)(
    "during %s leaves its result unknown, and a repetition succeeds",
    async (name) => {
      for (const kind of ["lost", "carried-out"] as const) {
        bench.accounts.set("app", "the-secret-before");
        const proxy = await bench.line();
        proxy.cutAt(`"operation":"${name}"`, kind);
        const operations = operationsAt(bench.optionsAt(proxy.port));
        expect(await failure(operations[name]())).toBeInstanceOf(OutcomeUnknownError);
        expect(bench.accounts.logsIn("app", "the-secret-before")).toBe(kind === "lost");
        await operations[name]();
        expect(bench.accounts.logsIn("app", "the-secret-before")).toBe(false);
        expect(await operations.verify()).toBe(name === "apply" ? "accepted" : "rejected");
      }
    },
  );

  test.each(["examine", "verify", "hasSessions"] as const)(
    "during %s means that nothing is known",
    async (name) => {
      const proxy = await bench.line();
      proxy.cutAt(`"operation":"${name}"`, "carried-out");
      const operations = operationsAt(bench.optionsAt(proxy.port));
      expect(await failure(operations[name]())).toBeInstanceOf(TargetUnavailableError);
    },
  );
});

test("a deleted account is refused, has an obstacle, and no secret that works", async () => {
  const { accounts } = bench;
  expect(accounts.has("app_gone")).toBe(false);
  const using = { as: "admin", credential: admin } as const;
  const [options, signal, account] = [bench.options, AbortSignal.timeout(20_000), "app_gone"];
  const error = await failure(
    apply(rotator, { options, next: { account, secret: next.secret }, using }, signal),
  );
  expect(error).toBeInstanceOf(ChangeRefusedError);
  expect(error.message).toContain("there is no account app_gone");
  expect(
    await rotator.examine?.({ options, account, using, isProven: false }, signal),
  ).toMatchObject({
    obstacles: ["Account `app_gone`: there is no account app_gone"],
  });
  const credential = { account, secret: next.secret };
  expect(await rotator.verify({ options, credential, admin }, signal)).toBe("rejected");
  expect(accounts.has("app_gone")).toBe(false);
});

test("an operation that options.supports does not list is not sent", async () => {
  const options = { ...bench.options, supports: [] };
  const before = bench.requests;
  for (const name of ["retire", "hasSessions"] as const) {
    const error = await failure(operationsAt(options)[name]());
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain(`does not list ${name}`);
  }
  expect(bench.requests).toBe(before);
});

test("a CA file that is missing is a mistake in the options, and nothing is sent", async () => {
  const before = bench.requests;
  for (const name of names) {
    const options = { ...bench.options, tls: { caFile: `${caFile}.missing` } };
    expect(await failure(operationsAt(options)[name]())).toBeInstanceOf(ConfigError);
  }
  expect(bench.requests).toBe(before);
});
