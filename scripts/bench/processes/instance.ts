/**
 * Instances of the app in a process of their own, so that its CPU and memory are theirs alone. Each has ports of its own, and
 * takes messages from the queue by itself.
 */
import "../../../local/host/with-parent.ts";
import { z } from "zod";
import type { KeyturnEvent } from "../../../shared/core/events.ts";
import { parseWorkMessage } from "../../../shared/stores/work-message.ts";
import { answerCalls } from "../world/calls.ts";
import { sum } from "../world/counts.ts";
import type { InstanceMoments, InstanceUsage, Outcome } from "../world/instances.ts";
import { openApp, placesShape } from "../world/open-app.ts";
import { type QueueTrigger, startQueueTrigger } from "../world/queue-trigger.ts";
import { type Profile, startProfile } from "../world/start-profile.ts";

const [, , text = ""] = process.argv;
const { places, count } = z
  .object({ places: placesShape, count: z.number() })
  .parse(JSON.parse(text));
const opened = Promise.all(Array.from({ length: count }, () => openApp(places, note)));
let outcomes: Outcome[] = [];
let endProfile: (() => Promise<Profile>) | undefined;
let triggers: readonly QueueTrigger[] = [];

/** Only these event types are reported; sending the others would cost CPU. */
const reported: readonly string[] = ["adopted", "succeeded", "attempt-failed", "failed", "blocked"];

function note({ type, targetId = "", detail, failure }: KeyturnEvent): void {
  if (!reported.includes(type)) return;
  const why = failure?.message ?? detail;
  outcomes.push({ type, targetId, at: Date.now(), ...(why !== undefined && { why }) });
}

answerCalls({
  async sweep() {
    // The host's timer runs on one instance only.
    const [first] = await opened;
    return (await first?.app.sweep()) ?? 0;
  },
  async pull() {
    triggers = (await opened).map(({ app }) =>
      startQueueTrigger(places.connectionString, places.queue, (message) =>
        app.work(parseWorkMessage(JSON.parse(message))),
      ),
    );
  },
  async rest() {
    await Promise.all(triggers.map((trigger) => trigger.stop()));
  },
  outcomes() {
    const taken = outcomes;
    outcomes = [];
    return taken;
  },
  async usage(): Promise<InstanceUsage> {
    const meters = (await opened).map(({ meter }) => meter.counts);
    const { user, system } = process.cpuUsage();
    const rssBytes = process.memoryUsage.rss();
    return { cpuMs: (user + system) / 1_000, rssBytes, counts: sum(meters) };
  },
  async startProfile() {
    endProfile = await startProfile();
  },
  endProfile: () => endProfile?.(),
  async moments(): Promise<InstanceMoments> {
    const meters = (await opened).map(({ meter }) => meter);
    return {
      changed: meters.flatMap(({ changed }) => changed),
      written: meters.flatMap(({ written }) => written),
    };
  },
});
