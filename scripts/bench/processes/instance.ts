/** One instance of the app in a process of its own, so that its CPU and memory are its own. */
import type { KeyturnEvent } from "../../../shared/core/events.ts";
import { parseWorkMessage } from "../../../shared/stores/work-message.ts";
import { openApp, placesShape } from "../app.ts";
import { answerCalls } from "../calls.ts";
import type { InstanceMoments, InstanceUsage, Outcome } from "../instance.ts";
import { type QueueTrigger, startQueueTrigger } from "../queue-trigger.ts";

const [, , text = ""] = process.argv;
const places = placesShape.parse(JSON.parse(text));
const opened = openApp(places, note);
let outcomes: Outcome[] = [];
let trigger: QueueTrigger | undefined;

function note({ type, targetId = "", detail, failure }: KeyturnEvent): void {
  const why = failure?.message ?? detail;
  outcomes.push({ type, targetId, at: Date.now(), ...(why !== undefined && { why }) });
}

answerCalls({
  async sweep() {
    const { app } = await opened;
    return app.sweep();
  },
  async pull() {
    const { app } = await opened;
    trigger ??= startQueueTrigger(places.connectionString, places.queue, (message) =>
      app.work(parseWorkMessage(JSON.parse(message))),
    );
  },
  async rest() {
    await trigger?.stop();
    trigger = undefined;
  },
  outcomes() {
    const told = outcomes;
    outcomes = [];
    return told;
  },
  async usage(): Promise<InstanceUsage> {
    const { meter } = await opened;
    const { user, system } = process.cpuUsage();
    const rssBytes = process.memoryUsage.rss();
    return { cpuMs: (user + system) / 1_000, rssBytes, counts: meter.counts };
  },
  async moments(): Promise<InstanceMoments> {
    const { changed, written } = (await opened).meter;
    return { changed, written };
  },
});
