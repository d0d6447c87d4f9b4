import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import type { Consumer, Refresh } from "../../../shared/consumers/consumer.ts";

export interface ConsumerUnderTest {
  /** The consumer under test; its name is `orders-api`. */
  readonly consumer: Consumer;
  /** The refreshes that it received so far, in order. */
  asked(): readonly Refresh[];
  close(): Promise<void>;
}

export const refresh: Refresh = {
  targetId: "orders-db",
  rotationId: "01JQ0000000000000000000000",
  published: { vault: "main", name: "orders-db", version: "0123456789abcdef".repeat(2) },
};

/** The rules for every consumer. */
export function consumerSuite(title: string, start: () => Promise<ConsumerUnderTest>): void {
  describe(title, () => {
    let under: ConsumerUnderTest;
    const signal = new AbortController().signal;

    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under.close());

    it("has the name of the configuration", () => {
      expect(under.consumer.name).toBe("orders-api");
    });

    it("gets everything it needs to read the new version, as often as requested", async () => {
      await under.consumer.refresh(refresh, signal);
      expect(under.asked()).toEqual([refresh]);
      await under.consumer.refresh(refresh, signal);
      expect(under.asked()).toEqual([refresh, refresh]);
    });

    it("is not contacted for a caller that has cancelled", async () => {
      const before = under.asked().length;
      await failure(under.consumer.refresh(refresh, AbortSignal.abort()));
      expect(under.asked()).toHaveLength(before);
    });
  });
}
