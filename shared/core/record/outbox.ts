import type { Notification } from "./rotation.ts";

/**
 * What still waits after some notifiers have heard it. Only notifiers that are still configured are remembered, each once:
 * the outbox is flushed every minute while one of them is down.
 */
export function withDelivered(
  outbox: readonly Notification[],
  notifiers: readonly string[],
  heard: readonly string[],
): Notification[] {
  return outbox
    .map((one) => {
      const told = new Set([...(one.toldTo ?? []), ...heard]);
      return { ...one, toldTo: notifiers.filter((name) => told.has(name)) };
    })
    .filter(({ toldTo }) => toldTo.length < new Set(notifiers).size);
}
