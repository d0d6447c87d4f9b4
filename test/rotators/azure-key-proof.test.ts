import { describe, expect, it, vi } from "vitest";
import {
  ChangeRefusedError,
  ConfigError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import {
  type KeyServiceName,
  keyServices,
} from "../../shared/rotators/azure-key/azure-key-services.ts";
import { closeAfterEach, startSteps } from "./azure-key-steps.ts";

closeAfterEach();

const patience = () => AbortSignal.timeout(20_000);
const services = Object.keys(keyServices) as KeyServiceName[];

describe("the proof of a key", () => {
  it("says nothing when the network rules of the service refuse the app", async () => {
    const { bench, verify, failsAs } = await startSteps("storage");
    if (bench.web) {
      bench.web.always = { status: 403, headers: { "x-ms-error-code": "AuthorizationFailure" } };
    }
    const error = await failsAs(TargetUnavailableError, verify());
    expect(error.message).toContain("options.proof");
    const options = bench.optionsWith({ proof: "list" });
    expect(await verify({ options })).toBe("accepted");
    expect(bench.web?.requests).toHaveLength(1);
  });

  it.each(services.filter((one) => one !== "search"))(
    "of %s fails while the service refuses the key",
    async (service) => {
      const { bench, account, verify } = await startSteps(service);
      const secret = bench.valueOf(account);
      expect(await verify()).toBe("accepted");
      const stale = new Map(bench.keys.now);
      bench.keys.reset();
      bench.keys.read = () => stale;
      const credential = { account, secret };
      const { options } = bench;
      expect(await bench.rotator().verify({ options, credential }, patience())).toBe("rejected");
    },
  );

  it("of search is open while the service answers 403, because its network rules do so too", async () => {
    const { bench, verify, failsAs } = await startSteps("search");
    expect(await verify()).toBe("accepted");
    if (bench.web) bench.web.always = { status: 403 };
    await failsAs(TargetUnavailableError, verify());
  });

  it("uses the name of the resource in its own case, and the clock of Azure", async () => {
    const { bench, account } = await startSteps("batch");
    const resource = bench.options.resource.replace(/orders$/, "Orders");
    const credential = { account, secret: bench.valueOf(account) };
    const call = { options: bench.optionsWith({ resource }), credential };
    vi.spyOn(Date, "now").mockReturnValue(0);
    expect(await bench.rotator().verify(call, patience())).toBe("accepted");
    expect(bench.web?.dates.every((date) => Date.parse(date) > 0)).toBe(true);
  });

  it("counts only if the service refuses a wrong key, and a note says so without the key", async () => {
    const { bench, account, verify } = await startSteps("cognitive");
    if (bench.web) bench.web.always = { status: 200 };
    const said: string[] = [];
    expect(await verify({ note: (one) => said.push(one) })).toBe("accepted");
    expect(said.join()).toContain("does not refuse a wrong key");
    expect(said.join()).not.toContain(bench.valueOf(account).reveal());
    expect(bench.web?.requests).toHaveLength(2);
  });

  it.each([429, 500, 503, 302])("says nothing after the status %d", async (status) => {
    const { bench, verify, failsAs } = await startSteps("search");
    if (bench.web) bench.web.always = { status };
    await failsAs(TargetUnavailableError, verify());
  });

  it("does not refuse the key because the clock of the app is wrong", async () => {
    const { bench, verify, failsAs } = await startSteps("app-configuration");
    const said =
      'HMAC-SHA256 error="invalid_token" error_description="The access token has expired"';
    if (bench.web) bench.web.always = { status: 401, headers: { "www-authenticate": said } };
    await failsAs(TargetUnavailableError, verify());
  });

  it("sends the key to no host of anybody else", async () => {
    const properties = { endpoint: "https://orders.search.windows.net.example.com/" };
    const { bench, examine, verify, failsAs } = await startSteps("search", { properties });
    await failsAs(ConfigError, verify());
    await failsAs(ConfigError, examine());
    expect(bench.web?.requests).toEqual([]);
  });

  it("is not refused because the identity may not list the keys", async () => {
    const { bench, verify, failsAs } = await startSteps("storage");
    await failsAs(TargetUnavailableError, verify({ rotator: bench.rotator("reader") }));
  });
});

describe("the examination", () => {
  it("says that the resource is gone", async () => {
    const { bench, mint, examine, verify, failsAs } = await startSteps("storage");
    bench.arm.remove("orders");
    for (const attempt of [examine(), mint(), verify()]) {
      const error = await failsAs(ConfigError, attempt);
      expect(error.message).toMatch(/exist.*options\.resource/);
    }
  });

  it("waits for a resource that is not ready", async () => {
    const { examine, failsAs } = await startSteps("redis", {
      properties: { provisioningState: "Scaling" },
    });
    const error = await failsAs(TargetUnavailableError, examine());
    expect(error.message).toContain("Scaling");
  });

  it("refuses a host that is not that of the resource", async () => {
    const { bench, examine, failsAs } = await startSteps("search");
    const options = bench.optionsWith({ host: "other.search.windows.net" });
    const error = await failsAs(ConfigError, examine({ options }));
    expect(error.message).toContain("options.host");
  });

  it("refuses an account of Cosmos DB for MongoDB, and says what to do", async () => {
    const { bench, examine, failsAs } = await startSteps("cosmos-db", { kind: "MongoDB" });
    const error = await failsAs(ConfigError, examine());
    expect(error.message).toMatch(/is of kind MongoDB.*Remove the target/);
    expect(bench.creations()).toBe(0);
  });

  it("accepts every host of an account for AI services, and no other", async () => {
    const properties = {
      endpoint: "https://shop.cognitiveservices.azure.com/",
      endpoints: {
        "AI Foundry API": "https://shop.services.ai.azure.com/",
        "OpenAI Language Model Instance API": "https://shop.openai.azure.com/",
        "Speech Services Custom Domain": "not a URL",
      },
    };
    const steps = await startSteps("cognitive", { kind: "AIServices", properties });
    const { bench, examine, failsAs } = steps;
    const at = (host: string) => examine({ options: bench.optionsWith({ host }) });
    for (const domain of [
      "cognitiveservices.azure.com",
      "openai.azure.com",
      "services.ai.azure.com",
    ]) {
      expect(await at(`shop.${domain}`)).toMatchObject({ right: { is: "proven" } });
    }
    const error = await failsAs(ConfigError, at("other.openai.azure.com"));
    expect(error.message).toContain("shop.cognitiveservices.azure.com, shop.services.ai.azure.com");
  });

  it("ends when Azure answers with a page", async () => {
    const { bench, examine, failsAs } = await startSteps("storage");
    bench.arm.faults.on("get", { do: "refuse", with: { status: 502, page: "<html>" } });
    await failsAs(TargetUnavailableError, examine());
  });
});

it("publishes the id of a key of App Configuration with the key", async () => {
  const { bench, mint } = await startSteps("app-configuration");
  const credential = await mint();
  const text = bench.rotator().toConnectionString?.(bench.options, credential).reveal();
  const [, key] = [...bench.keys.now].find(([name]) => name === "Secondary") ?? [];
  expect(text).toBe(`Endpoint=https://localhost;Id=${key?.id};Secret=${key?.value}`);
});

it("never retires the key that consumers read, in a text that cuts it in two", async () => {
  const { bench, account, retire, failsAs } = await startSteps("storage");
  const value = bench.valueOf(account).reveal();
  const publishedText = new Secret(`AccountKey=${value.slice(0, 40)}\n${value.slice(40)}`);
  await failsAs(ChangeRefusedError, retire(publishedText));
  expect(bench.creations()).toBe(0);
});
