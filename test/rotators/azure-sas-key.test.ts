import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { expectNoTrace, failure } from "../../conformance/errors.ts";
import { appIdentity } from "../../conformance/identity.ts";
import {
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import {
  type BusServiceName,
  busServiceNames,
  listEntities,
} from "../../shared/rotators/azure-key/azure-sas-key-options.ts";
import {
  type SasBench,
  type SasResources,
  startSasBench,
} from "../contract/rotators/azure-sas-key-bench.ts";
import { armErrors } from "../doubles/arm/server.ts";

const patience = () => AbortSignal.timeout(20_000);
const using = appIdentity;

let bench: SasBench;
afterEach(() => bench.close());

async function start(service?: BusServiceName, resources?: SasResources) {
  bench = await startSasBench(service, resources);
  const { options } = bench;
  const valueOf = (account: string) => bench.valueOf(account);
  const rotator = bench.rotator();
  const verify = (account: string, secret = valueOf(account)) =>
    rotator.verify({ options, credential: { account, secret } }, patience());
  const apply = (account: string, secret: Secret, signal = patience()) =>
    rotator.apply({ options, next: { account, secret }, using }, signal);
  return { rotator, options, valueOf, verify, apply };
}

const fresh = () => new Secret(randomBytes(32).toString("base64"));

const sent = () => bench.sent();

async function failsAs(
  kind: abstract new (...args: never[]) => Error,
  attempt: Promise<unknown>,
  ...secrets: readonly Secret[]
): Promise<void> {
  const error = await failure(attempt);
  expect(error).toBeInstanceOf(kind);
  const values = Array.from(bench.keys.now.values(), ({ value }) => value);
  expectNoTrace(error, [...values, ...secrets.map((one) => one.reveal())]);
}

describe.each(busServiceNames)("a key of %s", (service) => {
  it("is set to the one that Keyturn has chosen, and the other one stays", async () => {
    const { apply, verify, valueOf } = await start(service);
    const [next, other] = [fresh(), valueOf("primary")];
    await apply("secondary", next);
    expect(valueOf("secondary").equals(next)).toBe(true);
    expect(valueOf("primary").equals(other)).toBe(true);
    expect(await verify("secondary", next)).toBe("accepted");
    expect(await verify("primary", next)).toBe("rejected");
    expect(sent()).toEqual([{ keyType: "SecondaryKey", key: next.reveal() }]);
  });

  it("has no further request when it is set again", async () => {
    const { apply } = await start(service);
    const next = fresh();
    await apply("secondary", next);
    await apply("secondary", next);
    expect(sent()).toHaveLength(1);
  });
});

const entities = busServiceNames.flatMap((service) =>
  listEntities(service).map((kind) => [service, kind] as const),
);

it("A namespace has five kinds of entities with policies", () => {
  expect(entities.map((one) => one.join("/"))).toEqual([
    ...["service-bus/queues", "service-bus/topics", "event-hubs/eventhubs"],
    ...["relay/hybridConnections", "relay/wcfRelays"],
  ]);
});

describe.each(entities)("a key of %s, of one of its %s", (service, kind) => {
  it("is set, proven at the entity, and published with its path", async () => {
    const steps = await start(service, { entity: `${kind}/shop~mails` });
    const next = fresh();
    await steps.apply("secondary", next);
    expect(steps.valueOf("secondary").equals(next)).toBe(true);
    const at = bench.arm.inspection.requests.map(({ path }) => path);
    expect(at.find((path) => path.endsWith("/regenerateKeys"))).toContain(`/${kind}/shop~mails/`);
    expect(await steps.verify("secondary", next)).toBe("accepted");
    expect(await steps.verify("primary", next)).toBe("rejected");
    const asked = bench.plane.requests.map(({ url }) => url.replace(/\?.*/, ""));
    expect(new Set(asked)).toEqual(new Set(service === "relay" ? [] : ["/shop/mails"]));
    const credential = { account: "secondary", secret: next };
    const text = steps.rotator.toConnectionString?.(steps.options, credential).reveal();
    expect(text).toMatch(/^Endpoint=sb:\/\/localhost\/;.*;EntityPath=shop\/mails$/);
  });

  it("is of no use while keys are switched off for the namespace", async () => {
    const namespace = { entraOnly: true };
    const { rotator, options } = await start(service, { entity: `${kind}/shop`, namespace });
    const call = { options, account: "secondary", using, isProven: false };
    expect(await rotator.examine?.(call, patience())).toMatchObject({ right: { is: "missing" } });
  });
});

describe("a key of Service Bus", () => {
  it("has the form that Azure requires, and no other is sent", async () => {
    const { rotator, apply } = await start();
    const made = rotator.toSecret?.(new Uint8Array(32).fill(251));
    expect(made?.reveal()).toHaveLength(44);
    expect(made && rotator.findUnfit?.(made)).toBeUndefined();
    for (const wrong of [
      "a".repeat(44),
      "correct-horse-battery-staple",
      fresh().reveal().slice(0, 43),
    ]) {
      expect(rotator.findUnfit?.(new Secret(wrong))).toContain("base64 text of 32 bytes");
      await failsAs(ChangeRefusedError, apply("secondary", new Secret(wrong)), new Secret(wrong));
    }
    expect(sent()).toEqual([]);
  });

  it("may have been set when the answer is lost", async () => {
    const { apply, valueOf } = await start();
    const next = fresh();
    bench.arm.faults.on("regenerate", { do: "lost-reply-after-effect" });
    await failsAs(OutcomeUnknownError, apply("secondary", next), next);
    expect(valueOf("secondary").equals(next)).toBe(true);
    await apply("secondary", next);
    expect(sent()).toHaveLength(1);
  });

  it.each([
    ["throttling", armErrors.throttled(0), TargetUnavailableError],
    ["a missing right", armErrors.noRights("it", "there"), ChangeRefusedError],
    ["a page", { status: 502, page: "<html>" }, OutcomeUnknownError],
  ] as const)("is not sent again after %s", async (_, answer, kind) => {
    const { apply } = await start();
    const next = fresh();
    bench.arm.faults.on("regenerate", { do: "refuse", with: answer });
    await failsAs(kind, apply("secondary", next), next);
    expect(sent()).toHaveLength(1);
    expect(bench.keys.landed).toBe(0);
  });

  it("is retired by a key that nobody knows, and only if consumers do not read it", async () => {
    const { rotator, options, valueOf } = await start();
    const superseded = { account: "primary", secret: valueOf("primary") };
    const call = { options, account: "primary", using, superseded };
    const publishedText = new Secret(encodeURIComponent(superseded.secret.reveal()));
    await failsAs(
      ChangeRefusedError,
      rotator.retire?.({ ...call, publishedText }, patience()) ?? Promise.resolve(),
    );
    await rotator.retire?.({ ...call, publishedText: valueOf("secondary") }, patience());
    expect(valueOf("primary").equals(superseded.secret)).toBe(false);
    await rotator.retire?.({ ...call, publishedText: valueOf("secondary") }, patience());
    expect(sent()).toEqual([{ keyType: "PrimaryKey" }]);
  });

  it("is of no use while keys are switched off for the namespace", async () => {
    const { rotator, options } = await start("service-bus", { namespace: { entraOnly: true } });
    const call = { options, account: "secondary", using, isProven: false };
    expect(await rotator.examine?.(call, patience())).toMatchObject({ right: { is: "missing" } });
  });

  it("is only compared without the right to manage", async () => {
    const sender = await start("service-bus", { rights: ["Send"] });
    expect(await sender.verify("primary")).toBe("accepted");
    expect(bench.plane.requests).toEqual([]);
  });

  it("belongs to the account that has it", async () => {
    const { rotator, options, valueOf } = await start();
    const call = { options, using, accounts: ["primary", "secondary"] };
    const find = (secret: Secret) => rotator.findOwner?.({ ...call, secret }, patience());
    expect(await find(valueOf("secondary"))).toBe("secondary");
    expect(await find(fresh())).toBeUndefined();
  });

  it("is that of a policy that exists", async () => {
    const { rotator, options, apply } = await start();
    bench.arm.remove("orders/app");
    const call = { options, account: "secondary", using, isProven: false };
    await failsAs(ConfigError, rotator.examine?.(call, patience()) ?? Promise.resolve());
    await failsAs(ConfigError, apply("secondary", fresh()));
    await failsAs(ConfigError, apply("key1", fresh()));
    const bad = { ...options, resource: "orders" };
    expect(rotator.options.safeParse(bad).error?.issues[0]?.message).toContain(
      "must be the id of a shared access policy of Service Bus",
    );
  });
});
