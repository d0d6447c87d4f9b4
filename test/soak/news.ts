import type { EventGridEmulator } from "../../local/event-grid/emulator.ts";

/** The notifications of the app, with times of the test's clock, because the soak changes the clocks of hosts. */
export interface News {
  /** How many rotations succeeded so far. */
  rotations(): number;
  /** Counts different alarms since a time in milliseconds since 1970, for all targets or for one. */
  alarms(since: number, targetId?: string): number;
}

interface Told {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly at: number;
}

/** Types of notification that an operator would check. */
const alarming = [
  "Keyturn.Alarm",
  "Keyturn.Drift.Found",
  "Keyturn.Rotation.Blocked",
  "Keyturn.Rotation.Failed",
  "Keyturn.Rotation.Stalled",
];

export function readNews(topic: Pick<EventGridEmulator, "events">): News {
  const told = new Map<string, Told>();
  let last = 0;
  const read = (): Told[] => {
    for (const { sequence, receivedAt, event } of topic.events(last)) {
      last = sequence;
      const { id, subject = "" } = event;
      const type = "type" in event ? event.type : event.eventType;
      // Each notification is sent at least once; repetitions have the same id.
      if (!told.has(id)) told.set(id, { id, type, subject, at: Date.parse(receivedAt) });
    }
    return [...told.values()];
  };
  return {
    rotations: () => read().filter(({ type }) => type === "Keyturn.Rotation.Succeeded").length,
    alarms: (since, targetId) =>
      read().filter(
        ({ type, subject, at }) =>
          alarming.includes(type) && at >= since && (targetId ?? subject) === subject,
      ).length,
  };
}
