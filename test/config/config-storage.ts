import { writeForm } from "../../shared/config/form/write-form.ts";
import { loadConfigFrom } from "../../shared/config/load.ts";
import type { KeyturnEvent } from "../../shared/core/events.ts";
import { plus, second } from "../../shared/core/time.ts";
import { CheckTooCostlyError } from "../../shared/edited-config.ts";
import { type LiveConfig, makeLiveConfig } from "../../shared/live-config.ts";
import { ConfigBlobError, type StoredConfig } from "../../shared/stores/blob/config-blob.ts";
import { KeptConfigError, type KeptConfigs } from "../../shared/stores/blob/kept-config.ts";
import { fakeRotators } from "./fake-rotators.ts";
import { withTarget } from "./written.ts";

const rotators = fakeRotators;
const start = "2026-03-01T10:00:00.000Z";

/** A configuration that tests recognise by the `every` of its target. */
export const everyDays = (days: number) => withTarget({}).replace("every: 90d", `every: ${days}d`);
export const broken = `${everyDays(90)}more: 1\n`;

/** A blob and its stored copy, for any number of instances. */
export function makeStorage() {
  let now = start;
  let stored: StoredConfig | undefined;
  let unreadable: ConfigBlobError | undefined;
  let [isKeptDown, reads, checks] = [false, 0, 0];
  let isBroken = false;
  let slow: Promise<void> | undefined;
  let good: StoredConfig | undefined;
  let form: Buffer | undefined;
  const keptCall = <Result>(call: () => Result): Promise<Result> =>
    isKeptDown ? Promise.reject(new KeptConfigError("down")) : Promise.resolve(call());
  const kept: KeptConfigs = {
    lastGood: () => keptCall(() => good),
    keep: (config) =>
      keptCall(() => {
        if (!good || good.modifiedAt < config.modifiedAt) good = config;
      }),
    checkedForm: () => keptCall(() => form),
    keepForm: (text) =>
      keptCall(() => {
        form = Buffer.from(text);
      }),
  };
  return {
    kept,
    now: () => now,
    advance: (milliseconds: number) => {
      now = plus(now, milliseconds);
    },
    edit: (text: string) => {
      now = plus(now, second);
      stored = { bytes: Buffer.from(text), etag: `"${now}"`, modifiedAt: now };
    },
    makeUnreadable: (error: ConfigBlobError | undefined) => {
      unreadable = error;
    },
    takeKeptDown: (isDown: boolean) => {
      isKeptDown = isDown;
    },
    counts: () => ({ reads, checks }),
    breakCheck: (broken: boolean) => {
      isBroken = broken;
    },
    slowDown: (until: Promise<void> | undefined) => {
      slow = until;
    },
    instance: (more: { build?: string; tooCostly?: boolean } = {}) =>
      makeLiveConfig({
        ...{ kept, now: () => now, folder: "/", build: more.build ?? "b1" },
        // Only a check that never ends is slower than this.
        pause: () => (slow ? Promise.resolve() : new Promise(() => undefined)),
        blob: {
          name: "https://store.blob.core.windows.net/conf/keyturn.yaml",
          read(etag) {
            reads += 1;
            if (unreadable) return Promise.reject(unreadable);
            if (!stored) return Promise.reject(missing);
            return Promise.resolve(stored.etag === etag ? "unchanged" : stored);
          },
        },
        check: (files) => loadConfigFrom(files, { rotators, now }),
        writeForm: async (files, build) => {
          checks += 1;
          await slow;
          if (isBroken) throw new TypeError("the thread has ended");
          if (more.tooCostly) throw new CheckTooCostlyError("it takes too long");
          return writeForm(files, build, { rotators, now });
        },
      }),
  };
}

export const missing = new ConfigBlobError("There is no such blob.", true);
export const passing = new ConfigBlobError("The line is down.", false);

/** Returns `every` of the configuration in force, and the events that the check emitted. */
export async function look(live: LiveConfig): Promise<{ days: number; told: string[] }> {
  const told: KeyturnEvent[] = [];
  const { config } = await live.current((event) => told.push(event));
  const [target] = config.targets;
  return { days: (target?.policy.every ?? 0) / 86_400_000, told: told.map(({ type }) => type) };
}
