import type { Notification } from "./record.ts";

/**
 * The notifications that still wait after delivery to some notifiers. Only configured notifiers are remembered, each once, because
 * the outbox is flushed every minute while one of them is down.
 */
export function withDelivered(
  outbox: readonly Notification[],
  notifiers: readonly string[],
  heard: readonly string[],
): Notification[] {
  return outbox
    .map((one) => {
      const delivered = new Set([...(one.toldTo ?? []), ...heard]);
      return { ...one, toldTo: notifiers.filter((name) => delivered.has(name)) };
    })
    .filter(({ toldTo }) => toldTo.length < new Set(notifiers).size);
}
