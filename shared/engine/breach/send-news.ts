import type { Breach } from "../../core/breach/breach.ts";
import { withDelivered } from "../../core/record/outbox.ts";
import { day, plus, toInstant } from "../../core/time.ts";
import type { Notifier } from "../../notifiers/notifier.ts";
import type { Ports } from "../ports.ts";
import { sendToNotifier } from "../send-to-notifier.ts";

/**
 * Sends the notifications of a breach to every notifier, and returns the breach with those that some of them have not received. After
 * a day they are dropped.
 */
export async function sendNews(ports: Ports, breach: Breach): Promise<Breach> {
  const { journal, notifiers } = ports;
  const { outbox } = breach;
  if (outbox.length === 0) return breach;
  const heard = await Promise.all(notifiers.map((one) => deliver(ports, one, breach)));
  const names = notifiers.filter((_, index) => heard[index]).map(({ name }) => name);
  const all = notifiers.map(({ name }) => name);
  const oldest = plus(toInstant(journal.now()), -day);
  return {
    ...breach,
    outbox: withDelivered(outbox, all, names).filter(({ at }) => at > oldest),
  };
}

async function deliver(ports: Ports, notifier: Notifier, { outbox }: Breach): Promise<boolean> {
  const news = outbox
    .filter(({ toldTo }) => !toldTo?.includes(notifier.name))
    .map(({ toldTo: _, ...notification }) => notification);
  return news.length === 0 || sendToNotifier(ports, notifier, news);
}
